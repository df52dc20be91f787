// SPDX-License-Identifier: Apache-2.0

/// A moment in UTC, in whole seconds since 1970-01-01T00:00:00Z, without leap seconds (POSIX time).
public struct UTCInstant: Hashable, Comparable, Sendable {
    /// Seconds since the epoch; negative before it.
    public var secondsSinceEpoch: Int64

    /// The moment that many seconds after the epoch.
    public init(secondsSinceEpoch: Int64) {
        self.secondsSinceEpoch = secondsSinceEpoch
    }

    /// The first second of a day.
    public init(startOf day: UTCDay) {
        self.init(secondsSinceEpoch: Int64(day.daysSinceEpoch) * 86_400)
    }

    /// The UTC day that holds this moment.
    public var day: UTCDay {
        UTCDay(daysSinceEpoch: Int(floorDivide(secondsSinceEpoch, by: 86_400)))
    }

    /// The hour of the day, 0 to 23.
    public var hourOfDay: Int {
        Int((secondsSinceEpoch - Int64(day.daysSinceEpoch) * 86_400) / 3_600)
    }

    /// The UTC calendar month that holds this moment.
    public var month: CalendarMonth { day.month }

    /// This moment as RFC 3339 writes it, `2026-04-01T07:01:00Z`.
    public var rfc3339: String {
        let second = secondsSinceEpoch - Int64(day.daysSinceEpoch) * 86_400
        let clock = [second / 3_600, second / 60 % 60, second % 60].map { twoDigits(Int($0)) }
        return "\(day)T\(clock.joined(separator: ":"))Z"
    }

    /// Earlier moments come first.
    public static func < (left: Self, right: Self) -> Bool {
        left.secondsSinceEpoch < right.secondsSinceEpoch
    }

    /// The moment that many seconds later.
    public func advanced(bySeconds seconds: Int64) -> Self {
        Self(secondsSinceEpoch: secondsSinceEpoch + seconds)
    }
}

/// A UTC calendar day, as days since 1970-01-01.
public struct UTCDay: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Days since the epoch; negative before it.
    public var daysSinceEpoch: Int

    /// The day that many days after the epoch.
    public init(daysSinceEpoch: Int) {
        self.daysSinceEpoch = daysSinceEpoch
    }

    /// The month that holds this day.
    public var month: CalendarMonth { civil.month }

    /// The day of its month, 1 to 31.
    public var dayOfMonth: Int { civil.day }

    /// The day as ISO 8601 writes it, `2026-03-31`.
    public var description: String { "\(month)-\(twoDigits(dayOfMonth))" }

    /// Earlier days come first.
    public static func < (left: Self, right: Self) -> Bool { left.daysSinceEpoch < right.daysSinceEpoch }

    /// Month and day in the proleptic Gregorian calendar.
    ///
    /// Years are counted from March, so that the leap day is a year's last, in eras of 400 years of 146,097 days.
    private var civil: (month: CalendarMonth, day: Int) {
        let shifted = daysSinceEpoch + daysFromMarchOfYearZero
        let era = floorDivide(shifted, by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let marchMonthIndex = (era * 400 + yearOfEra) * 12 + monthFromMarch
        return (CalendarMonth(index: marchMonthIndex + 2), dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
    }
}

/// A UTC calendar month.
public struct CalendarMonth: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Months since January of the year 0.
    public var index: Int

    /// The month with that index.
    public init(index: Int) {
        self.index = index
    }

    /// A month of a year, 1 to 12.
    public init(year: Int, month: Int) {
        precondition((1...12).contains(month), "a month is 1 to 12")
        self.init(index: year * 12 + month - 1)
    }

    /// The year.
    public var year: Int { floorDivide(index, by: 12) }

    /// The month of the year, 1 to 12.
    public var month: Int { index - year * 12 + 1 }

    /// The month as ISO 8601 writes it, `2026-03`.
    public var description: String { "\(year)-\(twoDigits(month))" }

    /// The month in English, `March 2026`.
    public var label: String { "\(Self.englishNames[month - 1]) \(year)" }

    /// The month's first day.
    public var firstDay: UTCDay {
        let fromMarch = index - 2
        let year = floorDivide(fromMarch, by: 12)
        let era = floorDivide(year, by: 400)
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (fromMarch - year * 12) + 2) / 5
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return UTCDay(daysSinceEpoch: era * 146_097 + dayOfEra - daysFromMarchOfYearZero)
    }

    /// The month's last day.
    public var lastDay: UTCDay { UTCDay(daysSinceEpoch: (self + 1).firstDay.daysSinceEpoch - 1) }

    /// Earlier months come first.
    public static func < (left: Self, right: Self) -> Bool { left.index < right.index }

    /// The month that many months later.
    public static func + (month: Self, count: Int) -> Self { Self(index: month.index + count) }

    /// The month that many months earlier.
    public static func - (month: Self, count: Int) -> Self { Self(index: month.index - count) }

    private static let englishNames = [
        "January", "February", "March", "April", "May", "June",
        "July", "August", "September", "October", "November", "December",
    ]
}

/// Days from 0000-03-01 to 1970-01-01.
private let daysFromMarchOfYearZero = 719_468

/// The quotient rounded towards negative infinity.
private func floorDivide<Number: BinaryInteger>(_ dividend: Number, by divisor: Number) -> Number {
    let (quotient, remainder) = dividend.quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? quotient - 1 : quotient
}

/// A number below a hundred with a leading zero where it has one digit.
private func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

// SPDX-License-Identifier: Apache-2.0

import TelemetryModel
import Testing

@Suite("The UTC calendar")
struct CalendarTests {
    @Test(
        "days since the epoch are the days that other calendars say",
        arguments: [
            (0, "1970-01-01"), (-1, "1969-12-31"), (59, "1970-03-01"), (789, "1972-02-29"), (-25_508, "1900-03-01"),
            (10_957, "2000-01-01"), (11_016, "2000-02-29"), (11_017, "2000-03-01"), (19_782, "2024-02-29"),
            (20_148, "2025-03-01"), (20_512, "2026-02-28"), (20_513, "2026-03-01"), (47_540, "2100-02-28"),
            (47_541, "2100-03-01"), (-719_468, "0-03-01"), (-135_081, "1600-02-29"),
        ]
    )
    func knownDays(days: Int, text: String) {
        let day = UTCDay(daysSinceEpoch: days)
        #expect(day.description == text)
        #expect(day.month.firstDay.daysSinceEpoch + day.dayOfMonth - 1 == days)
    }

    @Test("every day from 2023 to 2101 follows the one before it, by a count of days that knows nothing of eras")
    func everyDay() {
        var (year, month, dayOfMonth) = (2023, 1, 1)
        var days = CalendarMonth(year: 2023, month: 1).firstDay.daysSinceEpoch
        #expect(days == 19_358)
        while year <= 2101 {
            let day = UTCDay(daysSinceEpoch: days)
            let expected = CalendarMonth(year: year, month: month)
            let last = Self.lengths(of: year)[month - 1]
            guard day.month == expected, day.dayOfMonth == dayOfMonth else {
                Issue.record("day \(days) is \(day), not day \(dayOfMonth) of \(expected)")
                return
            }
            if dayOfMonth == 1 { #expect(expected.firstDay == day) }
            if dayOfMonth == last { #expect(expected.lastDay == day) }
            days += 1
            dayOfMonth += 1
            if dayOfMonth > last { (month, dayOfMonth) = (month + 1, 1) }
            if month > 12 { (year, month) = (year + 1, 1) }
        }
    }

    private static func lengths(of year: Int) -> [Int] {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    }

    @Test(
        "a moment is written as RFC 3339 writes it",
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (-1, "1969-12-31T23:59:59Z"), (1_775_026_860, "2026-04-01T07:01:00Z"),
            (1_772_323_199, "2026-02-28T23:59:59Z"), (1_772_323_200, "2026-03-01T00:00:00Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"), (951_827_696, "2000-02-29T12:34:56Z"),
        ]
    )
    func moments(seconds: Int64, text: String) {
        #expect(UTCInstant(secondsSinceEpoch: seconds).rfc3339 == text)
    }

    @Test("the hour of the day is that of the UTC day, before the epoch too")
    func hours() {
        let hours = [(0, 0), (3_599, 0), (3_600, 1), (86_399, 23), (86_400, 0), (-1, 23), (-86_400, 0), (-82_801, 0)]
        for (seconds, hour) in hours {
            #expect(UTCInstant(secondsSinceEpoch: Int64(seconds)).hourOfDay == hour, "\(seconds)")
        }
    }

    @Test("the first second of a month belongs to it, the second before to the month before")
    func monthEnds() {
        for index in 2024 * 12..<2027 * 12 {
            let month = CalendarMonth(index: index)
            let first = UTCInstant(startOf: month.firstDay)
            #expect(first.month == month)
            #expect(first.advanced(bySeconds: -1).month == month - 1)
            #expect(first.advanced(bySeconds: -1).day == (month - 1).lastDay)
        }
    }

    @Test("months count on over the ends of years")
    func arithmetic() {
        let january = CalendarMonth(year: 2026, month: 1)
        #expect(january - 1 == CalendarMonth(year: 2025, month: 12))
        #expect(january + 25 == CalendarMonth(year: 2028, month: 2))
        #expect((january.year, january.month) == (2026, 1))
        #expect(((january - 1).year, (january - 1).month) == (2025, 12))
        #expect(january.description == "2026-01")
        #expect((january - 1).label == "December 2025")
        #expect(january - 1 < january)
    }
}

@Suite("Windows")
struct WindowTests {
    @Test(
        "a window has the label and the days of its months",
        arguments: [
            (Window.Length.month, 2026, 3, "March 2026", "2026-03-01", "2026-03-31"),
            (.quarter, 2026, 3, "January 2026 — March 2026", "2026-01-01", "2026-03-31"),
            (.year, 2026, 3, "April 2025 — March 2026", "2025-04-01", "2026-03-31"),
            (.month, 2024, 2, "February 2024", "2024-02-01", "2024-02-29"),
            (.quarter, 2026, 1, "November 2025 — January 2026", "2025-11-01", "2026-01-31"),
            (.year, 2100, 12, "January 2100 — December 2100", "2100-01-01", "2100-12-31"),
        ]
    )
    func labels(length: Window.Length, year: Int, month: Int, label: String, first: String, last: String) {
        let window = Window(length, endingWith: CalendarMonth(year: year, month: month))
        #expect(window.label == label)
        #expect(window.start.firstDay.description == first)
        #expect(window.end.lastDay.description == last)
        #expect(window.months.upperBound.index - window.months.lowerBound.index + 1 == length.months)
    }

    @Test("a month lies in sixteen windows, and each of them contains it")
    func containing() {
        let month = CalendarMonth(year: 2026, month: 3)
        let windows = Window.containing(month)
        #expect(Set(windows).count == 16)
        #expect(windows.allSatisfy { $0.contains(month) })
        for (length, count) in [(Window.Length.month, 1), (.quarter, 3), (.year, 12)] {
            #expect(windows.filter { $0.length == length }.count == count)
        }
    }

    @Test("the months beside a window are not in it")
    func edges() {
        for length in Window.Length.allCases {
            let window = Window(length, endingWith: CalendarMonth(year: 2026, month: 3))
            #expect(!window.contains(window.start - 1))
            #expect(window.contains(window.start))
            #expect(window.contains(window.end))
            #expect(!window.contains(window.end + 1))
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import GRDB
import TelemetryModel

/// A span of time that totals exist for.
enum Period: Hashable {
    case window(Window)
    case day(UTCDay)

    /// The columns that the period is stored as: the months of a window and its last month, or 0 and the day.
    var stored: (length: Int, end: Int) {
        switch self {
        case .window(let window): (window.length.months, window.end.index)
        case .day(let day): (0, day.daysSinceEpoch)
        }
    }

    /// A stored period; nil where it is none that there can be.
    init?(storedLength length: Int, end: Int) {
        if length == 0, StoredNumbers.days.contains(end) {
            self = .day(UTCDay(daysSinceEpoch: end))
        } else if let length = Window.Length(rawValue: length), StoredNumbers.months.contains(end) {
            self = .window(Window(length, endingWith: CalendarMonth(index: end)))
        } else {
            return nil
        }
    }

    /// The period of two columns.
    ///
    /// - Throws: `StoreError.damaged`.
    init(_ row: Row, from column: Int) throws(StoreError) {
        let length = try row.number(column, of: "total")
        let end = try row.number(column + 1, of: "total")
        guard let period = Self(storedLength: length, end: end) else { throw row.damage(column + 1, "total") }
        self = period
    }

    /// Its first month.
    var start: CalendarMonth {
        switch self {
        case .window(let window): window.start
        case .day(let day): day.month
        }
    }
}

/// The periods that a report of a month can be in, as numbers: the sixteen windows that hold the month, in the order of
/// `Window.containing`, and the days of the month.
///
/// A set of them is a number with a bit each. What changes all windows alike stands in a slot of its own.
enum PeriodSlots {
    /// How many slots there are.
    static let count = windows.count + 31 + 1
    /// The slot that stands for all windows.
    static let everyWindow = count - 1
    /// The set of all windows.
    static let allWindows: UInt64 = 1 << UInt64(windows.count) - 1

    /// Length and distance from the month to the window's last month, by slot.
    private static let windows: [(length: Window.Length, distance: Int)] = Window.containing(CalendarMonth(index: 0))
        .map { ($0.length, $0.end.index) }

    /// The periods of a slot.
    static func periods(_ slot: Int, of month: CalendarMonth) -> [Period] {
        if slot == everyWindow { return windows.indices.map { .window(window($0, of: month)) } }
        if slot < windows.count { return [.window(window(slot, of: month))] }
        return [.day(UTCDay(daysSinceEpoch: month.firstDay.daysSinceEpoch + slot - windows.count))]
    }

    /// The set of those windows that pass a test.
    static func windows(of month: CalendarMonth, where passes: (Window) -> Bool) -> UInt64 {
        windows.indices.reduce(0) { passes(window($1, of: month)) ? $0 | 1 << UInt64($1) : $0 }
    }

    /// The set of those windows that also hold the month at a distance, from eleven before to eleven after.
    static func windows(holding distance: Int) -> UInt64 {
        (-11...11).contains(distance) ? holding[distance + 11] : 0
    }

    /// The set of days whose bits are set, the lowest bit for the first of the month.
    static func days(_ bits: Int) -> UInt64 { UInt64(bits) << UInt64(windows.count) }

    private static let holding: [UInt64] = (-11...11).map { distance in
        windows(of: CalendarMonth(index: 0)) { $0.contains(CalendarMonth(index: distance)) }
    }

    private static func window(_ slot: Int, of month: CalendarMonth) -> Window {
        Window(windows[slot].length, endingWith: month + windows[slot].distance)
    }
}

extension UInt64 {
    /// Calls a body with each slot of the set, the lowest first.
    @inline(__always)
    func forEachSlot(_ body: (Int) -> Void) {
        var rest = self
        while rest != 0 {
            body(rest.trailingZeroBitCount)
            rest &= rest &- 1
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

/// A span of whole UTC calendar months that figures are counted over, half open: a report received at 00:00:00 on
/// the first of a month belongs to that month.
public struct Window: Hashable, Sendable {
    /// The lengths that figures exist for.
    public enum Length: Int, CaseIterable, Hashable, Sendable {
        /// One calendar month.
        case month = 1
        /// A month and the two before it.
        case quarter = 3
        /// A month and the eleven before it.
        case year = 12

        /// The number of calendar months.
        public var months: Int { rawValue }
    }

    /// How many months the window spans.
    public var length: Length

    /// Its last month.
    public var end: CalendarMonth

    /// The window of a length that ends with a month.
    public init(_ length: Length, endingWith end: CalendarMonth) {
        self.length = length
        self.end = end
    }

    /// Its first month.
    public var start: CalendarMonth { end - (length.months - 1) }

    /// Its months, first to last.
    public var months: ClosedRange<CalendarMonth> { start...end }

    /// Its name in English, `March 2026` or `January 2026 — March 2026`.
    public var label: String { length == .month ? end.label : "\(start.label) — \(end.label)" }

    /// Whether a month is one of its months.
    public func contains(_ month: CalendarMonth) -> Bool { months.contains(month) }

    /// Every window that holds a month: one month, three quarters, twelve years.
    public static func containing(_ month: CalendarMonth) -> [Window] {
        Length.allCases.flatMap { length in
            (0..<length.months).map { Window(length, endingWith: month + $0) }
        }
    }
}

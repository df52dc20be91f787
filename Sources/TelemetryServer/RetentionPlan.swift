// SPDX-License-Identifier: Apache-2.0

import ReportStore
public import TelemetryModel

/// For how many months rows of reports are kept, after the month that they were received in.
public struct RetentionPeriod: Equatable, Sendable {
    /// Months; at least `ReportStore.shortestRetention`.
    public let months: Int

    /// What is kept unless somebody says otherwise: two years of months that are over, and one more.
    public static let standard = Self(months: 25)

    private init(months: Int) {
        self.months = months
    }

    /// Reads `25mo` or `3y`; nil for anything else, for less than 13 months and for more than a century.
    public init?(_ text: String) {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int(digits), number <= 1_200 else { return nil }
        switch text.dropFirst(digits.count) {
        case "mo": months = number
        case "y": months = number * 12
        default: return nil
        }
        guard (ReportStore.shortestRetention...1_200).contains(months) else { return nil }
    }

    /// The first month whose rows are kept in a month.
    public func firstKept(in month: CalendarMonth) -> CalendarMonth { month - months }
}

/// Decides which rows go, and does not believe every clock.
///
/// In the course of time one month after another is out of date. So one month goes at once. More than one is out of date
/// where the backend was off, where the period was made shorter, or where the clock has jumped ahead by mistake; those go
/// only once the clock has shown the same month for a whole day of time that does not depend on it.
struct RetentionPlan {
    /// What is to be done.
    enum Decision: Equatable {
        case nothing
        /// So many months are out of date at once; said once, then there is nothing to do until they go.
        case wait(months: Int)
        case delete(before: CalendarMonth)
    }

    /// How long more than one month waits.
    static let patience = Duration.seconds(86_400)

    private let period: RetentionPeriod
    /// Whether a run before this one may have been cut off.
    private var isUnfinished = true
    private var waiting: (cut: CalendarMonth, since: Duration)?

    /// A plan of a backend that has just started.
    init(_ period: RetentionPeriod) {
        self.period = period
    }

    /// Decides.
    ///
    /// - Parameters:
    ///   - month: The month that the clock shows.
    ///   - rows: The months that the store has.
    ///   - uptime: Time since some moment, by a clock that nobody sets.
    /// - Returns: What is to be done now.
    mutating func decide(in month: CalendarMonth, _ rows: RowMonths, uptime: Duration) -> Decision {
        let cut = period.firstKept(in: month)
        guard let first = rows.first, first < cut else {
            waiting = nil
            return isUnfinished ? rows.completeFrom.map(Decision.delete(before:)) ?? .nothing : .nothing
        }
        if first + 1 == cut {
            waiting = nil
            return .delete(before: cut)
        }
        guard let begin = waiting, begin.cut == cut else {
            waiting = (cut, uptime)
            return .wait(months: cut.index - first.index)
        }
        return uptime - begin.since < Self.patience ? .nothing : .delete(before: cut)
    }

    /// Notes whether what was decided was done to its end.
    mutating func ended(well isDone: Bool) { isUnfinished = !isDone }
}

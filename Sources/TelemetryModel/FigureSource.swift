// SPDX-License-Identifier: Apache-2.0

/// Where figures are answered from: the embedded engine, or VictoriaMetrics.
///
/// Both answer the same for the same reports.
public protocol FigureSource: Sendable {
    /// The totals of windows; one for each.
    ///
    /// - Throws: An error where any of them cannot be had, never a total that is short of something.
    func totals(of windows: [Window]) async throws -> [Window: WindowTotals]

    /// The totals of days, one after the other: the figures as a series.
    ///
    /// - Throws: As above.
    func totals(on days: ClosedRange<UTCDay>) async throws -> [DayTotals]

    /// How many clusters reported each value of a dimension in windows, and how many have it in their last report.
    ///
    /// - Throws: As above.
    func breakdowns(by dimension: Dimension, in windows: [Window]) async throws -> [Window: [String: Breakdown]]

    /// How many clusters reported each value of a dimension on days, one after the other.
    ///
    /// - Throws: As above.
    func breakdowns(
        by dimension: Dimension,
        on days: ClosedRange<UTCDay>
    ) async throws -> [(day: UTCDay, clusters: [String: Int])]
}

/// Why figures cannot be had for now.
public struct FiguresUnavailable: Error, Equatable, Sendable, CustomStringConvertible {
    /// What went wrong, without addresses.
    public let reason: String

    /// A reason.
    public init(_ reason: String) {
        self.reason = reason
    }

    /// What is wrong.
    public var description: String { "the figures cannot be read: \(reason)" }
}

extension ClosedRange<UTCDay> {
    /// Every day.
    package var all: [UTCDay] {
        (lowerBound.daysSinceEpoch...upperBound.daysSinceEpoch).map(UTCDay.init(daysSinceEpoch:))
    }
}

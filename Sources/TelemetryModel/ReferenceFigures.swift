// SPDX-License-Identifier: Apache-2.0

/// A report that was accepted, with who sent it and when it was received.
public struct AcceptedReport: Sendable {
    /// The cluster.
    public let cluster: Pseudonym
    /// When the backend received it, by its own clock.
    public let receivedAt: UTCInstant
    /// What it said.
    public let report: Report

    /// A report of a cluster.
    public init(cluster: Pseudonym, receivedAt: UTCInstant, report: Report) {
        self.cluster = cluster
        self.receivedAt = receivedAt
        self.report = report
    }
}

/// The definitions of the figures, written down as plainly as they can be, over every report that was ever accepted.
///
/// It scans everything for every answer. The engines answer the same faster, and are tested against it.
public struct ReferenceFigures: Sendable {
    private let histories: [Pseudonym: [AcceptedReport]]

    /// The figures of reports in the order in which they were accepted.
    public init(_ reports: [AcceptedReport]) {
        histories = Dictionary(grouping: reports, by: \.cluster)
    }

    /// Per figure the sum over clusters of the cluster's peak in the window.
    public func totals(of window: Window) -> WindowTotals {
        var all: [Figure: Int64] = [:]
        var established: [Figure: Int64] = [:]
        for history in histories.values {
            for (figure, peak) in Self.peaks(of: history, in: window) {
                all[figure] = (all[figure] ?? 0).addingClamped(peak)
                guard Self.isEstablished(history, by: window) else { continue }
                established[figure] = (established[figure] ?? 0).addingClamped(peak)
            }
        }
        return WindowTotals(window: window, all: all, established: established)
    }

    /// Applications by canonical name: aliases are added up within one report before the peak is taken.
    public func canonicalApplications(in window: Window) -> [String: Int64] {
        histories.values.reduce(into: [:]) { totals, history in
            let counts = Self.reports(of: history, in: window).map(\.report.canonicalApplications)
            let peaks = counts.reduce(into: [:]) { $0.merge($1, uniquingKeysWith: max) }
            totals.merge(peaks, uniquingKeysWith: +)
        }
    }

    /// How many clusters reported each value of a dimension in the window, and how many have it in their last report.
    public func breakdown(by dimension: Dimension, in window: Window) -> [String: Breakdown] {
        var counts: [String: Breakdown] = [:]
        for history in histories.values {
            let reports = Self.reports(of: history, in: window)
            for value in Set(reports.flatMap { dimension.values(in: $0.report) }) {
                counts[value, default: Breakdown()].clusters += 1
            }
            let last = dimension.lastReport(among: reports.map(\.report))
            for value in Set(last.map(dimension.values(in:)) ?? []) {
                counts[value, default: Breakdown()].clustersAtEnd += 1
            }
        }
        return counts
    }

    private static func reports(of history: [AcceptedReport], in window: Window) -> [AcceptedReport] {
        history.filter { window.contains($0.receivedAt.month) }
    }

    /// The highest value of each figure in any one report of the window.
    private static func peaks(of history: [AcceptedReport], in window: Window) -> [Figure: Int64] {
        reports(of: history, in: window).reduce(into: [:]) { peaks, accepted in
            peaks.merge(accepted.report.figures, uniquingKeysWith: max)
        }
    }

    /// Whether the cluster was seen on at least two UTC days by the end of the window.
    private static func isEstablished(_ history: [AcceptedReport], by window: Window) -> Bool {
        let days = Set(history.map(\.receivedAt.day)).filter { $0.month <= window.end }
        return days.count >= 2
    }
}

extension Int64 {
    /// The sum, or the largest number where it does not fit; eight clusters that claim 2⁶⁰ bytes each are enough.
    package func addingClamped(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other < 0 ? .min : .max) : sum
    }
}

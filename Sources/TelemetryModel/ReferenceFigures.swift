// SPDX-License-Identifier: Apache-2.0

/// A report that was accepted, with who sent it and when it was received.
public struct AcceptedReport: Equatable, Sendable {
    /// The cluster.
    public let cluster: Pseudonym
    /// When the backend received it, by its own clock.
    public let receivedAt: UTCInstant
    /// How many reports of the cluster were accepted before it within the same second.
    public let place: Int
    /// What it said.
    public let report: Report

    /// A report of a cluster.
    public init(cluster: Pseudonym, receivedAt: UTCInstant, place: Int = 0, report: Report) {
        self.cluster = cluster
        self.receivedAt = receivedAt
        self.place = place
        self.report = report
    }

    /// When it was received in milliseconds since 1970, later for each report of the cluster within a second.
    public var millisecondsSinceEpoch: Int64 { receivedAt.secondsSinceEpoch * 1_000 + Int64(min(place, 999)) }
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
        let (all, established) = sums(by: window.end.lastDay) { window.contains($0.month) }
        return WindowTotals(window: window, all: all, established: established)
    }

    /// Per figure the sum over clusters of the cluster's peak on the day.
    public func totals(on day: UTCDay) -> DayTotals {
        let (all, established) = sums(by: day) { $0.day == day }
        return DayTotals(day: day, all: all, established: established)
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

    /// How many clusters reported each value of a dimension on the day.
    public func breakdown(by dimension: Dimension, on day: UTCDay) -> [String: Int] {
        histories.values.reduce(into: [:]) { counts, history in
            let reports = history.filter { $0.receivedAt.day == day }
            for value in Set(reports.flatMap { dimension.values(in: $0.report) }) { counts[value, default: 0] += 1 }
        }
    }

    private static func reports(of history: [AcceptedReport], in window: Window) -> [AcceptedReport] {
        history.filter { window.contains($0.receivedAt.month) }
    }

    /// The sums of the clusters' peaks in the reports that count, of all clusters and of those established by a day.
    private func sums(
        by end: UTCDay,
        of counts: (UTCInstant) -> Bool
    ) -> (all: [Figure: Int64], established: [Figure: Int64]) {
        var all: [Figure: Int64] = [:]
        var established: [Figure: Int64] = [:]
        for history in histories.values {
            let isEstablished = Self.isEstablished(history, by: end)
            let reports = history.filter { counts($0.receivedAt) }
            let peaks = reports.reduce(into: [:]) { $0.merge($1.report.figures, uniquingKeysWith: max) }
            for (figure, peak) in peaks {
                all[figure] = (all[figure] ?? 0).addingClamped(peak)
                guard isEstablished else { continue }
                established[figure] = (established[figure] ?? 0).addingClamped(peak)
            }
        }
        return (all, established)
    }

    /// Whether the cluster was seen on at least two UTC days by the end of a day.
    private static func isEstablished(_ history: [AcceptedReport], by end: UTCDay) -> Bool {
        Set(history.map(\.receivedAt.day)).filter { $0 <= end }.count >= 2
    }
}

extension Int64 {
    /// The sum, or the largest number where it does not fit; eight clusters that claim 2⁶⁰ bytes each are enough.
    package func addingClamped(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other < 0 ? .min : .max) : sum
    }
}

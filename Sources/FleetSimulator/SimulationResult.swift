// SPDX-License-Identifier: Apache-2.0

public import TelemetryModel

/// What a simulation did, and what the figures of a backend that was empty before must be now.
public struct SimulationResult: Codable, Equatable, Sendable {
    /// Reports sent.
    public var sent: Int
    /// Reports answered 200.
    public var ok: Int
    /// Reports answered otherwise, or not at all.
    public var failed: Int
    /// Over the whole time.
    public var reportsPerSecond: Double
    /// The median of the time to an answer, in milliseconds.
    public var p50Milliseconds: Double
    /// What at most one in a hundred answers took longer than, in milliseconds.
    public var p99Milliseconds: Double
    /// Distinct reports among those answered 200, summed over clusters.
    public var distinctReports: Int
    /// The public figures of the current month, from the definitions.
    public var expected: Overview

    private enum CodingKeys: String, CodingKey {
        case sent, ok, failed, expected
        case reportsPerSecond = "reports_per_second"
        case p50Milliseconds = "p50_ms"
        case p99Milliseconds = "p99_ms"
        case distinctReports = "distinct_reports"
    }
}

/// Keeps account of what was sent.
struct SimulationAccount: Sendable {
    private(set) var sent = 0
    private var accepted: [AcceptedReport] = []
    private var times: [Duration] = []

    /// Stands in for the backend's key: the figures do not depend on what clusters are called.
    private static let pseudonymizer = Pseudonymizer(key: Array(repeating: 0, count: Pseudonymizer.keyLength))

    /// Counts a report; `time` is that to its answer, nil where none came.
    mutating func add(_ report: FleetReport, at instant: UTCInstant, isAccepted: Bool, after time: Duration?) {
        sent += 1
        if let time { times.append(time) }
        guard isAccepted, let pseudonym = Self.pseudonymizer?.pseudonym(of: report.cluster) else { return }
        accepted.append(AcceptedReport(cluster: pseudonym, receivedAt: instant, report: report.report))
    }

    mutating func add(_ other: Self) {
        sent += other.sent
        accepted += other.accepted
        times += other.times
    }

    func result(in time: Duration, at instant: UTCInstant) -> SimulationResult {
        let sorted = times.sorted()
        let reference = ReferenceFigures(accepted)
        let distinct = Set(accepted.map { DistinctReport(cluster: $0.cluster, report: $0.report) })
        return SimulationResult(
            sent: sent,
            ok: accepted.count,
            failed: sent - accepted.count,
            reportsPerSecond: time > .zero ? (Double(sent) / (time / .seconds(1))).rounded() : 0,
            p50Milliseconds: Self.milliseconds(sorted, 0.50),
            p99Milliseconds: Self.milliseconds(sorted, 0.99),
            distinctReports: distinct.count,
            expected: Overview(
                endingWith: instant.month,
                generatedAt: instant,
                threshold: 5,
                totals: reference.totals
            )
        )
    }

    private struct DistinctReport: Hashable {
        let cluster: Pseudonym
        let report: Report
    }

    /// A quantile in milliseconds, to two decimals.
    private static func milliseconds(_ sorted: [Duration], _ quantile: Double) -> Double {
        guard !sorted.isEmpty else { return 0 }
        let rank = max(1, Int((Double(sorted.count) * quantile).rounded(.up)))
        return (sorted[rank - 1] / .milliseconds(1) * 100).rounded() / 100
    }
}

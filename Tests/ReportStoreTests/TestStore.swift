// SPDX-License-Identifier: Apache-2.0

import FleetSimulator
import GRDB
import Logging
import Metrics
import TelemetryModel
import TelemetryTesting
import Testing

@testable import ReportStore

/// A directory for a store, and its key.
struct TestStore {
    let directory: TemporaryDirectory
    let pseudonymizer: Pseudonymizer

    init(directory: TemporaryDirectory? = nil) throws {
        self.directory = try directory ?? TemporaryDirectory()
        pseudonymizer = try PseudonymKeyFile.load(fromDirectory: self.directory.path)
    }

    /// Opens the store, or one of the same key elsewhere.
    func open(
        _ path: String? = nil,
        maximumWaiting: Int = 10_000,
        maximumWaitingSamples: Int = 1_000_000,
        outboxLimit: Int? = nil,
        unchangedHours: Int = 1,
        isForwardOnly: Bool? = nil,
        logger: Logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    ) throws -> ReportStore {
        try ReportStore(
            directory: path ?? directory.path,
            keyCheck: pseudonymizer.checkValue,
            maximumWaiting: maximumWaiting,
            maximumWaitingSamples: maximumWaitingSamples,
            outboxLimit: outboxLimit,
            unchangedHours: unchangedHours,
            isForwardOnly: isForwardOnly,
            metrics: NOOPMetricsHandler.instance,
            logger: logger
        )
    }

    /// A report of a cluster.
    func accepted(_ cluster: String, _ report: Report, at instant: UTCInstant) throws -> AcceptedReport {
        let id = try #require(ClusterID(cluster))
        return AcceptedReport(cluster: pseudonymizer.pseudonym(of: id), receivedAt: instant, report: report)
    }

    /// Fills a store with a simulated history; gives back what it accepted.
    func fill(
        _ store: ReportStore,
        clusters: Int,
        from first: CalendarMonth,
        months: Int,
        seed: UInt64
    ) async throws -> [AcceptedReport] {
        var history = SimulatedHistory(clusters: clusters, from: first, months: months, seed: seed)
        let all = try history.accepted(pseudonymizer)
        for report in all { _ = try await store.submit(report) }
        return all
    }

    /// A report of nodes.
    static func report(nodes: Int64) -> Report {
        Report([.init(Series(.nodesCount, ["linux (Talos (v1.8.4))", "6.6.64-talos"]), nodes)])
    }

    static let march = UTCInstant(startOf: CalendarMonth(year: 2026, month: 3).firstDay)
}

extension ReportStore {
    /// What a check of everything that is derived finds.
    func problems() async throws -> [String] {
        try await pool.read { try StoreCheck($0) { _ in }.problems }
    }
}

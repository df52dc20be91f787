// SPDX-License-Identifier: Apache-2.0

import GRDB
import Synchronization
import TelemetryModel
import TelemetryTesting
import Testing

@testable import ReportStore

@Suite("A cluster whose rows are damaged")
struct DamagedRowsTests {
    private static let clusters = 60

    /// What an update makes of the rows of clusters.
    private static let damages = [
        "UPDATE month SET peaks = x'03' WHERE cluster IN (?, ?, ?)",
        "UPDATE sighting SET content = x'7f7f' WHERE cluster IN (?, ?, ?)",
        "UPDATE month SET lasts = x'09' WHERE cluster IN (?, ?, ?)",
    ]

    private static func name(_ number: Int) -> String { "cluster-\(number)" }

    /// A store that has a report of each cluster.
    private static func filled(_ test: TestStore, _ log: LogRecorder) async throws -> ReportStore {
        let store = try test.open(logger: log.logger)
        for number in 0..<clusters {
            _ = try await store.submit(test.accepted(name(number), TestStore.report(nodes: 3), at: TestStore.march))
        }
        return store
    }

    private static func row(_ number: Int, of test: TestStore, in store: ReportStore) throws -> Int {
        let id = try #require(ClusterID(name(number)))
        return try #require(try store.clusters.find(test.pseudonymizer.pseudonym(of: id))).row
    }

    /// Submits other reports of all clusters at once; says what came of each.
    private static func submitAll(
        _ test: TestStore,
        to store: ReportStore,
        at instant: UTCInstant
    ) async throws -> [Result<ReportStore.Outcome, StoreError>] {
        let reports = try (0..<clusters).map { try test.accepted(name($0), TestStore.report(nodes: 7), at: instant) }
        let outcomes = Mutex([Int: Result<ReportStore.Outcome, StoreError>]())
        return await withCheckedContinuation { continuation in
            for (number, report) in reports.enumerated() {
                store.submit(report, as: nil) { outcome in
                    let all = outcomes.withLock { outcomes in
                        outcomes[number] = outcome
                        return outcomes
                    }
                    if all.count == clusters { continuation.resume(returning: (0..<clusters).compactMap { all[$0] }) }
                }
            }
        }
    }

    @Test("is refused alone: the others of its group are committed and answered", arguments: damages)
    func isRefusedAlone(damage: String) async throws {
        let (test, log) = (try TestStore(), LogRecorder())
        let store = try await Self.filled(test, log)
        let damaged = [0, 31, 59]
        let rows = try damaged.map { try Self.row($0, of: test, in: store) }
        try await store.write { try $0.execute(sql: damage, arguments: StatementArguments(rows)) }
        let outcomes = try await Self.submitAll(test, to: store, at: TestStore.march.advanced(bySeconds: 60))
        #expect(outcomes.count == Self.clusters)
        for (number, outcome) in outcomes.enumerated() {
            switch outcome {
            case .success(let state): #expect(state == .newState && !damaged.contains(number))
            case .failure(.damaged): #expect(damaged.contains(number))
            case .failure(let error): Issue.record("\(number): \(error)")
            }
        }
        try await store.ping()
        let statistics = try await store.statistics()
        #expect(statistics.sightings == 2 * Self.clusters - damaged.count)
        #expect(log.recorded.filter { $0.contains("a report is refused") }.count == 1)
        #expect(!log.recorded.contains { $0.contains("takes no reports") })
        #expect(try await store.problems().count >= damaged.count)
        try store.close()
    }

    @Test("keeps its rows when they are out of date; those of the others go, and a check says what is left")
    func isLeftByRetention() async throws {
        let (test, log) = (try TestStore(), LogRecorder())
        let store = try await Self.filled(test, log)
        let row = try Self.row(5, of: test, in: store)
        try await store.write { try $0.execute(sql: "UPDATE sighting SET content = x'7f7f' WHERE cluster = \(row)") }
        let outcome = try await store.deleteRows(before: TestStore.march.month + 1, threshold: 5)
        #expect(outcome.damagedClusters == 1)
        #expect(outcome.sightings == Self.clusters - 1 && outcome.clusters == Self.clusters - 1)
        #expect(try await store.statistics().sightings == 1)
        #expect(try await store.problems().contains { $0.contains("series that is not there") })
        try store.close()
    }
}

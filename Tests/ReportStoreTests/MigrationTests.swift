// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import Logging
import Metrics
import TelemetryModel
import TelemetryTesting
import Testing

@testable import ReportStore

/// Stores that older versions wrote, with the figures that they must have.
///
/// `Fixtures/store-v1` was written by schema 1 from 358 reports of 8 clusters over 14 months, with the key of 32 ones.
@Suite("Stores of older versions")
struct MigrationTests {
    private static let fixture = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Fixtures/store-v1")
    private static let first = CalendarMonth(year: 2025, month: 2)

    private func withStore(_ body: (ReportStore, LogRecorder) async throws -> Void) async throws {
        let directory = try TemporaryDirectory()
        let file = URL(fileURLWithPath: directory.path + "/" + ReportStore.fileName)
        try FileManager.default.copyItem(at: Self.fixture.appendingPathComponent("telemetry.sqlite"), to: file)
        let key = try #require(Pseudonymizer(key: Array(repeating: 1, count: Pseudonymizer.keyLength)))
        let log = LogRecorder()
        let store = try ReportStore(
            directory: directory.path,
            keyCheck: key.checkValue,
            metrics: NOOPMetricsHandler.instance,
            logger: log.logger
        )
        try await body(store, log)
        try store.close()
    }

    @Test("schema 1: the figures of every month are those that it had, and everything fits together")
    func figures() async throws {
        try await withStore { store, log in
            let json = try Data(contentsOf: Self.fixture.appendingPathComponent("overviews.json"))
            for (number, expected) in try JSONDecoder().decode([Overview].self, from: json).enumerated() {
                let month = Self.first + number
                let totals = try await store.totals(of: Window.Length.allCases.map { Window($0, endingWith: month) })
                let overview = try Overview(
                    endingWith: month,
                    generatedAt: UTCInstant(startOf: Self.first.firstDay),
                    threshold: 1
                ) { try #require(totals[$0]) }
                #expect(overview == expected, "\(month)")
            }
            #expect(try await store.problems() == [])
            #expect(try await store.statistics().schema == "v3")
            #expect(log.recorded.contains { $0.contains("the store is migrated") && $0.contains("seconds") })
        }
    }

    @Test("schema 1: breakdowns, which it did not have, are those of its reports")
    func breakdowns() async throws {
        try await withStore { store, _ in
            let json = try Data(contentsOf: Self.fixture.appendingPathComponent("breakdowns.json"))
            let expected = try JSONDecoder().decode([String: [String: [Int]]].self, from: json)
            let window = Window(.year, endingWith: Self.first + 13)
            for dimension in TelemetryModel.Dimension.allCases {
                let breakdown = try await store.breakdowns(by: dimension, in: [window])[window]
                let counts = breakdown?.mapValues { [$0.clusters, $0.clustersAtEnd] }
                #expect(counts == expected[dimension.rawValue] ?? [:], "\(dimension)")
            }
        }
    }

    @Test("schema 1: a report that was taken over is known when it is sent again")
    func isKnownAgain() async throws {
        try await withStore { store, _ in
            let stored = try await store.pool.read { database in
                var interner = Interner(isReadOnly: true)
                let sql = "SELECT pseudonym, month, content FROM sighting JOIN cluster ON cluster.id = cluster"
                return try Row.fetchAll(database, sql: sql).map { row in
                    let content = try ReportContent(bytes: Array(row[2] as Data), interner: &interner, in: database)
                    return AcceptedReport(
                        cluster: try #require(Pseudonym(bytes: Array(row[0] as Data))),
                        receivedAt: UTCInstant(startOf: CalendarMonth(index: row[1]).firstDay),
                        report: try content.report(interner: &interner, in: database)
                    )
                }
            }
            #expect(stored.count > 100)
            for report in stored { #expect(try await store.submit(report) == .knownState) }
        }
    }

    @Test("nothing of the old tables is left")
    func tables() async throws {
        try await withStore { store, _ in
            let tables = try await store.pool.read { database in
                try String.fetchAll(database, sql: "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
            }
            #expect(
                tables == [
                    "change", "cluster", "erased", "grdb_migrations", "item", "meta", "month", "outbox", "series",
                    "sighting", "sqlite_sequence", "total",
                ]
            )
        }
    }
}

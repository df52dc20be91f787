// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import TelemetryModel
import TelemetryTesting
import Testing

@testable import ReportStore

@Suite("The erasure of a cluster")
struct ErasureTests {
    private static let first = CalendarMonth(year: 2025, month: 2)
    private static let months = 14
    private static let canary = "6.6.64-canary77"
    private static let windows = (-1...months + 12).flatMap { month in
        Window.Length.allCases.map { Window($0, endingWith: first + month) }
    }

    /// What one cluster says that no other does, in the first month and in the last.
    private static func own(_ test: TestStore) throws -> [AcceptedReport] {
        try [0, 20, months - 1, months * 30 + 9].enumerated().map { number, distance in
            let instant =
                number % 2 == 0
                ? UTCInstant(startOf: (first + min(distance, months - 1)).firstDay)
                : UTCInstant(startOf: first.firstDay).advanced(bySeconds: Int64(distance) * 86_400)
            let nodes = Report.Sample(Series(.nodesCount, ["linux (Talos (v1.8.4))", canary]), Int64(number) + 3)
            return try test.accepted("victim", Report([nodes]), at: instant)
        }
    }

    /// Whether bytes are in the file or its log.
    private static func isInFiles(_ bytes: [UInt8], of directory: TemporaryDirectory) throws -> Bool {
        try ["telemetry.sqlite", "telemetry.sqlite-wal"].contains { name in
            let path = directory.path + "/" + name
            guard FileManager.default.fileExists(atPath: path) else { return false }
            return try Data(contentsOf: URL(fileURLWithPath: path)).range(of: Data(bytes)) != nil
        }
    }

    /// A store with a history and the cluster that goes.
    private static func filled(seed: UInt64) async throws -> (TestStore, ReportStore, others: [AcceptedReport]) {
        let test = try TestStore()
        let store = try test.open()
        let others = try await test.fill(store, clusters: 12, from: first, months: months, seed: seed)
        for report in try own(test) { _ = try await store.submit(report) }
        return (test, store, others)
    }

    private static func isNowhere(row: Int, in store: ReportStore) async throws -> Bool {
        try await store.pool.read { database in
            let columns = [("cluster", "id"), ("sighting", "cluster"), ("month", "cluster")]
            return try columns.allSatisfy { table, column in
                let sql = "SELECT count(*) FROM \(table) WHERE \(column) = ?"
                return try Int.fetchOne(database, sql: sql, arguments: [row]) == 0
            }
        }
    }

    @Test(
        "leaves nothing in any table or in the files; the totals are those without it",
        arguments: [1, 2] as [UInt64]
    )
    func erasure(seed: UInt64) async throws {
        let (test, store, others) = try await Self.filled(seed: seed)
        let victim = try #require(try Self.own(test).first).cluster
        let row = try #require(try store.clusters.find(victim)).row
        #expect(try Self.isInFiles(victim.bytes, of: test.directory))
        #expect(try Self.isInFiles(Array(Self.canary.utf8), of: test.directory))
        let erasure = try await store.erase(victim)
        #expect(erasure == Erasure(sightings: 4, months: 3, isCountedInFinishedWindows: false))
        #expect(try await Self.isNowhere(row: row, in: store))
        #expect(try !Self.isInFiles(victim.bytes, of: test.directory))
        #expect(try !Self.isInFiles(Array(Self.canary.utf8), of: test.directory))
        let reference = ReferenceFigures(others)
        let totals = try await store.totals(of: Self.windows)
        for window in Self.windows { #expect(totals[window] == reference.totals(of: window), "\(window.label)") }
        for dimension in Dimension.allCases {
            let breakdowns = try await store.breakdowns(by: dimension, in: Self.windows)
            for window in Self.windows {
                #expect(breakdowns[window] == reference.breakdown(by: dimension, in: window), "\(window.label)")
            }
        }
        let days = Self.first.firstDay...(Self.first + Self.months).lastDay
        for totals in try await store.totals(on: days) { #expect(totals == reference.totals(on: totals.day)) }
        #expect(try await store.problems() == [])
        #expect(try await store.erase(victim) == nil)
        try store.close()
    }

    @Test("where somebody reads, what is left in the log goes with the next erasure, also one that finds nothing")
    func logLeft() async throws {
        let (test, store, _) = try await Self.filled(seed: 4)
        let victim = try #require(try Self.own(test).first).cluster
        let reader = try store.pool.makeSnapshot()
        await #expect {
            try await store.erase(victim)
        } throws: { error in
            if case StoreError.logNotEmptied = error { true } else { false }
        }
        #expect(try Self.isInFiles(victim.bytes, of: test.directory))
        try reader.close()
        #expect(try await store.erase(victim) == nil)
        #expect(try !Self.isInFiles(victim.bytes, of: test.directory))
        try store.close()
    }

    @Test("leaves the totals of finished windows, and says that it was counted there")
    func finishedWindows() async throws {
        let (test, store, others) = try await Self.filled(seed: 3)
        let victim = try #require(try Self.own(test).first).cluster
        let cut = Self.first + 6
        _ = try await store.deleteRows(before: cut, threshold: 5)
        let finished = Self.windows.filter { $0.start < cut }
        let before = try await store.totals(of: finished)
        let erasure = try #require(try await store.erase(victim))
        #expect(erasure.isCountedInFinishedWindows)
        #expect(erasure.sightings == 2)
        #expect(try await store.totals(of: finished) == before)
        let open = Self.windows.filter { $0.start >= cut }
        let totals = try await store.totals(of: open)
        let reference = ReferenceFigures(others)
        for window in open { #expect(totals[window] == reference.totals(of: window), "\(window.label)") }
        #expect(try !Self.isInFiles(victim.bytes, of: test.directory))
        #expect(try !Self.isInFiles(Array(Self.canary.utf8), of: test.directory))
        #expect(try await store.problems() == [])
        try store.close()
    }

    @Test("from another process: by the id, with the key of the directory, and only of a stopped backend")
    func maintenance() async throws {
        let (test, store, _) = try await Self.filled(seed: 5)
        let id = try #require(ClusterID("victim"))
        let maintenance = StoreMaintenance(directory: test.directory.path)
        await #expect(throws: StoreError.inUse(directory: test.directory.path, owner: "\(getpid())")) {
            try await maintenance.erase(id)
        }
        try store.close()
        let clusters = try await maintenance.statistics().clusters
        #expect(try await maintenance.erase(id)?.sightings == 4)
        #expect(try await maintenance.erase(id) == nil)
        #expect(try await maintenance.statistics().clusters == clusters - 1)
        #expect(try await maintenance.check { _ in }.problems == [])
        try FileManager.default.removeItem(atPath: maintenance.keyPath)
        await #expect(throws: StoreError.self) { try await maintenance.erase(id) }
    }
}

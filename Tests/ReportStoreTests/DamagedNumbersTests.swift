// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import TelemetryModel
import TelemetryTesting
import Testing

@testable import ReportStore

/// Everything in a row that is out of bounds, one value at a time: nothing of it may end the process.
@Suite("Rows that hold what they cannot")
struct DamagedNumbersTests {
    private static let month = CalendarMonth(year: 2026, month: 2)
    private static let clusters = ["a", "b", "c", "d"]

    /// What stands in a column, as SQL.
    private static let values = [
        "-1", "0", "9223372036854775807", "-9223372036854775808", "4294967296", "'text'", "NULL", "zeroblob(17)",
    ]

    /// Damage that makes no difference to anything: the numbers of rows that nothing refers to, and an order that goes on
    /// further up.
    private static let harmless: Set<String> = ["change.id", "meta.value ordinal 4294967296", "meta.value clock 0"]

    /// A store of some clusters and two months, with changes that are added up and some that are not, whose tables take
    /// anything: as if the file were too large to be looked through when it is opened.
    private static func healthy() async throws -> TestStore {
        let test = try TestStore()
        let store = try test.open()
        for (number, cluster) in clusters.enumerated() {
            for day in 0..<3 {
                let instant = UTCInstant(startOf: (month - number % 2).firstDay)
                let report = TestStore.report(nodes: Int64(number + day + 2))
                let accepted = try test.accepted(cluster, report, at: instant.advanced(bySeconds: Int64(day) * 90_000))
                _ = try await store.submit(accepted)
            }
            if cluster == "c" {
                try await store.write { [store] database in
                    try store.queue.transaction(in: database) { writer in
                        try TotalsTable.append(TotalChanges(), &writer.memory, in: database, addingUp: true)
                    }
                }
            }
        }
        try await store.believe(UTCInstant(startOf: month.lastDay))
        try await store.write { database in
            _ = try database.checkpoint(.truncate)
            try loosen(database)
        }
        try store.pool.close()
        return test
    }

    /// Takes the rules out of the schema that SQLite would hold the rows against.
    private static func loosen(_ database: Database) throws {
        try database.execute(sql: "PRAGMA writable_schema = ON")
        for row in try Row.fetchAll(database, sql: "SELECT name, sql FROM sqlite_schema WHERE type = 'table'") {
            var sql: String = row[1]
            sql.replace(/CHECK \(.*\)/, with: "")
            for (rule, nothing) in [("STRICT, WITHOUT", "WITHOUT"), (") STRICT", ")"), (" NOT NULL", "")] {
                sql = sql.replacingOccurrences(of: rule, with: nothing)
            }
            try database.execute(
                sql: "UPDATE sqlite_schema SET sql = ? WHERE name = ?",
                arguments: [sql, row[0] as String]
            )
        }
        try database.execute(sql: "PRAGMA writable_schema = RESET")
    }

    /// A value in a column of the first row of a table.
    private struct Damage: CustomStringConvertible {
        let table: String
        let column: String
        let value: String
        /// Which row, as SQL.
        let row: String

        var description: String {
            "\(table).\(column) \(row.hasPrefix("name") ? row.dropFirst(8).dropLast() + " " : "")\(value)"
        }

        /// Whether nothing has to find it.
        var isHarmless: Bool { harmless.contains(description) || harmless.contains("\(table).\(column)") }

        /// Does it; false where it cannot be or changes nothing.
        func isDone(in database: Database) -> Bool {
            let sql = "UPDATE \(table) SET \(column) = \(value) WHERE \(row) AND \(column) IS NOT \(value)"
            guard (try? database.execute(sql: sql)) != nil else { return false }
            return database.changesCount > 0
        }
    }

    /// Every value in every column.
    private static func damages(of table: String, in database: Database) throws -> [Damage] {
        let columns = try Row.fetchAll(database, sql: "SELECT name, pk FROM pragma_table_info(?)", arguments: [table])
        let keys = columns.filter { $0[1] as Int > 0 }.map { $0[0] as String }.joined(separator: ", ")
        let rows =
            table == "meta"
            ? try String.fetchAll(database, sql: "SELECT name FROM meta").map { "name = '\($0)'" }
            : ["(\(keys)) = (SELECT \(keys) FROM \(table) ORDER BY \(keys) LIMIT 1)"]
        return columns.flatMap { column in
            rows.flatMap { row in
                values.map { Damage(table: table, column: column[0], value: $0, row: row) }
            }
        }
    }

    @Test(
        "end no process and are told of, and the other clusters go on",
        arguments: ["cluster", "series", "item", "sighting", "month", "total", "change", "meta"]
    )
    func survives(table: String) async throws {
        let whole = try await Self.healthy()
        let damages = try await DatabaseQueue(path: whole.directory.path + "/" + ReportStore.fileName).read {
            let tables = try String.fetchAll($0, sql: "SELECT name FROM sqlite_schema WHERE type = 'table'")
            // What waits to be sent on is in tables of its own, and of no figure.
            let others = ["grdb_migrations", "sqlite_sequence", "outbox", "erased"]
            #expect(Set(tables).subtracting(others).count == 8)
            return try Self.damages(of: table, in: $0)
        }
        var done = 0
        // A part of them, and another for the next column; a soak takes all.
        let isSoak = ProcessInfo.processInfo.environment["SOAK_SECONDS"] != nil
        for (number, damage) in damages.enumerated() where isSoak || number % 3 == 0 {
            let directory = try TemporaryDirectory()
            let path = directory.path + "/" + ReportStore.fileName
            try FileManager.default.copyItem(
                atPath: whole.directory.path + "/" + ReportStore.fileName,
                toPath: path
            )
            let isDone = try await DatabaseQueue(path: path).writeWithoutTransaction(damage.isDone)
            guard isDone else { continue }
            done += 1
            let problems = try await problems(in: directory.path)
            #expect(damage.isHarmless || !problems.isEmpty, "\(damage)")
            try await live(in: directory.path, of: whole, damage)
        }
        #expect(done > damages.count / (isSoak ? 3 : 9))
    }

    /// What a check finds.
    private func problems(in directory: String) async throws -> [String] {
        do throws(StoreError) {
            return try await StoreMaintenance(directory: directory).check { _ in }.problems
        } catch {
            return ["\(error)"]
        }
    }

    /// Does everything that a backend does with a store; only what the store itself says may go wrong.
    private func live(in directory: String, of test: TestStore, _ damage: Damage) async throws {
        let store: ReportStore
        do {
            store = try test.open(directory)
        } catch let error as StoreError {
            guard damage.table == "meta" else { throw error }
            return
        }
        let windows = Window.containing(Self.month) + Window.containing(Self.month + 1)
        let days = (Self.month - 1).firstDay...Self.month.lastDay
        func attempt(_ what: () async throws -> Void) async throws {
            do { try await what() } catch is StoreError { return }
        }
        func read() async throws {
            try await attempt { _ = try await store.totals(of: windows) }
            try await attempt { _ = try await store.totals(on: days) }
            try await attempt { _ = try await store.breakdowns(by: .kernel, in: windows) }
            try await attempt { _ = try await store.breakdowns(by: .operatingSystem, on: days) }
            try await attempt { _ = try await store.statistics() }
            try await attempt { _ = try await store.rowMonths() }
            try await attempt { _ = try await store.problems() }
        }
        var taken: Set<String> = []
        for later in [Int64(100_000), 3_000_000] {
            for cluster in Self.clusters + ["new", "newer"] {
                try await attempt {
                    let instant = UTCInstant(startOf: Self.month.firstDay).advanced(bySeconds: later)
                    _ = try await store.submit(test.accepted(cluster, TestStore.report(nodes: later + 9), at: instant))
                    taken.insert(cluster)
                }
            }
        }
        // What the reports of many clusters have in them is theirs too.
        let isShared = ["series", "item"].contains(damage.table)
        #expect(isShared || taken.count >= Self.clusters.count + 1, "\(damage): \(taken)")
        try await store.ping()
        try await read()
        try await attempt {
            let id = try #require(ClusterID("b"))
            _ = try await store.erase(test.pseudonymizer.pseudonym(of: id))
        }
        let retention = try await store.deleteRows(before: Self.month, threshold: 2)
        #expect(retention.damagedClusters <= (isShared ? Self.clusters.count : 1), "\(damage)")
        for cluster in Self.clusters {
            try await attempt {
                let id = try #require(ClusterID(cluster))
                _ = try await store.erase(test.pseudonymizer.pseudonym(of: id))
            }
        }
        try store.close()
    }
}

// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import TelemetryModel

/// The totals as they are stored: the rows of `total`, and those of `change` that have not been added to them yet.
///
/// A transaction appends its changes as one row, which costs the same whatever they touch; now and then the rows are added
/// up. Readers add them up as they read.
enum TotalsTable {
    /// The most rows of `change`, and the most bytes in them.
    private static let largestPending = (rows: 128, bytes: 1 << 20)

    /// Appends changes, and adds up what has come together.
    ///
    /// - Parameters:
    ///   - changes: The changes of a transaction.
    ///   - memory: What the writer knows.
    ///   - database: The writing connection, in a transaction.
    ///   - now: Whether to add up in any case.
    /// - Throws: `StoreError.damaged`, or what SQLite says.
    static func append(
        _ changes: TotalChanges,
        _ memory: inout WriterMemory,
        in database: Database,
        addingUp now: Bool = false
    ) throws {
        let bytes = changes.bytes
        var pending = try memory.pending ?? count(in: database)
        if !bytes.isEmpty {
            try database.run("INSERT INTO change (changes) VALUES (?)", [.bytes(bytes)])
            pending = (pending.rows + 1, pending.bytes + bytes.count)
        }
        if now || pending.rows >= largestPending.rows || pending.bytes >= largestPending.bytes {
            try addUp(&memory, in: database)
            pending = (0, 0)
        }
        memory.pending = pending
    }

    /// The changes that have not been added up.
    ///
    /// - Throws: `StoreError.damaged`.
    static func pending(in database: Database) throws -> TotalChanges {
        try sum(of: rows(in: database))
    }

    /// The changes that have not been added up, without those rows that cannot be read.
    static func readablePending(
        in database: Database
    ) throws -> (changes: TotalChanges, damagedRows: [Int]) {
        let rows = try rows(in: database)
        if let changes = try? sum(of: rows) { return (changes, []) }
        // A row that is not readable to its end has added a part of it: each is tried alone, and those are left out.
        let readable = rows.filter { (try? sum(of: [$0])) != nil }
        let kept = Set(readable.map(\.id))
        return (try sum(of: readable), rows.map(\.id).filter { !kept.contains($0) })
    }

    /// The rows, each with its bytes; nil where it has none.
    private static func rows(in database: Database) throws -> [(id: Int, changes: [UInt8]?)] {
        try Row.fetchAll(database, sql: "SELECT id, changes FROM change").map { row in
            (try row.number(0, of: "change"), try? row.bytes(1, of: "change"))
        }
    }

    private static func sum(of rows: [(id: Int, changes: [UInt8]?)]) throws(StoreError) -> TotalChanges {
        var changes = TotalChanges()
        for row in rows {
            guard let bytes = row.changes, changes.append(bytes) else {
                throw StoreError.damaged("a row of changes is not readable")
            }
        }
        return changes
    }

    /// The totals of a period, by item, of items whose kinds are in a range.
    ///
    /// - Throws: `StoreError.damaged` for a row that cannot be read, unless those are skipped.
    static func totals(
        of period: Period,
        kinds: ClosedRange<Int>,
        pending: [TotalChanges.Key: Total],
        skippingDamaged: Bool = false,
        in database: Database
    ) throws -> [Item: Total] {
        let (length, end) = period.stored
        let statement = try database.cachedStatement(
            sql: """
                SELECT total.kind, name, clusters, all_clusters, established, last
                FROM total JOIN item ON item.id = item
                WHERE length = ? AND end = ? AND total.kind BETWEEN ? AND ?
                """
        )
        var totals: [Item: Total] = [:]
        let arguments: StatementArguments = [length, end, kinds.lowerBound, kinds.upperBound]
        let rows = try Row.fetchCursor(statement, arguments: arguments)
        while let row = try rows.next() {
            do throws(StoreError) {
                let (kind, name) = (try row.number(0, of: "total"), try row.text(1, of: "item"))
                if let item = Item(storedKind: kind, name: name) { totals[item] = try Total(row, from: 2) }
            } catch {
                guard skippingDamaged else { throw error }
            }
        }
        var interner = Interner()
        for (key, change) in pending where key.period == period {
            let item = try interner.item(key.item, in: database)
            guard kinds.contains(item.stored.kind) else { continue }
            totals[item, default: Total()] += change
        }
        return totals.filter { $0.value.clusters != 0 || $0.value.last != 0 }
    }

    private static func count(in database: Database) throws -> (rows: Int, bytes: Int) {
        let row = try Row.fetchOne(database, sql: "SELECT count(*), total(length(changes)) FROM change")
        return (row?[0] ?? 0, Int((row?[1] ?? 0.0) as Double))
    }

    /// Adds the pending changes to `total` and `series`, and drops them.
    ///
    /// Rows that cannot be read stay as they are and are counted, so that a damaged one does not keep reports from being
    /// taken; `store check` and who reads the totals find them.
    private static func addUp(_ memory: inout WriterMemory, in database: Database) throws {
        let (changes, damagedRows) = try readablePending(in: database)
        memory.damagedRows += damagedRows.count
        var rows: [(key: TotalChanges.Key, kind: Int, change: Total)] = []
        for (key, change) in changes.totals {
            let item = try unlessDamaged(&memory) { try $0.item(key.item, in: database) }
            if let item { rows.append((key, item.stored.kind, change)) }
        }
        // In the order of the table, so that neighbours are written together.
        rows.sort { left, right in
            (left.key.period.stored.length, left.key.period.stored.end, left.kind, left.key.item)
                < (right.key.period.stored.length, right.key.period.stored.end, right.kind, right.key.item)
        }
        for row in rows {
            try unlessDamaged(&memory) { _ in try add(row.change, to: row.key, kind: row.kind, in: database) }
        }
        // Within these bounds the sum is a number in SQL too, whatever stands there.
        let uses = try database.cachedStatement(
            sql: "UPDATE series SET uses = min(max(uses, -1 << 61), 1 << 61) + ? WHERE id = ?"
        )
        for (series, count) in changes.seriesUses.sorted(by: { $0.key < $1.key }) {
            try uses.execute(arguments: [count, series])
        }
        let kept = damagedRows.map(String.init).joined(separator: ",")
        try database.execute(sql: "DELETE FROM change WHERE id NOT IN (\(kept))")
    }

    /// What a body gives; nil where that is damaged, which is counted.
    @discardableResult
    private static func unlessDamaged<Value>(
        _ memory: inout WriterMemory,
        _ body: (inout Interner) throws -> Value
    ) throws -> Value? {
        do {
            return try body(&memory.interner)
        } catch StoreError.damaged {
            memory.damagedRows += 1
            return nil
        }
    }

    /// Adds to one total.
    ///
    /// It is added here and not in SQL, where a sum beyond 64 bits becomes a float.
    static func add(
        _ change: Total,
        to key: TotalChanges.Key,
        kind: Int,
        in database: Database
    ) throws {
        let (length, end) = key.period.stored
        let position: [any DatabaseValueConvertible] = [length, end, kind, key.item]
        let read = try database.cachedStatement(
            sql: """
                SELECT clusters, all_clusters, established, last FROM total
                WHERE length = ? AND end = ? AND kind = ? AND item = ?
                """
        )
        let known = try Row.fetchOne(read, arguments: StatementArguments(position)).map { try Total($0, from: 0) }
        var total = known ?? Total()
        total += change
        if total.clusters == 0, total.last == 0 {
            try database.cachedStatement(
                sql: "DELETE FROM total WHERE length = ? AND end = ? AND kind = ? AND item = ?"
            ).execute(arguments: StatementArguments(position))
            return
        }
        let write = try database.cachedStatement(
            sql: """
                INSERT INTO total (length, end, kind, item, clusters, all_clusters, established, last)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (length, end, kind, item) DO UPDATE SET clusters = excluded.clusters,
                all_clusters = excluded.all_clusters, established = excluded.established, last = excluded.last
                """
        )
        let sums: [(any DatabaseValueConvertible)?] = [
            total.clusters, stored(total.all), stored(total.established), total.last,
        ]
        try write.execute(arguments: StatementArguments(position + sums))
    }

    /// A sum as a number where it fits, else as a decimal text.
    private static func stored(_ sum: Int128) -> any DatabaseValueConvertible {
        Int64(exactly: sum).map { $0 as any DatabaseValueConvertible } ?? "\(sum)"
    }
}

extension Total {
    /// Reads four columns of a row.
    ///
    /// - Throws: `StoreError.damaged`.
    init(_ row: Row, from column: Int) throws(StoreError) {
        func sum(_ column: Int) throws(StoreError) -> Int128 {
            let number: Int128? =
                switch (row[column] as DatabaseValue).storage {
                case .int64(let number): Int128(number)
                case .string(let text): Int128(text)
                default: nil
                }
            guard let number, StoredNumbers.sums.contains(number) else { throw row.damage(column, "total") }
            return number
        }
        self.init(
            clusters: Int64(try row.number(column, in: StoredNumbers.counts, of: "total")),
            all: try sum(column + 1),
            established: try sum(column + 2),
            last: Int64(try row.number(column + 3, in: StoredNumbers.counts, of: "total"))
        )
    }
}

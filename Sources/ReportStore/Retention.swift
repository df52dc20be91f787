// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
public import TelemetryModel

/// What a retention run did.
public struct RetentionOutcome: Equatable, Sendable {
    /// Rows of reports that were deleted.
    public var sightings = 0
    /// Clusters that nothing is left of.
    public var clusters = 0
    /// Clusters whose rows cannot be read and were left; `store check` says why.
    public var damagedClusters = 0
}

/// The months that a store has rows of, as a retention run has to know them.
public struct RowMonths: Equatable, Sendable {
    /// The first month whose rows are all there; nil where nothing was deleted yet.
    public var completeFrom: CalendarMonth?
    /// The first month with reports from then on; nil where there is none.
    public var first: CalendarMonth?

    /// The months of a store.
    public init(completeFrom: CalendarMonth?, first: CalendarMonth?) {
        (self.completeFrom, self.first) = (completeFrom, first)
    }

    /// Reads them from the totals, which takes no time on any store.
    fileprivate init(_ database: Database) throws {
        let from = CalendarMonth(index: try Meta.number(Meta.followedFrom, in: database))
        let stored = try Int.fetchOne(
            database,
            sql: "SELECT end FROM total WHERE length = 1 AND end BETWEEN ? AND ? ORDER BY end LIMIT 1",
            arguments: [from.index, StoredNumbers.months.upperBound]
        )
        let pending = try TotalsTable.readablePending(in: database).changes.totals.keys.compactMap {
            key -> CalendarMonth? in
            guard case .window(let window) = key.period, window.length == .month, window.end >= from else { return nil }
            return window.end
        }
        completeFrom = from.index == 0 ? nil : from
        first = (pending + [stored.map(CalendarMonth.init(index:))].compactMap { $0 }).min()
    }
}

extension ReportStore {
    /// The months that the store has rows of.
    ///
    /// - Throws: `StoreError.unavailable`.
    public func rowMonths() async throws -> RowMonths {
        do {
            return try await pool.read(RowMonths.init)
        } catch {
            throw StoreError(error)
        }
    }

    /// How many months of rows a store keeps at least: a window of a year has ended for a month before its rows go.
    public static let shortestRetention = 13

    /// So many clusters are looked at in one transaction.
    private static let batch = 2_000

    /// Deletes the rows of months before one.
    ///
    /// A store without figures only forgets rows. Else clusters that no rows are left of are to be erased where reports were sent
    /// on to, but for those that another backend has sent later reports of.
    ///
    /// First the totals of all windows and days that hold such a month are finished: they no longer change, and names that
    /// few clusters have are folded in them. Then the rows go, in transactions that reports are committed between.
    ///
    /// - Parameters:
    ///   - month: The first month that is kept.
    ///   - threshold: *k*: names that fewer clusters have are folded.
    /// - Returns: What was deleted.
    /// - Throws: `StoreError.unavailable` or `StoreError.logNotEmptied`, or `CancellationError` between two transactions
    ///   where the task is cancelled; what is left is done by the next run.
    public func deleteRows(before month: CalendarMonth, threshold: Int) async throws -> RetentionOutcome {
        try await write { [self] database in
            try queue.transaction(in: database) { try $0.finishTotals(before: month, threshold: threshold) }
            queue.forget()
        }
        var outcome = RetentionOutcome()
        var first: Int? = .min
        while let from = first {
            try Task.checkCancellation()
            let done = try await write { [self] database in
                let batch = try queue.transaction(in: database) {
                    try $0.deleteRows(before: month, clustersFrom: from, count: Self.batch)
                }
                clusters.remove(batch.gone)
                return batch
            }
            outcome.sightings += done.sightings
            outcome.clusters += done.gone.count
            outcome.damagedClusters += done.damaged
            first = done.next
        }
        // Also where nothing was left to delete: a run that was cut off may have ended before this.
        try await write { [self] database in
            try queue.transaction(in: database) { writer in
                try TotalsTable.append(writer.changes, &writer.memory, in: writer.database, addingUp: true)
                try writer.removeUnused()
            }
            queue.forget()
            try emptyLog(database)
        }
        return outcome
    }
}

extension ReportWriter {
    /// What a batch of clusters lost.
    struct DeletedRows: Sendable {
        var sightings = 0
        /// The clusters that nothing is left of.
        var gone: [Int] = []
        /// How many clusters have rows that cannot be read.
        var damaged = 0
        /// The cluster that the next batch begins with; nil where this was the last.
        var next: Int?
    }

    /// Finishes the totals of all periods that begin before a month.
    mutating func finishTotals(before month: CalendarMonth, threshold: Int) throws {
        guard month > followedFrom else { return }
        try TotalsTable.append(changes, &memory, in: database, addingUp: true)
        let rows = try Row.fetchAll(database, sql: "SELECT DISTINCT length, end FROM total")
        for row in rows {
            guard let period = try? Period(row, from: 0), period.start < month, period.start >= followedFrom else {
                continue
            }
            try FinishedTotals.fold(period, threshold: threshold, &memory.interner, in: database)
        }
        try Meta.set(Meta.followedFrom, to: month.index, in: database)
    }

    /// Deletes the rows of months before one, of a number of clusters.
    mutating func deleteRows(
        before month: CalendarMonth,
        clustersFrom first: Int,
        count: Int
    ) throws -> DeletedRows {
        var deleted = DeletedRows()
        let clusters = try Int.fetchAll(
            database,
            sql: "SELECT id FROM cluster WHERE id >= ? ORDER BY id LIMIT ?",
            arguments: [first, count]
        )
        deleted.next = clusters.count < count ? nil : clusters.last.flatMap { $0 == .max ? nil : $0 + 1 }
        for row in clusters {
            do {
                guard StoredNumbers.clusters.contains(row) else { throw StoreError.damaged("cluster.id") }
                deleted.sightings += try deleteRows(of: row, before: month)
            } catch StoreError.damaged {
                deleted.damaged += 1
                continue
            }
            let isLeft = try database.cachedStatement(sql: "SELECT 1 FROM sighting WHERE cluster = ? LIMIT 1")
            if try Row.fetchOne(isLeft, arguments: [row]) == nil { deleted.gone.append(row) }
        }
        let delete = try database.cachedStatement(sql: "DELETE FROM cluster WHERE id = ?")
        let pseudonym = try database.cachedStatement(sql: "SELECT pseudonym FROM cluster WHERE id = ?")
        for row in deleted.gone {
            // A store without figures forgets clusters that are not old.
            if !isForwardOnly, let bytes = try Row.fetchOne(pseudonym, arguments: [row])?.bytes(0, of: "cluster") {
                try eraseForwarded(bytes, unlessSince: UTCInstant(startOf: month.firstDay))
            }
            try delete.execute(arguments: [row])
        }
        return deleted
    }

    private mutating func deleteRows(of row: Int, before month: CalendarMonth) throws -> Int {
        let read = try database.cachedStatement(sql: "SELECT content FROM sighting WHERE cluster = ? AND month < ?")
        let contents = try Data.fetchAll(read, arguments: [row, month.index])
        guard !contents.isEmpty else { return 0 }
        // All are read before anything is changed.
        let reports = try contents.map { bytes in
            try ReportContent(bytes: Array(bytes), interner: &memory.interner, in: database)
        }
        for report in reports { changes.use(report.series, by: -1) }
        for table in ["sighting", "month"] {
            try database.cachedStatement(sql: "DELETE FROM \(table) WHERE cluster = ? AND month < ?")
                .execute(arguments: [row, month.index])
        }
        try forgetForwarded(of: row, before: month)
        return contents.count
    }
}

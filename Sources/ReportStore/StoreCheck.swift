// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import TelemetryModel

/// What a check of a store found.
public struct StoreCheck: Codable, Equatable, Sendable {
    /// Clusters that were looked at.
    public var clusters = 0
    /// Rows of reports that were looked at.
    public var sightings = 0
    /// Totals that were compared with the rows.
    public var totals = 0
    /// What is wrong, in words without data; at most twenty.
    public var problems: [String] = []

    /// How far a check is.
    public enum Progress: Sendable {
        /// SQLite looks at the pages of the file.
        case pages
        /// So many of so many clusters were looked at.
        case clusters(Int, of: Int)
    }

    /// Compares everything that is derived with the rows that it is derived from.
    ///
    /// - Throws: What SQLite says, where the file cannot even be read.
    init(_ database: Database, progress: (Progress) -> Void) throws {
        progress(.pages)
        for text in try String.fetchAll(database, sql: "PRAGMA integrity_check(20)") where text != "ok" {
            note("SQLite: \(text)")
        }
        guard problems.isEmpty else { return }
        do {
            try checkRows(database, progress)
        } catch let error as StoreError {
            note("\(error)")
        }
    }

    private mutating func note(_ problem: String) {
        if problems.count < 20 { problems.append(problem) }
    }

    private mutating func checkRows(_ database: Database, _ progress: (Progress) -> Void) throws {
        var interner = Interner(isReadOnly: true)
        let followedFrom = CalendarMonth(index: try Meta.number(Meta.followedFrom, in: database))
        _ = try Meta.number(Meta.clock, in: database)
        let highest = Int64(try Meta.number(Meta.ordinal, in: database))
        var changes = TotalChanges()
        var pseudonyms: Set<Pseudonym> = []
        let count = try Int.fetchOne(database, sql: "SELECT count(*) FROM cluster") ?? 0
        let rows = try Row.fetchCursor(
            database,
            sql: "SELECT id, pseudonym, first_day, second_day FROM cluster ORDER BY id"
        )
        while let row = try rows.next() {
            if clusters % 10_000 == 0 { progress(.clusters(clusters, of: count)) }
            clusters += 1
            do {
                guard let pseudonym = Pseudonym(bytes: try row.bytes(1, of: "cluster")) else {
                    throw row.damage(1, "cluster")
                }
                if pseudonyms.insert(pseudonym).inserted {
                    try checkCluster(row, followedFrom, highest, &changes, &interner, database)
                } else {
                    note("two clusters have the same pseudonym")
                }
            } catch let error as StoreError {
                note("\(error)")
            }
            interner.trim()
        }
        progress(.clusters(clusters, of: count))
        try checkTotals(changes, followedFrom, &interner, database)
        let facts = Set(
            try String.fetchAll(database, sql: "SELECT CAST(name AS TEXT) FROM meta WHERE name IS NOT NULL")
        )
        if !facts.isSubset(of: Meta.names) { note("meta.name holds what it cannot") }
        if try Meta.keyCheck(in: database)?.count != Meta.keyCheckLength {
            note("the check value of the key is missing")
        }
        try checkStrangers(database)
    }

    /// Compares a cluster's months and days with its reports, and adds those to the changes.
    private mutating func checkCluster(
        _ row: Row,
        _ followedFrom: CalendarMonth,
        _ highest: Int64,
        _ changes: inout TotalChanges,
        _ interner: inout Interner,
        _ database: Database
    ) throws {
        let id = try row.number(0, in: StoredNumbers.clusters, of: "cluster")
        let history = try ClusterHistory(of: id, &interner, in: database)
        sightings += history.reports.count
        let days = try ClusterDays(row, from: 2)
        let scope = ClusterMonths.Scope(followedFrom: followedFrom, establishedSince: days.second)
        let months = try history.add(to: &changes, scope: scope) { try interner.metric(of: $0, in: database) }
        let stored = try StoredMonths.fetch(id, in: database)
        // A store without figures has none.
        if followedFrom.index == Meta.never ? !stored.isEmpty : months != stored {
            note("the months of a cluster are not what its reports come to")
        }
        if !history.agrees(first: days.first, second: days.second, allFrom: followedFrom) {
            note("the days of a cluster are not when its reports were seen")
        }
        if history.reports.contains(where: { $0.content.digest != $0.digest }) {
            note("a report is not what its digest says")
        }
        if history.reports.contains(where: { $0.ordinal > highest }) {
            note("a report was accepted after the last one")
        }
    }

    /// Compares the totals of all periods that rest on rows.
    private mutating func checkTotals(
        _ changes: TotalChanges,
        _ followedFrom: CalendarMonth,
        _ interner: inout Interner,
        _ database: Database
    ) throws {
        let (pending, damagedRows) = try TotalsTable.readablePending(in: database)
        if !damagedRows.isEmpty { note("row of changes not readable: \(damagedRows.count)") }
        var expected = changes.totals
        for (key, change) in pending.totals { expected[key, default: Total()] += -change }
        let rows = try Row.fetchCursor(
            database,
            sql: "SELECT clusters, all_clusters, established, last, length, end, item FROM total"
        )
        while let row = try rows.next() {
            do throws(StoreError) {
                let (period, total) = (try Period(row, from: 4), try Total(row, from: 0))
                guard period.start >= followedFrom else { continue }
                totals += 1
                let key = TotalChanges.Key(period: period, item: try row.number(6, of: "total"))
                expected[key, default: Total()] += -total
            } catch {
                note("\(error)")
            }
        }
        let wrong = expected.values.filter { !$0.isNothing }.count
        if wrong > 0 { note("\(wrong) totals are not what the reports come to") }
        var uses = changes.seriesUses
        for (series, count) in pending.seriesUses { uses[series, default: 0] &-= count }
        for row in try Row.fetchAll(database, sql: "SELECT id, uses FROM series") {
            uses[try row.number(0, of: "series"), default: 0] &-= Int64(try row.number(1, of: "series"))
        }
        let miscounted = uses.values.filter { $0 != 0 }.count
        if miscounted > 0 { note("\(miscounted) series are not used as often as they say") }
    }

    /// Looks for rows of clusters that are not there, and of items that are not what they say.
    private mutating func checkStrangers(_ database: Database) throws {
        let mistaken = try Int.fetchOne(
            database,
            sql: "SELECT count(*) FROM total LEFT JOIN item ON item.id = item WHERE item.kind IS NOT total.kind"
        )
        if let mistaken, mistaken > 0 { note("\(mistaken) totals are of items that are not there") }
        let lost = try Int.fetchOne(
            database,
            sql: """
                SELECT count(*) FROM outbox LEFT JOIN sighting USING (cluster, month, digest)
                WHERE sighting.content IS NULL
                """
        )
        if let lost, lost > 0 { note("\(lost) reports that wait to be sent on are not there") }
        for table in ["sighting", "month"] {
            let sql = "SELECT count(DISTINCT cluster) FROM \(table) WHERE cluster NOT IN (SELECT id FROM cluster)"
            let count = try Int.fetchOne(database, sql: sql) ?? 0
            if count > 0 { note("\(table) has rows of \(count) clusters that are not there") }
        }
    }
}

extension ClusterHistory {
    /// Whether the reports were seen first on these days.
    ///
    /// Of days before the month that all rows are there from, the rows do not say which was the first.
    fileprivate func agrees(first: UTCDay, second: UTCDay?, allFrom month: CalendarMonth) -> Bool {
        let days = self.days
        let later = days.filter { $0 > first }.min()
        if first.month >= month { return days.min() == first && later == second }
        guard let second else { return later == nil }
        if second.month >= month { return later == second }
        return later.map { second <= $0 } ?? true
    }

    /// The days that reports were seen on.
    private var days: Set<UTCDay> {
        var days: Set<UTCDay> = []
        for report in reports {
            let first = report.month.firstDay.daysSinceEpoch
            for day in 0..<31 where report.days >> day & 1 == 1 { days.insert(UTCDay(daysSinceEpoch: first + day)) }
        }
        return days
    }
}

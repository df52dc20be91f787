// SPDX-License-Identifier: Apache-2.0

import GRDB
public import TelemetryModel

/// What the store has of one cluster in one month.
public struct ClusterRow: Equatable, Sendable {
    /// What it is called here.
    public let pseudonym: Pseudonym
    /// The first day that it was ever seen on.
    public let firstDay: UTCDay
    /// The second one, from which on it is established; nil where there is none yet.
    public let establishedSince: UTCDay?
    /// On how many days of the month it was seen.
    public let days: Int
    /// How many distinct reports it sent in the month.
    public let reports: Int
    /// The peak of each figure in the month.
    public let peaks: [Figure: Int64]
    /// The values of each dimension in the last report that speaks of it, ordered.
    public let values: [Dimension: [String]]
}

/// A part of the rows of a month.
public struct ClusterPage: Equatable, Sendable {
    /// The rows.
    public var rows: [ClusterRow] = []
    /// How many clusters of this part cannot be read.
    public var damagedClusters = 0
    /// Where the next part begins; nil where this is the last.
    public var next: Int?
}

extension ReportStore {
    /// A part of the clusters that were seen in a month, in an order that stays.
    ///
    /// A part is read from one state of the store. A cluster that is first seen between two parts may be in none of them.
    ///
    /// - Parameters:
    ///   - month: The month, whose rows are still there.
    ///   - position: `next` of the part before; 0 for the first.
    ///   - limit: So many clusters at the most.
    /// - Returns: The rows, and where the next part begins.
    /// - Throws: `StoreError.unavailable`.
    public func clusters(in month: CalendarMonth, after position: Int, limit: Int) async throws -> ClusterPage {
        do {
            return try await pool.read { database in
                var page = ClusterPage()
                var interner = Interner(isReadOnly: true)
                let rows = try Row.fetchAll(
                    database,
                    sql: """
                        SELECT id, pseudonym, first_day, second_day FROM cluster
                        WHERE id > ? AND EXISTS (SELECT 1 FROM sighting WHERE cluster = cluster.id AND month = ?)
                        ORDER BY id LIMIT ?
                        """,
                    arguments: [position, month.index, limit + 1]
                )
                for row in rows.prefix(limit) {
                    do {
                        page.rows.append(try ClusterRow(row, month, &interner, in: database))
                    } catch StoreError.damaged {
                        page.damagedClusters += 1
                    }
                }
                if rows.count > limit, limit > 0 { page.next = rows[limit - 1][0] }
                return page
            }
        } catch {
            throw StoreError(error)
        }
    }
}

extension ClusterRow {
    /// Reads what there is of a row of the table of clusters in a month.
    fileprivate init(
        _ row: Row,
        _ month: CalendarMonth,
        _ interner: inout Interner,
        in database: Database
    ) throws {
        let id = try row.number(0, in: StoredNumbers.clusters, of: "cluster")
        guard let pseudonym = Pseudonym(bytes: try row.bytes(1, of: "cluster")) else { throw row.damage(1, "cluster") }
        let days = try ClusterDays(row, from: 2)
        let statement = try database.cachedStatement(
            sql: "SELECT days, content FROM sighting WHERE cluster = ? AND month = ? ORDER BY ordinal"
        )
        var (seen, reports): (Int, [Report]) = (0, [])
        for sighting in try Row.fetchAll(statement, arguments: [id, month.index]) {
            seen |= try sighting.number(0, in: StoredNumbers.daySets, of: "sighting")
            let bytes = try sighting.bytes(1, of: "sighting")
            let content = try ReportContent(bytes: bytes, interner: &interner, in: database)
            reports.append(try content.report(interner: &interner, in: database))
        }
        var peaks: [Figure: Int64] = [:]
        for report in reports { peaks.merge(report.figures) { max($0, $1) } }
        var values: [Dimension: [String]] = [:]
        for dimension in Dimension.allCases {
            guard let last = dimension.lastReport(among: reports) else { continue }
            let found = Set(dimension.values(in: last)).sorted()
            if !found.isEmpty { values[dimension] = found }
        }
        self.init(
            pseudonym: pseudonym,
            firstDay: days.first,
            establishedSince: days.second,
            days: seen.nonzeroBitCount,
            reports: reports.count,
            peaks: peaks,
            values: values
        )
    }
}

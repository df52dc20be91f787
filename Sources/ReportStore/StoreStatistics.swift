// SPDX-License-Identifier: Apache-2.0

import GRDB
import TelemetryModel

/// Numbers about a store.
public struct StoreStatistics: Codable, Equatable, Sendable {
    /// Clusters that it has rows of.
    public var clusters: Int
    /// Distinct reports, summed over clusters.
    public var distinctReports: Int
    /// Rows of reports seen in a month.
    public var sightings: Int
    /// Distinct series, values of labels that reports use.
    public var series: Int
    /// Rows of totals.
    public var totals: Int
    /// The first month that it has rows of, `2026-03`; nil where it has none.
    public var firstMonth: String?
    /// The last month that it has rows of; nil where it has none.
    public var lastMonth: String?
    /// The first month whose rows are all there, nil where nothing was deleted.
    ///
    /// Totals of windows that begin before are finished.
    public var rowsSince: String?
    /// Bytes of the file, without what waits in the write-ahead log.
    public var bytes: Int
    /// The version of the schema.
    public var schema: String

    private enum CodingKeys: String, CodingKey {
        case clusters, sightings, series, totals, bytes, schema
        case distinctReports = "distinct_reports"
        case firstMonth = "first_month"
        case lastMonth = "last_month"
        case rowsSince = "rows_since"
    }

    /// Counts what a store has; it reads all of it.
    init(_ database: Database) throws {
        func count(_ sql: String) throws -> Int { try Int.fetchOne(database, sql: sql) ?? 0 }
        func month(_ index: Int?) -> String? { index.map { CalendarMonth(index: $0).description } }
        func month(_ row: Row?, _ column: Int) throws -> String? {
            month(try row?.optionalNumber(column, in: StoredNumbers.months, of: "month"))
        }
        clusters = try count("SELECT count(*) FROM cluster")
        let reports = try Row.fetchOne(
            database,
            sql: """
                SELECT coalesce(sum(distinct_reports), 0), coalesce(sum(sightings), 0)
                FROM (SELECT count(DISTINCT digest) AS distinct_reports, count(*) AS sightings
                      FROM sighting GROUP BY cluster)
                """
        )
        (distinctReports, sightings) = (reports?[0] ?? 0, reports?[1] ?? 0)
        series = try count("SELECT count(*) FROM series")
        totals = try count("SELECT count(*) FROM total")
        let months = try Row.fetchOne(database, sql: "SELECT min(month), max(month) FROM month")
        (firstMonth, lastMonth) = (try month(months, 0), try month(months, 1))
        let since = try Meta.number(Meta.followedFrom, in: database)
        rowsSince = month(since == 0 ? nil : since)
        bytes = try count("PRAGMA page_count") * count("PRAGMA page_size")
        schema =
            try String.fetchOne(
                database,
                sql: "SELECT identifier FROM grdb_migrations ORDER BY rowid DESC LIMIT 1"
            ) ?? ""
    }
}

extension ReportStore {
    /// Counts what the store holds.
    ///
    /// It reads all of it, so it takes time on a large one.
    public func statistics() async throws -> StoreStatistics {
        do {
            return try await pool.read(StoreStatistics.init)
        } catch {
            throw StoreError(error)
        }
    }
}

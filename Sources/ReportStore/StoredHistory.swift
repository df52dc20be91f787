// SPDX-License-Identifier: Apache-2.0

import GRDB
public import TelemetryModel

/// What a store has of some clusters, as reports: one for each day that each distinct report was seen on.
public struct StoredHistory: Sendable {
    /// The reports, each cluster's in the order that they count in.
    public var reports: [AcceptedReport] = []
    /// How many clusters these are.
    public var clusters = 0
    /// Clusters among them whose rows cannot be read.
    public var damaged = 0
    /// What the next part begins behind; nil where this was the last.
    public var next: Int?
}

extension ReportStore {
    /// The history of the next clusters, so that every figure of it is that of the store.
    ///
    /// Days are told from rows of a month, hours only where a report was first and last seen in it. The last report of a month is
    /// the last in time, also where the clock had stepped back; then it may be on a later day than it was.
    ///
    /// - Parameters:
    ///   - position: What the part before ended with; nil for the first.
    ///   - count: So many clusters.
    /// - Returns: Their reports.
    /// - Throws: `StoreError`.
    public func history(after position: Int?, clusters count: Int) async throws -> StoredHistory {
        do {
            return try await pool.read { database in
                var history = StoredHistory()
                var interner = Interner(isReadOnly: true)
                let rows = try Row.fetchAll(
                    database,
                    sql: "SELECT id, pseudonym FROM cluster WHERE id > ? ORDER BY id LIMIT ?",
                    arguments: [position ?? .min, count]
                )
                for row in rows {
                    history.clusters += 1
                    do {
                        guard let pseudonym = Pseudonym(bytes: try row.bytes(1, of: "cluster")) else {
                            throw row.damage(1, "cluster")
                        }
                        history.reports += try Self.reports(
                            of: row.number(0, of: "cluster"),
                            pseudonym,
                            &interner,
                            database
                        )
                    } catch StoreError.damaged {
                        history.damaged += 1
                    }
                }
                history.next = rows.count < count ? nil : try rows.last?.number(0, of: "cluster")
                return history
            }
        } catch {
            throw StoreError(error)
        }
    }

    private static func reports(
        of row: Int,
        _ cluster: Pseudonym,
        _ interner: inout Interner,
        _ database: Database
    ) throws -> [AcceptedReport] {
        let statement = try database.cachedStatement(
            sql: """
                SELECT month, first_hour, last_hour, days, content, collector FROM sighting
                WHERE cluster = ? ORDER BY month, ordinal
                """
        )
        var reports: [AcceptedReport] = []
        var (month, rank) = (CalendarMonth(index: 0), Int64(0))
        var latest: [Collector: Int64] = [:]
        for found in try Row.fetchAll(statement, arguments: [row]) {
            let content = try ReportContent(
                bytes: try found.bytes(4, of: "sighting"),
                interner: &interner,
                in: database
            )
            let report = try content.report(interner: &interner, in: database)
            let seen = try found.month(0, of: "sighting")
            let hours = (try found.number(1, of: "sighting"), try found.number(2, of: "sighting"))
            let days = try found.number(3, in: StoredNumbers.daySets, of: "sighting")
            let collector = try found.collector(5, of: "sighting")
            if seen != month { (month, rank, latest) = (seen, 0, [:]) }
            let start = UTCInstant(startOf: seen.firstDay).secondsSinceEpoch * 1_000
            for day in 0..<31 where days >> day & 1 == 1 && day < hours.1 / 24 {
                let hour = day == hours.0 / 24 ? hours.0 : day * 24
                // Not the same instant as another report of the hour.
                let place = Int64(reports.count % 1_000)
                reports.append(accepted(start + Int64(hour) * 3_600_000 + place, cluster, report))
            }
            // Within the hour, and of a collector, in the order of acceptance, which is what counts at the end of a window.
            let last = max(start + Int64(hours.1) * 3_600_000 + 1_000 + rank, (latest[collector] ?? 0) + 1)
            (rank, latest[collector]) = (rank + 1, last)
            reports.append(accepted(last, cluster, report))
        }
        return reports
    }

    private static func accepted(_ milliseconds: Int64, _ cluster: Pseudonym, _ report: Report) -> AcceptedReport {
        AcceptedReport(
            cluster: cluster,
            receivedAt: UTCInstant(secondsSinceEpoch: milliseconds / 1_000),
            place: Int(milliseconds % 1_000),
            report: report
        )
    }
}

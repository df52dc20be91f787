// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import TelemetryModel

/// The tables of schema 1, and how what is in them is taken over.
///
/// There a report stood once a cluster, and when it was seen in rows of their own; totals were kept without breakdowns,
/// days and canonical names.
enum SchemaVersion1 {
    static let tables = """
        CREATE TABLE meta (
          name TEXT NOT NULL PRIMARY KEY,
          value ANY NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE cluster (
          id INTEGER PRIMARY KEY,
          pseudonym BLOB NOT NULL UNIQUE CHECK (length(pseudonym) = 16),
          first_day INTEGER NOT NULL,
          second_day INTEGER CHECK (second_day > first_day)
        ) STRICT;
        CREATE TABLE series (
          id INTEGER PRIMARY KEY,
          metric INTEGER NOT NULL,
          labels BLOB NOT NULL,
          UNIQUE (metric, labels)
        ) STRICT;
        CREATE TABLE figure (
          id INTEGER PRIMARY KEY,
          kind INTEGER NOT NULL,
          name TEXT NOT NULL,
          UNIQUE (kind, name)
        ) STRICT;
        CREATE TABLE report (
          cluster INTEGER NOT NULL,
          digest BLOB NOT NULL CHECK (length(digest) = 16),
          content BLOB NOT NULL,
          PRIMARY KEY (cluster, digest)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE sighting (
          cluster INTEGER NOT NULL,
          month INTEGER NOT NULL,
          digest BLOB NOT NULL,
          collector INTEGER NOT NULL,
          first_hour INTEGER NOT NULL,
          last_hour INTEGER NOT NULL CHECK (last_hour >= first_hour),
          days INTEGER NOT NULL,
          ordinal INTEGER NOT NULL,
          PRIMARY KEY (cluster, month, digest)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE peak (
          cluster INTEGER NOT NULL,
          month INTEGER NOT NULL,
          peaks BLOB NOT NULL,
          PRIMARY KEY (cluster, month)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE total (
          end_month INTEGER NOT NULL,
          length INTEGER NOT NULL,
          figure INTEGER NOT NULL,
          all_clusters TEXT NOT NULL,
          established TEXT NOT NULL,
          PRIMARY KEY (end_month, length, figure)
        ) STRICT, WITHOUT ROWID;
        """

    private static let replaced = ["cluster", "series", "sighting", "report"]

    /// Renames the tables whose rows are taken over, and drops those that are derived.
    static func setAside(in database: Database) throws {
        for table in replaced { try database.execute(sql: "ALTER TABLE \(table) RENAME TO old_\(table)") }
        try database.execute(sql: "DROP TABLE peak; DROP TABLE total; DROP TABLE figure")
    }

    /// Fills the new tables cluster by cluster, and drops the old ones.
    static func takeOver(in database: Database, progress: (Double) -> Void) throws {
        try database.execute(
            sql: """
                INSERT INTO cluster (id, pseudonym, first_day, second_day)
                SELECT id, pseudonym, first_day, second_day FROM old_cluster;
                INSERT INTO series (id, metric, labels, uses) SELECT id, metric, labels, 0 FROM old_series
                """
        )
        var (memory, changes) = (WriterMemory(), TotalChanges())
        let clusters = try Row.fetchAll(database, sql: "SELECT id, first_day, second_day FROM cluster ORDER BY id")
        for (number, cluster) in clusters.enumerated() {
            if number % 50_000 == 49_999 { progress(Double(number) / Double(clusters.count)) }
            let row = try cluster.number(0, in: StoredNumbers.clusters, of: "cluster")
            let history = try history(of: row, &memory.interner, in: database)
            let day = try ClusterDays(cluster, from: 1).second
            let scope = ClusterMonths.Scope(followedFrom: CalendarMonth(index: 0), establishedSince: day)
            let months = try history.add(to: &changes, scope: scope) {
                try memory.interner.metric(of: $0, in: database)
            }
            for month in months { try StoredMonths.store(month.summary, of: row, month.month, in: database) }
        }
        try TotalsTable.append(changes, &memory, in: database, addingUp: true)
        for table in replaced { try database.execute(sql: "DROP TABLE old_\(table)") }
    }

    /// Takes the reports of a cluster over.
    private static func history(
        of row: Int,
        _ interner: inout Interner,
        in database: Database
    ) throws -> ClusterHistory {
        let read = try database.cachedStatement(
            sql: """
                SELECT month, collector, first_hour, last_hour, days, ordinal, content
                FROM old_sighting JOIN old_report USING (cluster, digest) WHERE cluster = ?
                """
        )
        for found in try Row.fetchAll(read, arguments: [row]) {
            let bytes = try found.bytes(6, of: "old_report")
            let old = try ReportContent(bytes: bytes, interner: &interner, in: database)
            let content = old.sorted
            let first = try found.number(2, in: StoredNumbers.hours, of: "old_sighting")
            let last = try found.number(3, in: StoredNumbers.hours, of: "old_sighting")
            let days = try found.number(4, in: StoredNumbers.daySets, of: "old_sighting")
            let ordinal = try found.number(5, in: StoredNumbers.ordinals, of: "old_sighting")
            try Sighting(hours: first...max(first, last), days: days, ordinal: ordinal, content: content.bytes)
                .insert(
                    row: row,
                    month: try found.month(0, of: "old_sighting"),
                    digest: content.digest,
                    collector: try found.collector(1, of: "old_sighting"),
                    in: database
                )
        }
        return try ClusterHistory(of: row, &interner, in: database)
    }
}

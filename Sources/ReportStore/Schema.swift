// SPDX-License-Identifier: Apache-2.0

import GRDB

/// The tables of the embedded engine and how older ones become these.
///
/// A report is a state: each distinct one of a cluster is kept once, in `report`, and where and when it was seen is one
/// row a month in `sighting`. `peak` and `total` are derived from these two and kept up to date with them.
enum Schema {
    /// Migrations from every released schema, in order.
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("v1") { try $0.execute(sql: version1) }
        return migrator
    }

    private static let version1 = """
        -- Facts about the store itself.
        CREATE TABLE meta (
          name TEXT NOT NULL PRIMARY KEY,
          value ANY NOT NULL
        ) STRICT, WITHOUT ROWID;

        -- Who was seen. Days are counted from 1970-01-01; the second day is when a cluster became established.
        CREATE TABLE cluster (
          id INTEGER PRIMARY KEY,
          pseudonym BLOB NOT NULL UNIQUE CHECK (length(pseudonym) = 16),
          first_day INTEGER NOT NULL,
          second_day INTEGER CHECK (second_day > first_day)
        ) STRICT;

        -- Interned: a metric of the data dictionary with its label values.
        CREATE TABLE series (
          id INTEGER PRIMARY KEY,
          metric INTEGER NOT NULL,
          labels BLOB NOT NULL,
          UNIQUE (metric, labels)
        ) STRICT;

        -- Interned: something that is counted.
        CREATE TABLE figure (
          id INTEGER PRIMARY KEY,
          kind INTEGER NOT NULL,
          name TEXT NOT NULL,
          UNIQUE (kind, name)
        ) STRICT;

        -- Each distinct report of a cluster once. The digest is the first 16 bytes of the content hash.
        CREATE TABLE report (
          cluster INTEGER NOT NULL,
          digest BLOB NOT NULL CHECK (length(digest) = 16),
          content BLOB NOT NULL,
          PRIMARY KEY (cluster, digest)
        ) STRICT, WITHOUT ROWID;

        -- When a report was seen: hours are counted from the start of the month, days are bits from the first on.
        -- The ordinal grows with acceptance over the whole store; the highest is the last.
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

        -- The highest value of each figure in any one report of a cluster and month.
        CREATE TABLE peak (
          cluster INTEGER NOT NULL,
          month INTEGER NOT NULL,
          peaks BLOB NOT NULL,
          PRIMARY KEY (cluster, month)
        ) STRICT, WITHOUT ROWID;

        -- Per window and figure the sum of the clusters' peaks: of all, and of those established by the window's end.
        -- Decimal texts, because clusters may claim capacities whose sum does not fit an integer of 64 bits.
        CREATE TABLE total (
          end_month INTEGER NOT NULL,
          length INTEGER NOT NULL,
          figure INTEGER NOT NULL,
          all_clusters TEXT NOT NULL,
          established TEXT NOT NULL,
          PRIMARY KEY (end_month, length, figure)
        ) STRICT, WITHOUT ROWID;
        """
}

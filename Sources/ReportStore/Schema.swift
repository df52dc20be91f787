// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB

/// The tables of the embedded engine and how older ones become these.
///
/// A report is a state: each distinct one of a cluster is kept once a month, with when it was seen. A month's rows stand for
/// themselves, so that they can be deleted without touching another's. Everything else is derived and kept up to date
/// with them.
enum Schema {
    /// Migrations from every released schema, in order.
    ///
    /// - Parameter progress: Called with the part that is done of a migration that takes long, 0 to 1.
    /// - Returns: What brings any of them up to date.
    static func migrator(progress: @escaping @Sendable (Double) -> Void) -> DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("v1") { try $0.execute(sql: SchemaVersion1.tables) }
        migrator.registerMigration("v2") { database in
            try SchemaVersion1.setAside(in: database)
            try database.execute(sql: version2)
            try SchemaVersion1.takeOver(in: database, progress: progress)
        }
        migrator.registerMigration("v3") { try $0.execute(sql: outbox) }
        return migrator
    }

    private static let outbox = """
        -- Reports that are to be sent on: which row of sighting, and when it was received, in seconds since 1970; the place is
        -- how many others of the cluster were accepted before it within the second. Numbers are never given twice. Where it
        -- was refused for good, with which status; it waits no more then.
        CREATE TABLE outbox (
          id INTEGER PRIMARY KEY AUTOINCREMENT,
          cluster INTEGER NOT NULL,
          month INTEGER NOT NULL,
          digest INTEGER NOT NULL,
          received INTEGER NOT NULL,
          place INTEGER NOT NULL,
          refused INTEGER
        ) STRICT;

        -- Clusters that were erased here, when in seconds since 1970, and are yet to be erased where reports were sent on to;
        -- of those that only became too old, since when there must be nothing there, as another backend may have sent it.
        CREATE TABLE erased (
          pseudonym BLOB PRIMARY KEY,
          at INTEGER NOT NULL,
          unless_since INTEGER
        ) STRICT;
        """

    private static let version2 = """
        -- Who was seen. Ids are small and used again after a deletion; no two rows have the same pseudonym, which the one
        -- writer sees to. Days are counted from 1970-01-01; the second day is when a cluster became established.
        CREATE TABLE cluster (
          id INTEGER PRIMARY KEY,
          pseudonym BLOB NOT NULL CHECK (length(pseudonym) = 16),
          first_day INTEGER NOT NULL,
          second_day INTEGER CHECK (second_day > first_day)
        ) STRICT;

        -- Interned: a metric of the data dictionary with its label values, and how many rows of sighting have it, but for
        -- what stands in change.
        CREATE TABLE series (
          id INTEGER PRIMARY KEY,
          metric INTEGER NOT NULL,
          labels BLOB NOT NULL,
          uses INTEGER NOT NULL,
          UNIQUE (metric, labels)
        ) STRICT;

        -- Interned: something that is counted, a figure or a value of a dimension.
        CREATE TABLE item (
          id INTEGER PRIMARY KEY,
          kind INTEGER NOT NULL,
          name TEXT NOT NULL,
          UNIQUE (kind, name)
        ) STRICT;

        -- Each distinct report of a cluster and month, and when it was seen. The digest is the first eight bytes of the
        -- content hash. Hours are counted from the start of the month, days are bits from the first on. The ordinal grows
        -- with acceptance over the whole store; the highest is the last.
        CREATE TABLE sighting (
          cluster INTEGER NOT NULL,
          month INTEGER NOT NULL,
          digest INTEGER NOT NULL,
          collector INTEGER NOT NULL,
          first_hour INTEGER NOT NULL,
          last_hour INTEGER NOT NULL CHECK (last_hour >= first_hour),
          days INTEGER NOT NULL CHECK (days > 0),
          ordinal INTEGER NOT NULL,
          content BLOB NOT NULL,
          PRIMARY KEY (cluster, month, digest)
        ) STRICT, WITHOUT ROWID;

        -- Derived from sighting: per cluster and month the peak of each item and the last report of each collector.
        CREATE TABLE month (
          cluster INTEGER NOT NULL,
          month INTEGER NOT NULL,
          peaks BLOB NOT NULL,
          lasts BLOB NOT NULL,
          PRIMARY KEY (cluster, month)
        ) STRICT, WITHOUT ROWID;

        -- Derived from month and sighting: the totals of windows (length in months, end is the last one) and of days (length
        -- 0, end is the day). Clusters that have a value, the sums of peaks of all and of the established ones, and the
        -- clusters whose last report has it. A sum that does not fit 64 bits is a decimal text.
        CREATE TABLE total (
          length INTEGER NOT NULL,
          end INTEGER NOT NULL,
          kind INTEGER NOT NULL,
          item INTEGER NOT NULL,
          clusters INTEGER NOT NULL,
          all_clusters ANY NOT NULL,
          established ANY NOT NULL,
          last INTEGER NOT NULL,
          PRIMARY KEY (length, end, kind, item)
        ) STRICT, WITHOUT ROWID;

        -- What the last transactions change in total and series, one row each, before it is added there.
        CREATE TABLE change (
          id INTEGER PRIMARY KEY,
          changes BLOB NOT NULL
        ) STRICT;
        """
}

/// Facts about the store itself, rows of `meta`.
enum Meta {
    /// The check value of the pseudonym key.
    static let keyCheck = "key check"
    /// Its length in bytes.
    static let keyCheckLength = 16
    /// The highest ordinal.
    static let ordinal = "ordinal"
    /// The first month whose rows are all there; totals of windows that begin before it are finished.
    static let followedFrom = "followed from"
    /// The month that a store without figures follows windows from: one that never comes.
    static let never = StoredNumbers.months.upperBound

    /// 1 where reports were ever sent on.
    static let forwards = "forwards"
    /// The last hour since 1970 that the receiving clock was believed in.
    static let clock = "clock"

    /// The numbers, and what they can be; each is 0 before it is set.
    private static let ranges = [
        ordinal: 0...StoredNumbers.ordinals.upperBound, followedFrom: StoredNumbers.months,
        clock: StoredNumbers.hoursSinceEpoch, forwards: 0...1,
    ]
    /// Every name that there is.
    static let names = Set(ranges.keys).union([keyCheck])

    /// A number; 0 where it was never set.
    ///
    /// - Throws: `StoreError.damaged` where it is none that there can be.
    static func number(_ name: String, in database: Database) throws -> Int {
        let statement = try database.cachedStatement(sql: "SELECT value FROM meta WHERE name = ?")
        guard let row = try Row.fetchOne(statement, arguments: [name]) else { return 0 }
        return try row.number(0, in: ranges[name] ?? 0...0, of: "meta")
    }

    /// The check value of the key; nil where none was kept yet.
    static func keyCheck(in database: Database) throws -> [UInt8]? {
        let row = try Row.fetchOne(database, sql: "SELECT value FROM meta WHERE name = ?", arguments: [keyCheck])
        return try row?.bytes(0, of: "meta")
    }

    /// Whether a store is one without figures; a store that has no clusters yet becomes what is wanted.
    ///
    /// - Throws: `StoreError.otherMode` where it is not what is wanted.
    static func mode(_ wanted: Bool?, directory: String, in database: Database) throws -> Bool {
        let isForwardOnly = try number(followedFrom, in: database) == never
        guard let wanted, wanted != isForwardOnly else { return isForwardOnly }
        guard try Row.fetchOne(database, sql: "SELECT 1 FROM cluster LIMIT 1") == nil else {
            throw StoreError.otherMode(directory: directory, isForwardOnly: isForwardOnly)
        }
        try set(followedFrom, to: wanted ? never : 0, in: database)
        return wanted
    }

    /// Replaces the check value of the key.
    static func set(keyCheck check: [UInt8], in database: Database) throws {
        try database.execute(
            sql: "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            arguments: [keyCheck, Data(check)]
        )
    }

    /// Sets a number.
    static func set(_ name: String, to number: Int, in database: Database) throws {
        let statement = try database.cachedStatement(
            sql: "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
        )
        try statement.execute(arguments: [name, number])
    }
}

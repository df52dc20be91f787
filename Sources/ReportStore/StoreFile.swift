// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import Logging

/// How the file of a store is opened.
enum StoreFile {
    /// Opens the file for the one writer, with every commit synced, and migrates it.
    ///
    /// - Throws: `StoreError`, or SQLite's error.
    static func open(_ path: String, logger: Logger) throws -> DatabasePool {
        var configuration = GRDB.Configuration()
        configuration.label = "report-store"
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { database in
            // What is deleted is overwritten, so that an erasure leaves nothing in the file.
            try database.execute(sql: "PRAGMA secure_delete = ON")
        }
        try look(at: path, configuration)
        let pool = try DatabasePool(path: path, configuration: configuration)
        try migrate(pool, path: path, logger: logger)
        // The pool has set NORMAL, which loses the last commits with the power.
        let level = try pool.writeWithoutTransaction { database in
            try database.execute(sql: "PRAGMA synchronous = FULL; PRAGMA cache_size = -16000")
            return try Int.fetchOne(database, sql: "PRAGMA synchronous")
        }
        guard level == 2 else { throw StoreError.unusable(path: path, reason: "SQLite does not sync every commit") }
        try emptyLog(of: pool, logger: logger)
        return pool
    }

    /// Brings what the log still holds into the file, written and synced anew.
    ///
    /// A sync may have failed at a former start: what it was to bring to disk can be read until the power fails, and no later
    /// sync of the log brings it there. Commits behind it in the log would be lost with it.
    private static func emptyLog(of pool: DatabasePool, logger: Logger) throws {
        do {
            try pool.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
        } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
            logger.warning("the log of the store could not be emptied at the start: another process reads the store")
        }
    }

    /// Up to so many bytes a file is looked through when it is opened; `store check` looks through any.
    private static let smallFile = 64 << 20

    /// Refuses a file that is damaged or of a newer version, before anything is written to it.
    private static func look(at path: String, _ configuration: GRDB.Configuration) throws {
        let size = (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? NSNumber)?.intValue ?? 0
        guard size > 0 else { return }
        var configuration = configuration
        configuration.readonly = true
        do {
            let file = try DatabaseQueue(path: path, configuration: configuration)
            try file.read { database in
                if try Schema.migrator(progress: { _ in }).hasBeenSuperseded(database) {
                    throw StoreError.newerSchema(path: path)
                }
                let verdict =
                    size <= smallFile ? try String.fetchOne(database, sql: "PRAGMA quick_check(1)") ?? "" : "ok"
                guard verdict == "ok" else { throw StoreError.damagedFile(path: path, reason: verdict) }
            }
            try file.close()
        } catch let error as DatabaseError where error.resultCode == .SQLITE_READONLY {
            // The power failed at the first start and left a journal, which only a writer can roll back.
        }
    }

    /// Brings the schema up to date, and says so where there is something to do.
    private static func migrate(_ pool: DatabasePool, path: String, logger: Logger) throws {
        let migrator = Schema.migrator { done in
            logger.notice("migrating the store", metadata: ["percent": "\(Int(done * 100))"])
        }
        let isOld = try pool.read {
            try !migrator.appliedMigrations($0).isEmpty && !migrator.hasCompletedMigrations($0)
        }
        let begin = ContinuousClock.now
        if isOld { logger.notice("the store was written by an older version; it is migrated before reports are taken") }
        try migrator.migrate(pool)
        if isOld {
            let seconds = (ContinuousClock.now - begin) / .seconds(1)
            logger.notice("the store is migrated", metadata: ["seconds": "\((seconds * 10).rounded() / 10)"])
        }
    }

    /// Keeps the check value of a key, or compares it with the one that is kept.
    ///
    /// - Throws: `StoreError.wrongKey`.
    static func checkKey(_ check: [UInt8], in pool: DatabasePool, path: String) throws {
        let known: [UInt8]
        do {
            known = try pool.write { database in
                try database.execute(
                    sql: "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING",
                    arguments: [Meta.keyCheck, Data(check)]
                )
                return try Meta.keyCheck(in: database) ?? []
            }
        } catch {
            throw StoreError(error)
        }
        guard known == check else { throw StoreError.wrongKey(path: path) }
    }
}

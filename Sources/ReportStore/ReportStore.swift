// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
public import Logging
public import Metrics
public import TelemetryModel

/// The embedded engine: keeps every distinct report of every cluster, and answers the figures.
///
/// Reports are committed in groups by one writer. `submit` returns after the commit, so that what was answered is on
/// disk. The totals of all windows are kept up to date in the same transaction and are read, not computed.
///
/// One process owns a data directory.
public final class ReportStore: Sendable {
    /// What came of a report that was committed.
    public enum Outcome: Equatable, Sendable {
        /// The cluster had never said this.
        case newState
        /// The cluster had said this before.
        case knownState
    }

    /// Numbers about a store.
    public struct Statistics: Equatable, Sendable {
        /// Clusters ever seen.
        public var clusters: Int
        /// Distinct reports, summed over clusters.
        public var distinctReports: Int
        /// Rows of reports seen in a month.
        public var sightings: Int
        /// Bytes of the file, without what waits in the write-ahead log.
        public var bytes: Int
    }

    /// Reached into by tests.
    let pool: DatabasePool
    private let queue: CommitQueue
    private let lock: DirectoryLock

    /// Opens the store in a directory, made where it is missing, and brings its schema up to date.
    ///
    /// - Parameters:
    ///   - directory: The path of the data directory.
    ///   - keyCheck: `Pseudonymizer.checkValue` of the key that reports are pseudonymised with; the first one given is
    ///     remembered, and another one is refused.
    ///   - maximumWaiting: So many reports wait for their commit at the most.
    ///   - metrics: Where commits are counted.
    ///   - logger: Where failed commits are reported.
    /// - Throws: `StoreError`.
    public init(
        directory: String,
        keyCheck: [UInt8],
        maximumWaiting: Int = 10_000,
        metrics: any MetricsFactory,
        logger: Logger
    ) throws {
        let path = directory + "/telemetry.sqlite"
        do {
            try FileManager.default.createDirectory(
                atPath: directory,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
            lock = try DirectoryLock(directory: directory)
            pool = try Self.open(path)
        } catch let error as StoreError {
            throw error
        } catch {
            throw StoreError.unusable(path: path, reason: Self.reason(of: error))
        }
        queue = CommitQueue(pool: pool, maximumWaiting: maximumWaiting, metrics: metrics, logger: logger)
        try checkKey(keyCheck, path: directory + "/" + PseudonymKeyFile.name)
    }

    /// Commits a report, together with others that wait.
    ///
    /// - Throws: `StoreError.busy` at once where too many wait; `StoreError.unavailable` where the commit failed. In
    ///   either case nothing of the report was kept.
    public func submit(_ report: AcceptedReport) async throws -> Outcome {
        try await queue.submit(report)
    }

    /// The totals of windows, all from one state of the store.
    ///
    /// - Throws: `StoreError.unavailable`.
    public func totals(of windows: [Window]) async throws -> [Window: WindowTotals] {
        do {
            return try await pool.read { database in
                var totals: [Window: WindowTotals] = [:]
                for window in windows { totals[window] = try Self.totals(of: window, in: database) }
                return totals
            }
        } catch let error as DatabaseError {
            throw StoreError.unavailable(reason: Self.reason(of: error))
        }
    }

    /// Whether the store answers.
    ///
    /// - Throws: `StoreError.unavailable`.
    public func ping() async throws {
        do {
            _ = try await pool.read { try Int.fetchOne($0, sql: "SELECT 1") }
        } catch let error as DatabaseError {
            throw StoreError.unavailable(reason: Self.reason(of: error))
        }
    }

    /// How many reports wait for their commit.
    public var waiting: Int { queue.waiting }

    /// Counts what the store holds.
    ///
    /// It reads all of it, so it takes time on a large one.
    public func statistics() async throws -> Statistics {
        try await pool.read { database in
            func count(_ sql: String) throws -> Int { try Int.fetchOne(database, sql: sql) ?? 0 }
            return Statistics(
                clusters: try count("SELECT count(*) FROM cluster"),
                distinctReports: try count("SELECT count(*) FROM report"),
                sightings: try count("SELECT count(*) FROM sighting"),
                bytes: try count("PRAGMA page_count") * count("PRAGMA page_size")
            )
        }
    }

    /// Closes the store after everything that waits is committed, and leaves all of it in the one file.
    ///
    /// - Throws: `StoreError.unavailable` where somebody still reads.
    public func close() throws {
        guard lock.isHeld else { return }
        do {
            try pool.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
            try pool.close()
            lock.release()
        } catch {
            throw StoreError.unavailable(reason: Self.reason(of: error))
        }
    }
}

extension ReportStore {
    /// Opens the file with every commit synced, and migrates it.
    private static func open(_ path: String) throws -> DatabasePool {
        var configuration = GRDB.Configuration()
        configuration.label = "report-store"
        configuration.busyMode = .timeout(5)
        let pool = try DatabasePool(path: path, configuration: configuration)
        let migrator = Schema.migrator
        if try pool.read(migrator.hasBeenSuperseded) { throw StoreError.newerSchema(path: path) }
        try migrator.migrate(pool)
        // The pool has set NORMAL, which loses the last commits with the power.
        let level = try pool.writeWithoutTransaction { database in
            try database.execute(sql: "PRAGMA synchronous = FULL")
            return try Int.fetchOne(database, sql: "PRAGMA synchronous")
        }
        guard level == 2 else { throw StoreError.unusable(path: path, reason: "SQLite does not sync every commit") }
        return pool
    }

    private func checkKey(_ check: [UInt8], path: String) throws {
        let known = try pool.write { database in
            try database.execute(
                sql: "INSERT INTO meta (name, value) VALUES ('key check', ?) ON CONFLICT (name) DO NOTHING",
                arguments: [Data(check)]
            )
            return try Data.fetchOne(database, sql: "SELECT value FROM meta WHERE name = 'key check'")
        }
        guard known == Data(check) else { throw StoreError.wrongKey(path: path) }
    }

    private static func totals(of window: Window, in database: Database) throws -> WindowTotals {
        let statement = try database.cachedStatement(
            sql: """
                SELECT kind, name, all_clusters, established FROM total JOIN figure ON figure.id = total.figure
                WHERE end_month = ? AND length = ?
                """
        )
        var all: [Figure: Int64] = [:]
        var established: [Figure: Int64] = [:]
        let rows = try Row.fetchCursor(statement, arguments: [window.end.index, window.length.months])
        while let row = try rows.next() {
            guard let figure = Figure(storedKind: row[0], name: row[1]) else { continue }
            guard let ofAll = Int128(row[2] as String), let ofEstablished = Int128(row[3] as String) else {
                throw StoreError.unavailable(reason: "a row of totals is damaged")
            }
            all[figure] = Int64(clamping: ofAll)
            established[figure] = Int64(clamping: ofEstablished)
        }
        return WindowTotals(window: window, all: all, established: established)
    }

    /// SQLite's own words, without the statement and its arguments.
    static func reason(of error: any Error) -> String {
        guard let error = error as? DatabaseError else { return "\(error)" }
        return error.message ?? error.resultCode.description
    }
}

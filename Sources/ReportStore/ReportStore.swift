// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
public import Logging
public import Metrics
import Synchronization
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
        /// The cluster had not said this in the month.
        case newState
        /// The cluster had said this in the month.
        case knownState
    }

    /// Whether a report is known without being decoded.
    public enum Recognition: Equatable, Sendable {
        /// It is not; decode and submit it.
        case unknown
        /// It is on disk as the cluster's last report of this hour; nothing is left to do.
        case committed
        /// It waits for its commit; the completion will tell.
        case submitted
    }

    /// Reached into by tests.
    let pool: DatabasePool
    let queue: CommitQueue
    let clusters: ClusterDirectory
    private let lock: DirectoryLock
    /// Whether the log may still hold rows that were deleted from the file.
    let isLogLeft = Atomic(false)
    /// How many reports wait to be sent on.
    let outbox: OutboxCount
    /// Whether reports are kept only until they are sent on and recognised, without figures.
    public let isForwardOnly: Bool

    /// The name of the file in the data directory.
    public static let fileName = "telemetry.sqlite"

    /// Opens the store in a directory, made where it is missing, and brings its schema up to date.
    ///
    /// - Parameters:
    ///   - directory: The path of the data directory.
    ///   - keyCheck: `Pseudonymizer.checkValue` of the key that reports are pseudonymised with; the first one given is
    ///     remembered, and another one is refused.
    ///   - keyPath: Where that key is, for whoever reads the error; beside the store unless it was given elsewhere.
    ///   - maximumWaiting: So many reports wait for their commit at the most.
    ///   - maximumWaitingSamples: So many samples of them wait at the most; one report alone may have more.
    ///   - outboxLimit: So many reports wait to be sent on at the most; nil where none are sent on.
    ///   - unchangedHours: A report that says the same is sent on once in so many hours, and on each day.
    ///   - isForwardOnly: Whether the store is one without figures; nil for whatever it is.
    ///   - metrics: Where commits are counted.
    ///   - logger: Where failed commits are reported, and how far a migration is.
    /// - Throws: `StoreError`.
    public init(
        directory: String,
        keyCheck: [UInt8],
        keyPath: String? = nil,
        maximumWaiting: Int = 10_000,
        maximumWaitingSamples: Int = 1_000_000,
        outboxLimit: Int? = nil,
        unchangedHours: Int = 1,
        isForwardOnly: Bool? = nil,
        metrics: any MetricsFactory,
        logger: Logger
    ) throws {
        let path = directory + "/" + Self.fileName
        do {
            try FileManager.default.createDirectory(
                atPath: directory,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
            lock = try DirectoryLock(directory: directory)
            pool = try StoreFile.open(path, logger: logger)
            try StoreFile.checkKey(keyCheck, in: pool, path: keyPath ?? directory + "/" + PseudonymKeyFile.name)
            self.isForwardOnly = try pool.write { database in
                if outboxLimit != nil { try Meta.set(Meta.forwards, to: 1, in: database) }
                return try Meta.mode(isForwardOnly, directory: directory, in: database)
            }
            clusters = try pool.read { database in
                // Nothing is taken without these.
                for name in [Meta.ordinal, Meta.followedFrom, Meta.clock] { _ = try Meta.number(name, in: database) }
                return try ClusterDirectory(database)
            }
            outbox = OutboxCount(
                limit: outboxLimit,
                unchangedHours: unchangedHours,
                count: try pool.read(Outbox.waiting)
            )
            if clusters.damagedRows > 0 {
                logger.error(
                    "rows of clusters cannot be read; their reports are refused, see store check",
                    metadata: ["rows": "\(clusters.damagedRows)"]
                )
            }
        } catch {
            throw StoreError(opening: path, error)
        }
        queue = CommitQueue(
            pool: pool,
            index: clusters,
            outbox: outbox,
            maximumWaiting: maximumWaiting,
            maximumWaitingSamples: maximumWaitingSamples,
            metrics: metrics,
            logger: logger
        )
    }

    /// Commits a report, together with others that wait.
    ///
    /// - Throws: `StoreError.busy` at once where too many wait; `StoreError.unavailable` where the commit failed. In
    ///   either case nothing of the report was kept.
    public func submit(_ report: AcceptedReport) async throws -> Outcome {
        try await withCheckedThrowingContinuation { continuation in
            submit(report, as: nil) { continuation.resume(with: $0) }
        }
    }

    /// Commits a report, together with others that wait.
    ///
    /// - Parameters:
    ///   - report: The report.
    ///   - fingerprint: What the same report is recognised by the next time.
    ///   - completion: Told once what came of it, on another thread, or at once with `StoreError.busy`. Where it is told
    ///     an error, nothing of the report was kept.
    public func submit(
        _ report: AcceptedReport,
        as fingerprint: Fingerprint?,
        completion: @escaping @Sendable (Result<Outcome, StoreError>) -> Void
    ) {
        queue.submit(.report(report, fingerprint), completion: completion)
    }

    /// Takes a report that the store may know by its fingerprint.
    ///
    /// - Parameters:
    ///   - fingerprint: The fingerprint of the body.
    ///   - instant: When it was received.
    ///   - completion: Told once what came of it where the answer is `submitted`, as by `submit`.
    /// - Returns: Whether it is known, and what is left to do.
    public func submitAgain(
        _ fingerprint: Fingerprint,
        receivedAt instant: UTCInstant,
        completion: @escaping @Sendable (Result<Outcome, StoreError>) -> Void
    ) -> Recognition {
        guard let recognised = clusters.recognise(fingerprint) else { return .unknown }
        if recognised.latest.hour == instant.hourSinceEpoch { return .committed }
        guard recognised.latest.month == instant.month else { return .unknown }
        queue.submit(.again(recognised, instant), completion: completion)
        return .submitted
    }

    /// Whether the store answers, and takes reports.
    ///
    /// - Throws: `StoreError.unavailable`.
    public func ping() async throws {
        do {
            _ = try await pool.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM meta") }
        } catch {
            throw StoreError(error)
        }
        if queue.isFailing { throw StoreError.unavailable(reason: "the last commit failed") }
    }

    /// How many reports wait for their commit.
    public var waiting: Int { queue.waiting }

    /// Whether the store has a cluster, as it does once its first report is committed.
    public func knows(_ cluster: Pseudonym) -> Bool { clusters.knows(cluster) }

    /// How many clusters the store has.
    public var clusterCount: Int { clusters.count }

    /// Closes the store once nobody submits any more, and leaves all of it in the one file.
    ///
    /// Where that cannot be written, as on a full disk, what is committed stays in the log beside the file.
    ///
    /// - Throws: `StoreError.unavailable` where somebody still reads.
    public func close() throws {
        guard lock.isHeld else { return }
        do {
            // Neither has to be: what is left is found by the next start.
            try? pool.write { database in
                var memory = WriterMemory()
                try TotalsTable.append(TotalChanges(), &memory, in: database, addingUp: true)
            }
            try? pool.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
            try pool.close()
            lock.release()
        } catch {
            throw StoreError(error)
        }
    }
}

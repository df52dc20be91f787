// SPDX-License-Identifier: Apache-2.0

import GRDB
import Synchronization
public import TelemetryModel

/// What an erasure removed.
public struct Erasure: Codable, Equatable, Sendable {
    /// Rows of reports seen in a month.
    public var sightings: Int
    /// Months with reports.
    public var months: Int
    /// Whether the cluster was counted in windows whose totals were finished before; those are anonymous and stay.
    public var isCountedInFinishedWindows: Bool

    /// What is removed of a cluster that nothing is known about.
    public static let nothing = Self(sightings: 0, months: 0, isCountedInFinishedWindows: false)

    private enum CodingKeys: String, CodingKey {
        case sightings, months
        case isCountedInFinishedWindows = "counted_in_finished_windows"
    }
}

extension ReportStore {
    /// Removes every row about a cluster, from the file too, and takes it off the totals of all windows that still rest on
    /// rows; all in one transaction.
    ///
    /// - Returns: What was removed; nil where the store has nothing about the cluster.
    /// - Throws: `StoreError.unavailable`; `StoreError.logNotEmptied` where the rows are gone from the tables, and go from
    ///   the files with the next erasure, also one that finds nothing, or the next stop of the backend.
    public func erase(_ cluster: Pseudonym) async throws -> Erasure? {
        try await write { [self] database in
            guard let row = try clusters.find(cluster)?.row else {
                // What is not known here may still be where it was sent on to.
                try queue.transaction(in: database) { try $0.eraseForwarded(cluster.bytes) }
                if isLogLeft.load(ordering: .relaxed) { try emptyLog(database) }
                return nil
            }
            let erasure = try queue.transaction(in: database) { try $0.erase(cluster, row: row) }
            clusters.remove([row])
            queue.forget()
            try emptyLog(database)
            return erasure
        }
    }

    /// Runs something on the writing connection, in turn with the commits.
    ///
    /// It is finished once it is begun, also in a task that is cancelled: an interrupted transaction would look like a
    /// store that takes no reports.
    func write<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            pool.asyncWriteWithoutTransaction { database in
                continuation.resume(with: Result { try body(database) }.mapError { StoreError($0) })
            }
        }
    }

    /// Brings everything that waits in the write-ahead log into the file and empties the log.
    func emptyLog(_ database: Database) throws {
        isLogLeft.store(true, ordering: .relaxed)
        do {
            _ = try database.checkpoint(.truncate)
        } catch {
            throw StoreError.logNotEmptied(reason: StoreError.reason(of: error))
        }
        isLogLeft.store(false, ordering: .relaxed)
    }
}

extension ReportWriter {
    /// Removes the rows of a cluster and what they added to totals.
    mutating func erase(_ cluster: Pseudonym, row: Int) throws -> Erasure {
        let entry = try find(cluster)?.entry
        let history = try ClusterHistory(of: row, &memory.interner, in: database)
        var scope = ClusterMonths.Scope(followedFrom: followedFrom, establishedSince: entry?.establishedSince)
        scope.isRemoval = true
        let months = try withMetrics { try history.add(to: &$0, scope: scope, metric: $1) }
        try TotalsTable.append(changes, &memory, in: database, addingUp: true)
        changes.removeAll()
        for table in ["sighting", "month"] {
            try database.execute(sql: "DELETE FROM \(table) WHERE cluster = ?", arguments: [row])
        }
        try forgetForwarded(of: row)
        try eraseForwarded(cluster.bytes)
        try database.execute(sql: "DELETE FROM cluster WHERE id = ?", arguments: [row])
        try removeUnused()
        let first = entry.map { UTCDay(daysSinceEpoch: Int($0.firstDay)).month }
        return Erasure(
            sightings: history.reports.count,
            months: months.count,
            isCountedInFinishedWindows: !isForwardOnly && (first.map { $0 < followedFrom } ?? false)
        )
    }

    /// Removes series and items that nothing refers to any more, once all changes are added up.
    ///
    /// Who holds numbers of them has to forget them. A number of uses below 0 is damaged and says nothing.
    func removeUnused() throws {
        try database.execute(
            sql: """
                DELETE FROM series WHERE uses = 0;
                DELETE FROM item WHERE id NOT IN (SELECT item FROM total)
                """
        )
    }
}

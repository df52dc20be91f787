// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import Synchronization
import TelemetryModel

extension Pseudonym {
    /// The pseudonym in a column.
    fileprivate init?(data: Data) {
        guard data.count == Self.length else { return nil }
        let words = data.withUnsafeBytes { bytes in
            (bytes.loadUnaligned(as: UInt64.self), bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        }
        self.init(high: UInt64(bigEndian: words.0), low: UInt64(bigEndian: words.1))
    }
}

/// The first two days that a cluster was seen on, as they stand in its row.
struct ClusterDays {
    let first: UTCDay
    let second: UTCDay?

    /// Reads two columns.
    ///
    /// - Throws: `StoreError.damaged`.
    init(_ row: Row, from column: Int) throws(StoreError) {
        let first = try row.number(column, in: StoredNumbers.days, of: "cluster")
        let second = try row.optionalNumber(column + 1, in: StoredNumbers.days, of: "cluster")
        if let second, second <= first { throw row.damage(column + 1, "cluster") }
        self.first = UTCDay(daysSinceEpoch: first)
        self.second = second.map(UTCDay.init(daysSinceEpoch:))
    }
}

extension ClusterIndex.Entry {
    /// The entry of a row.
    fileprivate init(_ pseudonym: Pseudonym, days: ClusterDays) {
        self.init(
            pseudonym: pseudonym,
            firstDay: Int32(days.first.daysSinceEpoch),
            secondDay: days.second.map { Int32($0.daysSinceEpoch) } ?? .max
        )
    }
}

/// The index of clusters that the writer and the callers share.
final class ClusterDirectory: Sendable {
    /// How many rows of clusters cannot be read.
    let damagedRows: Int

    private let index: Mutex<ClusterIndex>
    /// Those among them whose pseudonym can be.
    private let damaged: Set<Pseudonym>

    /// Reads the clusters of a store.
    ///
    /// Rows that cannot be read are left where they are, and nothing is taken of their clusters; the others go on.
    init(_ database: Database) throws {
        var (index, damaged, damagedRows) = (ClusterIndex(), Set<Pseudonym>(), 0)
        let rows = try Row.fetchCursor(
            database,
            sql: "SELECT id, pseudonym, first_day, second_day FROM cluster ORDER BY id"
        )
        while let row = try rows.next() {
            // That no two are equal is left to `store check`: here it would take as long as all the rest.
            let pseudonym = try row.withUnsafeData(atIndex: 1) { $0.flatMap(Pseudonym.init(data:)) }
            do throws(StoreError) {
                let id = try row.number(0, in: StoredNumbers.clusters, of: "cluster")
                index.block(id)
                guard let pseudonym else { throw row.damage(1, "cluster") }
                index.store(ClusterIndex.Entry(pseudonym, days: try ClusterDays(row, from: 2)), at: id)
            } catch {
                damagedRows += 1
                if let pseudonym { damaged.insert(pseudonym) }
            }
        }
        self.index = Mutex(index)
        (self.damaged, self.damagedRows) = (damaged, damagedRows)
    }

    /// How many clusters there are.
    var count: Int { index.withLock { $0.count } }

    /// The row of a cluster.
    ///
    /// - Throws: `StoreError.damaged` where it has one that cannot be read.
    func find(_ pseudonym: Pseudonym) throws(StoreError) -> (row: Int, entry: ClusterIndex.Entry)? {
        guard !damaged.contains(pseudonym) else { throw .damaged("the row of a cluster holds what it cannot") }
        return index.withLock { index in
            index.row(of: pseudonym).flatMap { row in index[row].map { (row, $0) } }
        }
    }

    /// Whether a cluster has a row, be it one that cannot be read.
    func knows(_ pseudonym: Pseudonym) -> Bool {
        damaged.contains(pseudonym) || index.withLock { $0.row(of: pseudonym) } != nil
    }

    /// The row that a new cluster gets after so many others.
    func newRow(after count: Int) -> Int { index.withLock { $0.newRow(after: count) } }

    /// The report of a fingerprint, where it is committed and its collector's last.
    func recognise(_ fingerprint: Fingerprint) -> ClusterIndex.Recognised? {
        index.withLock { $0.recognise(fingerprint) }
    }

    /// Keeps what a committed transaction changed.
    func store(_ entries: [Int: ClusterIndex.Entry]) {
        index.withLock { index in
            for (row, entry) in entries { index.store(entry, at: row) }
        }
    }

    /// Takes clusters out.
    func remove(_ rows: [Int]) {
        index.withLock { index in
            for row in rows { index.remove(at: row) }
        }
    }
}

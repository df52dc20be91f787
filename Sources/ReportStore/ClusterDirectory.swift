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

/// The index of clusters that the writer and the callers share.
final class ClusterDirectory: Sendable {
    private let index: Mutex<ClusterIndex>

    /// Reads the clusters of a store.
    init(_ database: Database) throws {
        var index = ClusterIndex()
        let rows = try Row.fetchCursor(
            database,
            sql: "SELECT id, pseudonym, first_day, second_day FROM cluster ORDER BY id"
        )
        while let row = try rows.next() {
            let pseudonym = try row.withUnsafeData(atIndex: 1) { $0.flatMap(Pseudonym.init(data:)) }
            // That no two are equal is left to `store check`: here it would take as long as all the rest.
            guard let pseudonym else { throw StoreError.damaged("a cluster has no pseudonym") }
            let entry = ClusterIndex.Entry(pseudonym: pseudonym, firstDay: row[2], secondDay: row[3] ?? .max)
            index.store(entry, at: row[0])
        }
        self.index = Mutex(index)
    }

    /// How many clusters there are.
    var count: Int { index.withLock { $0.count } }

    /// The row of a cluster.
    func find(_ pseudonym: Pseudonym) -> (row: Int, entry: ClusterIndex.Entry)? {
        index.withLock { index in
            index.row(of: pseudonym).flatMap { row in index[row].map { (row, $0) } }
        }
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

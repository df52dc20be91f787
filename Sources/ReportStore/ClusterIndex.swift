// SPDX-License-Identifier: Apache-2.0

import TelemetryModel

/// The clusters of the store in memory: where each one's row is, since when it is known, and what it said last.
///
/// What it remembers of reports is committed; it is forgotten with the process, with an erasure and with a new hour.
/// About 100 bytes a cluster.
struct ClusterIndex {
    /// The last report of a collector, once it is committed and no other one supersedes it.
    struct Latest {
        /// What it is recognised by before it is parsed; 0 where it was not received but read.
        var fingerprint: UInt64 = 0
        var digest: Int64 = 0
        /// The hour since 1970 that it was last seen in.
        var hour: Int32 = .min
        /// nil where nothing is known.
        var collector: Collector?

        /// The month that it was last seen in.
        var month: CalendarMonth { UTCInstant(secondsSinceEpoch: Int64(hour) * 3_600).month }
    }

    /// One cluster.
    struct Entry {
        var pseudonym: Pseudonym
        /// The hash of the id that it sends; 0 as long as it has not sent any.
        var sender: UInt64 = 0
        /// Days since 1970; `Int32.max` for none.
        var firstDay: Int32
        var secondDay: Int32
        /// The last report of v0 or of v1's operator.
        var main = Latest()
        /// The last report of v1's controller.
        var second = Latest()

        /// The day that it is established from, the second that it was seen on; nil where there was one only.
        var establishedSince: UTCDay? { secondDay == .max ? nil : UTCDay(daysSinceEpoch: Int(secondDay)) }

        /// Notes that the cluster was seen on a day.
        mutating func see(_ day: Int32) {
            if day < firstDay {
                (firstDay, secondDay) = (day, firstDay)
            } else if day > firstDay {
                secondDay = min(secondDay, day)
            }
        }

        /// Notes a report that was accepted; it supersedes the last ones of its collector and of the other generation.
        mutating func note(_ latest: Latest) {
            switch latest.collector {
            case .v0: (main, second) = (latest, Latest())
            case .v1Operator: main = latest
            case .v1Controller:
                second = latest
                if main.collector == .v0 { main = Latest() }
            case .none: break
            }
        }

        /// Whether a report of a collector is its last in a month, and not superseded; nil where that is not known.
        func isLatest(_ digest: Int64, of collector: Collector, in month: CalendarMonth) -> Bool? {
            let latest = collector == .v1Controller ? second : main
            guard latest.collector == collector else {
                return latest.collector == nil && !(collector == .v1Controller && main.collector == .v0) ? nil : false
            }
            guard latest.digest == digest else { return false }
            // Of another month it says nothing: there something else may have been the last.
            return latest.month == month ? true : nil
        }
    }

    /// A report that is recognised.
    struct Recognised {
        let cluster: Pseudonym
        let latest: Latest
    }

    private static let chunkSize = 4_096
    /// So many rows before a new one are kept for others; what is further back is the gap before a damaged row.
    private static let largestGap = 1 << 20

    /// Entries by row, in chunks, so that growing copies nothing; a chunk without entries is empty.
    private var chunks: [[Entry?]] = []
    private var byPseudonym = RowTable()
    private var bySender = RowTable()
    private var freeRows: [Int] = []
    private var nextRow = 1

    /// How many clusters there are.
    private(set) var count = 0

    /// The entry of a row; nil where there is none.
    subscript(row: Int) -> Entry? {
        let chunk = row / Self.chunkSize
        return chunk < chunks.count && !chunks[chunk].isEmpty ? chunks[chunk][row % Self.chunkSize] : nil
    }

    /// The row of a cluster; nil for one that is not known.
    func row(of pseudonym: Pseudonym) -> Int? {
        byPseudonym.row(hash: pseudonym.high) { self[$0]?.pseudonym == pseudonym }
    }

    /// The report of a fingerprint, where it is its collector's last.
    func recognise(_ fingerprint: Fingerprint) -> Recognised? {
        guard let row = bySender.row(hash: fingerprint.cluster, where: { self[$0]?.sender == fingerprint.cluster }),
            let entry = self[row]
        else { return nil }
        for latest in [entry.main, entry.second] where latest.fingerprint == fingerprint.content {
            return Recognised(cluster: entry.pseudonym, latest: latest)
        }
        return nil
    }

    /// The row that a new cluster gets after so many others.
    func newRow(after count: Int) -> Int {
        count < freeRows.count ? freeRows[freeRows.count - 1 - count] : nextRow + count - freeRows.count
    }

    /// Keeps the entry of a cluster, known or new.
    mutating func store(_ entry: Entry, at row: Int) {
        let sender = self[row]?.sender ?? 0
        if self[row] == nil { makeRoom(at: row) }
        if sender != entry.sender, sender != 0 { removeSender(sender, at: row) }
        let isNew = self[row] == nil
        chunks[row / Self.chunkSize][row % Self.chunkSize] = entry
        if isNew {
            byPseudonym.insert(row, hash: entry.pseudonym.high) { [chunks] in Self.hash($0, chunks, \.pseudonym.high) }
            count += 1
        }
        if sender != entry.sender {
            bySender.insert(row, hash: entry.sender) { [chunks] in Self.hash($0, chunks, \.sender) }
        }
    }

    private mutating func makeRoom(at row: Int) {
        block(row)
        let chunk = row / Self.chunkSize
        while chunks.count <= chunk { chunks.append([]) }
        if chunks[chunk].isEmpty { chunks[chunk] = Array(repeating: nil, count: Self.chunkSize) }
    }

    /// Keeps a row from being given to a cluster, as something stands there already.
    mutating func block(_ row: Int) {
        if row < nextRow {
            if let free = freeRows.lastIndex(of: row) { freeRows.remove(at: free) }
        } else {
            freeRows.append(contentsOf: (max(nextRow, row - Self.largestGap)..<row).reversed())
            nextRow = row + 1
        }
    }

    /// Takes a cluster out; its row is free for another.
    mutating func remove(at row: Int) {
        guard let entry = self[row] else { return }
        byPseudonym.remove(row, hash: entry.pseudonym.high) { [chunks] in Self.hash($0, chunks, \.pseudonym.high) }
        if entry.sender != 0 { removeSender(entry.sender, at: row) }
        chunks[row / Self.chunkSize][row % Self.chunkSize] = nil
        freeRows.append(row)
        count -= 1
    }

    private mutating func removeSender(_ sender: UInt64, at row: Int) {
        bySender.remove(row, hash: sender) { [chunks] in Self.hash($0, chunks, \.sender) }
    }

    private static func hash(_ row: Int, _ chunks: [[Entry?]], _ key: (Entry) -> UInt64) -> UInt64 {
        chunks[row / chunkSize][row % chunkSize].map(key) ?? 0
    }
}

// SPDX-License-Identifier: Apache-2.0

import GRDB
public import TelemetryModel

/// What one cluster reported over a long time, for a store that has not seen it.
public struct ReportHistory: Sendable {
    /// A report that was repeated for a while.
    public struct Stay: Sendable {
        /// What the cluster said.
        public let report: Report
        /// The first and the last time that it was received; it is taken as seen on each day between.
        public let received: ClosedRange<UTCInstant>

        /// A report and when it was received.
        public init(_ report: Report, received: ClosedRange<UTCInstant>) {
            self.report = report
            self.received = received
        }
    }

    /// The cluster.
    public let cluster: Pseudonym
    /// Its reports, ordered by when they were first received.
    public let stays: [Stay]

    /// The history of a cluster.
    public init(cluster: Pseudonym, stays: [Stay]) {
        self.cluster = cluster
        self.stays = stays
    }
}

extension ReportStore {
    /// Takes whole histories of clusters that the store has not seen, as if each report had been submitted when it was
    /// received; all in one transaction.
    ///
    /// - Throws: `StoreError.unavailable`, also where a cluster is known already; then nothing was taken.
    public func load(_ histories: [ReportHistory]) async throws {
        try await write { [self] database in
            try queue.transaction(in: database) { writer in
                for history in histories { try writer.load(history) }
            }
        }
    }
}

extension ReportWriter {
    /// What is seen of a report within one month.
    private struct Piece {
        let month: CalendarMonth
        var stay: Int
        var hours: ClosedRange<Int>
        var days: Int
    }

    fileprivate mutating func load(_ history: ReportHistory) throws {
        guard try row(of: history.cluster) == nil else {
            throw StoreError.unavailable(reason: "a cluster of the history is in the store already")
        }
        let contents = try history.stays.map { stay in
            try ReportContent(stay.report, interner: &memory.interner, in: database)
        }
        var pieces: [Piece] = []
        for (number, stay) in history.stays.enumerated() {
            for piece in Self.pieces(of: stay, number) {
                let known = pieces.firstIndex {
                    $0.month == piece.month && contents[$0.stay].bytes == contents[piece.stay].bytes
                }
                if let known {
                    // What is said again is the last that was said.
                    pieces[known].stay = piece.stay
                    pieces[known].days |= piece.days
                    let hours = pieces[known].hours
                    pieces[known].hours =
                        min(hours.lowerBound, piece.hours.lowerBound)...max(hours.upperBound, piece.hours.upperBound)
                } else {
                    pieces.append(piece)
                }
            }
        }
        pieces.sort { ($0.month, $0.stay) < ($1.month, $1.stay) }
        try insert(history, pieces, contents)
    }

    private mutating func insert(
        _ history: ReportHistory,
        _ pieces: [Piece],
        _ contents: [ReportContent]
    ) throws {
        let row = try addCluster(history.cluster, seenOn: Self.firstDays(pieces))
        let digests = contents.map(\.digest)
        var seen: [ClusterHistory.Seen] = []
        let facts = try contents.map { try $0.facts(interner: &memory.interner, in: database) }
        for piece in pieces {
            let content = contents[piece.stay]
            let collector = history.stays[piece.stay].report.collector
            let ordinal = nextOrdinal()
            try Sighting(hours: piece.hours, days: piece.days, ordinal: ordinal, content: content.bytes)
                .insert(
                    row: row,
                    month: piece.month,
                    digest: digests[piece.stay],
                    collector: collector,
                    in: database
                )
            seen.append(
                ClusterHistory.Seen(
                    month: piece.month,
                    digest: digests[piece.stay],
                    collector: collector,
                    days: piece.days,
                    ordinal: Int64(ordinal),
                    content: content,
                    facts: facts[piece.stay]
                )
            )
        }
        try addHistory(ClusterHistory(seen), of: row)
    }

    /// A report's time, month by month.
    private static func pieces(of stay: ReportHistory.Stay, _ number: Int) -> [Piece] {
        let (first, last) = (stay.received.lowerBound, stay.received.upperBound)
        return (first.month.index...last.month.index).map { index in
            let month = CalendarMonth(index: index)
            let from = max(first, UTCInstant(startOf: month.firstDay))
            let through = min(last, UTCInstant(startOf: (month + 1).firstDay).advanced(bySeconds: -1))
            let days = (from.day.dayOfMonth...through.day.dayOfMonth).reduce(0) { $0 | 1 << ($1 - 1) }
            return Piece(month: month, stay: number, hours: from.hourOfMonth...through.hourOfMonth, days: days)
        }
    }

    /// The first two days that something was seen on.
    private static func firstDays(_ pieces: [Piece]) -> [UTCDay] {
        var days: [UTCDay] = []
        for (month, pieces) in Dictionary(grouping: pieces, by: \.month).sorted(by: { $0.key < $1.key }) {
            let bits = pieces.reduce(0) { $0 | $1.days }
            for day in 0..<31 where bits >> day & 1 == 1 {
                days.append(UTCDay(daysSinceEpoch: month.firstDay.daysSinceEpoch + day))
                if days.count == 2 { return days }
            }
        }
        return days
    }
}

// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import TelemetryModel

/// What a writer knows beside what is in the tables; right once its transaction is committed, else to be thrown away.
struct WriterMemory {
    /// Numbers of series and items.
    var interner = Interner()
    /// Rows and bytes of `change`; nil where they were not counted.
    var pending: (rows: Int, bytes: Int)?
    /// Peaks of the day of clusters that say many different things a day.
    var days = DayMemory()
    /// What was sent on within the last second.
    var places = SecondPlaces()
    /// Rows of derived tables that could not be read when changes were to be added to them.
    var damagedRows = 0
    /// Empty; the room for the changes of the next transaction.
    var room = TotalChanges()
}

/// Takes reports into the tables, within one transaction.
///
/// A sighting that is the last of its collector and already covers the hour is left as it is, so that the same report
/// again within an hour writes nothing.
struct ReportWriter {
    let database: Database
    var memory: WriterMemory
    var changes = TotalChanges()
    /// The clusters that the transaction touched, by row.
    private(set) var entries: [Int: ClusterIndex.Entry] = [:]
    private var newRows: [Pseudonym: Int] = [:]
    /// Once in how many hours a report that says the same is sent on; nil where none are sent on.
    let forwarding: Int?
    /// How many more reports wait to be sent on than before.
    var outboxChange = 0
    /// The row of a cluster that is committed.
    let find: (Pseudonym) throws -> (row: Int, entry: ClusterIndex.Entry)?
    private let newRow: (Int) -> Int
    private var ordinal: Int = 0
    private var firstOrdinal: Int = 0
    /// Totals of windows that begin before this month are finished.
    private(set) var followedFrom = CalendarMonth(index: 0)
    /// Whether there are no figures: every window counts as finished.
    var isForwardOnly: Bool { followedFrom.index == Meta.never }

    /// A writer.
    ///
    /// - Parameters:
    ///   - database: The writing connection, in a transaction.
    ///   - memory: What the last committed transaction left.
    ///   - forwarding: Once in how many hours a report that says the same is sent on; nil where none are sent on.
    ///   - find: The row of a cluster that is committed.
    ///   - newRow: The row for a new cluster after so many others of this transaction.
    /// - Throws: What SQLite says.
    init(
        _ database: Database,
        memory: WriterMemory,
        forwarding: Int? = nil,
        find: @escaping (Pseudonym) throws -> (row: Int, entry: ClusterIndex.Entry)?,
        newRow: @escaping (Int) -> Int
    ) throws {
        self.database = database
        self.memory = memory
        self.forwarding = forwarding
        self.find = find
        self.newRow = newRow
        self.memory.interner.trim()
        swap(&changes, &self.memory.room)
        firstOrdinal = try Meta.number(Meta.ordinal, in: database)
        ordinal = firstOrdinal
        followedFrom = CalendarMonth(index: try Meta.number(Meta.followedFrom, in: database))
    }

    /// Takes a report that was decoded.
    mutating func take(_ accepted: AcceptedReport, as fingerprint: Fingerprint?) throws -> ReportStore.Outcome {
        try refuseFinished(accepted.receivedAt.month)
        let content = try ReportContent(accepted.report, interner: &memory.interner, in: database)
        var sender = try Sender(cluster(accepted.cluster, seenAt: accepted.receivedAt))
        if let fingerprint { sender.entry.sender = fingerprint.cluster }
        let state = State(
            digest: content.digest,
            collector: accepted.report.collector,
            fingerprint: fingerprint?.content ?? 0,
            instant: accepted.receivedAt
        )
        let known = sender.isNew ? nil : try Sighting(of: state, row: sender.row, in: database)
        if let known {
            try extend(known, state, of: sender)
        } else {
            try insert(content, state, of: sender)
        }
        note(state, of: sender)
        return known == nil ? .newState : .knownState
    }

    /// Takes a report that was recognised; says whether it still could.
    mutating func takeAgain(_ recognised: ClusterIndex.Recognised, at instant: UTCInstant) throws -> Bool {
        guard let collector = recognised.latest.collector, try row(of: recognised.cluster) != nil else { return false }
        try refuseFinished(instant.month)
        let sender = try Sender(cluster(recognised.cluster, seenAt: instant))
        let state = State(
            digest: recognised.latest.digest,
            collector: collector,
            fingerprint: recognised.latest.fingerprint,
            instant: instant
        )
        guard let known = try Sighting(of: state, row: sender.row, in: database) else { return false }
        try extend(known, state, of: sender)
        note(state, of: sender)
        return true
    }

    /// Refuses a report of a month that a finished window holds: there it would count nowhere, and nobody would know.
    ///
    /// Rows are kept for more than a year, so that this is no month that a clock shows in the course of time.
    private func refuseFinished(_ month: CalendarMonth) throws(StoreError) {
        guard isForwardOnly || month - (Window.Length.year.months - 1) >= followedFrom else { throw .clockBehind }
    }

    /// Writes what was collected.
    mutating func finish() throws {
        if !changes.isEmpty { try TotalsTable.append(changes, &memory, in: database) }
        changes.removeAll()
        swap(&changes, &memory.room)
        if ordinal != firstOrdinal { try Meta.set(Meta.ordinal, to: ordinal, in: database) }
    }
}

// MARK: - Clusters

extension ReportWriter {
    /// A cluster in this transaction.
    private struct Sender {
        let row: Int
        var entry: ClusterIndex.Entry
        let isNew: Bool

        init(_ found: (row: Int, entry: ClusterIndex.Entry, isNew: Bool)) {
            (row, entry, isNew) = found
        }
    }

    /// The row of a cluster that is committed or new in this transaction.
    func row(of cluster: Pseudonym) throws -> Int? { try newRows[cluster] ?? find(cluster)?.row }

    /// The cluster, made or brought up to date with the day of a report.
    private mutating func cluster(
        _ pseudonym: Pseudonym,
        seenAt instant: UTCInstant
    ) throws -> (row: Int, entry: ClusterIndex.Entry, isNew: Bool) {
        let day = Int32(clamping: instant.day.daysSinceEpoch)
        let committed = newRows[pseudonym] == nil ? try find(pseudonym) : nil
        guard let row = newRows[pseudonym] ?? committed?.row, var entry = entries[row] ?? committed?.entry else {
            let row = try addCluster(pseudonym, seenOn: [instant.day])
            return (row, ClusterIndex.Entry(pseudonym: pseudonym, firstDay: day, secondDay: .max), true)
        }
        let old = entry
        entry.see(day)
        if entry.firstDay != old.firstDay || entry.secondDay != old.secondDay {
            try database.cachedStatement(sql: "UPDATE cluster SET first_day = ?, second_day = ? WHERE id = ?")
                .execute(arguments: [entry.firstDay, entry.secondDay == .max ? nil : entry.secondDay, row])
            try establish(row, from: old, to: entry)
        }
        return (row, entry, false)
    }

    /// Adds a cluster that was seen on these days first.
    mutating func addCluster(_ pseudonym: Pseudonym, seenOn days: [UTCDay]) throws -> Int {
        let row = newRow(newRows.count)
        newRows[pseudonym] = row
        let (first, second) = (days.first?.daysSinceEpoch ?? 0, days.count > 1 ? days[1].daysSinceEpoch : nil)
        try database.run(
            "INSERT INTO cluster (id, pseudonym, first_day, second_day) VALUES (?, ?, ?, ?)",
            [.number(row), .bytes(pseudonym.bytes), .number(first), second.map(Cell.number) ?? .null]
        )
        entries[row] = ClusterIndex.Entry(
            pseudonym: pseudonym,
            firstDay: Int32(clamping: first),
            secondDay: second.map { Int32(clamping: $0) } ?? .max
        )
        return row
    }

    /// Adds the months and the totals of a cluster whose reports are all there.
    mutating func addHistory(_ history: ClusterHistory, of row: Int) throws {
        let scope = ClusterMonths.Scope(
            followedFrom: followedFrom,
            establishedSince: entries[row]?.establishedSince
        )
        let months = try withMetrics { try history.add(to: &$0, scope: scope, metric: $1) }
        for month in months { try StoredMonths.store(month.summary, of: row, month.month, in: database) }
    }

    /// The place of the next report in the order of acceptance.
    mutating func nextOrdinal() -> Int {
        ordinal += 1
        return ordinal
    }

    /// Adds a cluster's months, and the day that became its second, to the totals of the established ones.
    private mutating func establish(
        _ row: Int,
        from old: ClusterIndex.Entry,
        to new: ClusterIndex.Entry
    ) throws {
        guard new.secondDay != old.secondDay, !isForwardOnly else { return }
        let second = UTCDay(daysSinceEpoch: Int(new.secondDay))
        var scope = ClusterMonths.Scope(followedFrom: followedFrom, establishedSince: second)
        scope.isOnlyEstablished = true
        if old.secondDay != .max {
            scope.established = second.month..<UTCDay(daysSinceEpoch: Int(old.secondDay)).month
        }
        var months = ClusterMonths(scope: scope)
        for month in try StoredMonths.fetch(row, in: database) {
            try add(month.summary.peaks, lasts: [], in: month.month, to: &months)
        }
        guard new.secondDay == old.firstDay else { return }
        var none = MonthSummary()
        let peaks = try dayPeaks(of: row, on: second, without: nil).peaks
        months.add(peaks, beside: &none, onDays: second.bit, of: second.month, to: &changes)
    }

    /// Remembers a report as its collector's last, for when the transaction is committed.
    private mutating func note(_ state: State, of sender: Sender) {
        var entry = sender.entry
        entry.note(
            ClusterIndex.Latest(
                fingerprint: state.fingerprint,
                digest: state.digest,
                hour: state.hourSinceEpoch,
                collector: state.collector
            )
        )
        entries[sender.row] = entry
    }
}

// MARK: - Sightings

extension ReportWriter {
    /// Keeps a report that the cluster had not sent in the month.
    private mutating func insert(_ content: ReportContent, _ state: State, of sender: Sender) throws {
        ordinal += 1
        if !isForwardOnly { try count(content, state, of: sender) }
        let hours = state.hour...state.hour
        try Sighting(hours: hours, days: state.dayBit, ordinal: ordinal, content: content.bytes)
            .insert(
                row: sender.row,
                month: state.month,
                digest: state.digest,
                collector: state.collector,
                in: database
            )
        changes.use(content.series, by: 1)
        try forward(state, of: sender.row)
    }

    /// Adds a report that the cluster had not sent in the month to the day and to all windows that hold it.
    private mutating func count(_ content: ReportContent, _ state: State, of sender: Sender) throws {
        let facts = try content.facts(interner: &memory.interner, in: database)
        try addDay(facts, state, of: sender)
        var months = try months(of: sender, around: state.month)
        try setLast(facts, facts.peaks, state, of: sender, in: &months)
    }

    /// Brings a sighting up to date, where there is anything to bring.
    private mutating func extend(_ known: Sighting, _ state: State, of sender: Sender) throws {
        var sighting = known
        let isLatest = try isLatest(known, state, of: sender)
        sighting.cover(hour: state.hour, day: state.dayBit)
        if isLatest, sighting == known { return }
        if !isLatest {
            ordinal += 1
            sighting.ordinal = ordinal
        }
        if !isForwardOnly, sighting.days != known.days || !isLatest {
            let content = try ReportContent(bytes: known.content, interner: &memory.interner, in: database)
            let facts = try content.facts(interner: &memory.interner, in: database)
            if sighting.days != known.days { try addDay(facts, state, of: sender) }
            if !isLatest {
                var months = try months(of: sender, around: state.month)
                try setLast(facts, [], state, of: sender, in: &months)
            }
        }
        try sighting.update(state, row: sender.row, in: database)
        if !isLatest || isDue(known, state) { try forward(state, of: sender.row) }
    }

    /// Whether no report was accepted later that this one has to be told from: one of the same collector, or of the other
    /// generation.
    ///
    /// The two collectors of v1 report in turn, and which of them was last says nothing.
    private func isLatest(_ sighting: Sighting, _ state: State, of sender: Sender) throws -> Bool {
        if let known = sender.entry.isLatest(state.digest, of: state.collector, in: state.month) { return known }
        return try !Sighting.isAny(
            of: sender.row,
            after: sighting.ordinal,
            butOf: state.collector.sibling,
            in: database
        )
    }

    /// The months that share a window with one.
    private func months(of sender: Sender, around month: CalendarMonth) throws -> ClusterMonths {
        let scope = ClusterMonths.Scope(followedFrom: followedFrom, establishedSince: sender.entry.establishedSince)
        let months = sender.isNew ? [] : try StoredMonths.fetch(sender.row, around: month, in: database)
        return ClusterMonths(months, scope: scope)
    }

    /// Makes a report its collector's last of the month, adds its peaks, and keeps what the month comes to.
    private mutating func setLast(
        _ facts: ReportFacts,
        _ peaks: [Peak],
        _ state: State,
        of sender: Sender,
        in months: inout ClusterMonths
    ) throws {
        let last = MonthSummary.Last(
            collector: state.collector,
            ordinal: Int64(ordinal),
            metrics: facts.metrics,
            values: facts.values
        )
        try add(peaks, lasts: [last], in: state.month, to: &months)
        try StoredMonths.store(months[state.month], of: sender.row, state.month, in: database)
    }

    /// Adds to a cluster's months, and what that changes to the totals.
    private mutating func add(
        _ peaks: [Peak],
        lasts: [MonthSummary.Last],
        in month: CalendarMonth,
        to months: inout ClusterMonths
    ) throws {
        try withMetrics { try months.add(peaks, lasts: lasts, in: month, to: &$0, metric: $1) }
    }

    /// Calls a body with the changes so far, and with what tells the metric of an item.
    mutating func withMetrics<Value>(
        _ body: (_ changes: inout TotalChanges, _ metric: (Int) throws -> Metric) throws -> Value
    ) throws -> Value {
        let database = database
        // Taken out meanwhile, as the body has the changes of this writer, too.
        var interner = Interner()
        swap(&interner, &memory.interner)
        defer { swap(&interner, &memory.interner) }
        return try body(&changes) { try interner.metric(of: $0, in: database) }
    }
}

// MARK: - Days

extension ReportWriter {
    /// Adds a report that was not seen on its day before to the totals of the day.
    private mutating func addDay(_ facts: ReportFacts, _ state: State, of sender: Sender) throws {
        let day = state.instant.day
        var others = sender.isNew ? MonthSummary() : try dayPeaks(of: sender.row, on: day, without: state.digest)
        let months = ClusterMonths(
            scope: .init(followedFrom: followedFrom, establishedSince: sender.entry.establishedSince)
        )
        months.add(facts.peaks, beside: &others, onDays: state.dayBit, of: state.month, to: &changes)
        memory.days.set(others.peaks, of: sender.row, on: day)
    }

    /// What the reports of a cluster that were seen on a day come to, but for one.
    private mutating func dayPeaks(of row: Int, on day: UTCDay, without digest: Int64?) throws -> MonthSummary {
        if let known = memory.days.peaks(of: row, on: day) { return MonthSummary(peaks: known) }
        var peaks = MonthSummary()
        var count = 0
        for content in try Sighting.contents(of: row, on: day, without: digest, in: database) {
            let report = try ReportContent(bytes: content, interner: &memory.interner, in: database)
            _ = peaks.raise(try report.facts(interner: &memory.interner, in: database).peaks)
            count += 1
        }
        if count >= DayMemory.many { memory.days.remember(row) }
        return peaks
    }
}

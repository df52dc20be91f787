// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import TelemetryModel

/// Takes reports into the tables, within one transaction.
///
/// A sighting that is the last of its collector and already covers the hour is left as it is, so that the same report
/// again within an hour writes nothing.
struct ReportWriter {
    let database: Database
    /// The numbers of series and figures; what it learnt holds once the transaction is committed.
    var interner: Interner
    var totals = TotalChanges()
    private var ordinal: Int64 = 0
    private var firstOrdinal: Int64 = 0

    /// A stored sighting, without its key.
    private struct Sighting {
        var firstHour: Int
        var lastHour: Int
        var days: Int
        var ordinal: Int64
    }

    init(_ database: Database, interner: Interner) {
        self.database = database
        self.interner = interner
    }

    /// Reads where the last transaction left off.
    mutating func begin() throws {
        firstOrdinal = try Int64.fetchOne(database, sql: "SELECT value FROM meta WHERE name = 'ordinal'") ?? 0
        ordinal = firstOrdinal
    }

    /// Takes one report; says whether it was a new state of its cluster.
    mutating func take(_ accepted: AcceptedReport) throws -> Bool {
        let cluster = try clusterRow(of: accepted)
        let digest = Data(accepted.report.digest.prefix(16))
        let month = accepted.receivedAt.month
        let collector = accepted.report.collector
        if let sighting = try sighting(cluster.id, month, digest) {
            try extend(sighting, cluster: cluster.id, digest: digest, collector: collector, at: accepted.receivedAt)
            if cluster.becameEstablished { try count(accepted, cluster: cluster) }
            return false
        }
        let isNew = try insertReport(accepted.report, cluster: cluster.id, digest: digest)
        try insertSighting(cluster: cluster.id, digest: digest, collector: collector, at: accepted.receivedAt)
        try count(accepted, cluster: cluster)
        return isNew
    }

    /// Writes what was collected.
    mutating func finish() throws {
        try writeTotals()
        guard ordinal != firstOrdinal else { return }
        try database.execute(
            sql: """
                INSERT INTO meta (name, value) VALUES ('ordinal', ?)
                ON CONFLICT (name) DO UPDATE SET value = excluded.value
                """,
            arguments: [ordinal]
        )
    }
}

// MARK: - Clusters

extension ReportWriter {
    /// A cluster and what the report changed of it.
    struct ClusterRow {
        let id: Int64
        let establishedBefore: CalendarMonth?
        let establishedAfter: CalendarMonth?

        var becameEstablished: Bool { establishedBefore != establishedAfter }
    }

    /// The cluster's row, made or brought up to date with the day of the report.
    private func clusterRow(of accepted: AcceptedReport) throws -> ClusterRow {
        let pseudonym = Data(accepted.cluster.bytes)
        let day = accepted.receivedAt.day
        let statement = try database.cachedStatement(
            sql: "SELECT id, first_day, second_day FROM cluster WHERE pseudonym = ?"
        )
        guard let row = try Row.fetchOne(statement, arguments: [pseudonym]) else {
            try database.cachedStatement(sql: "INSERT INTO cluster (pseudonym, first_day) VALUES (?, ?)")
                .execute(arguments: [pseudonym, day.daysSinceEpoch])
            return ClusterRow(id: database.lastInsertedRowID, establishedBefore: nil, establishedAfter: nil)
        }
        let id: Int64 = row[0]
        let (first, second): (Int, Int?) = (row[1], row[2])
        let days = Set([first, second, day.daysSinceEpoch].compactMap { $0 }).sorted()
        let (newFirst, newSecond) = (days[0], days.count > 1 ? days[1] : nil)
        if newFirst != first || newSecond != second {
            try database.cachedStatement(sql: "UPDATE cluster SET first_day = ?, second_day = ? WHERE id = ?")
                .execute(arguments: [newFirst, newSecond, id])
        }
        return ClusterRow(
            id: id,
            establishedBefore: second.map { UTCDay(daysSinceEpoch: $0).month },
            establishedAfter: newSecond.map { UTCDay(daysSinceEpoch: $0).month }
        )
    }
}

// MARK: - Sightings

extension ReportWriter {
    private func sighting(_ cluster: Int64, _ month: CalendarMonth, _ digest: Data) throws -> Sighting? {
        let statement = try database.cachedStatement(
            sql: """
                SELECT first_hour, last_hour, days, ordinal FROM sighting
                WHERE cluster = ? AND month = ? AND digest = ?
                """
        )
        return try Row.fetchOne(statement, arguments: [cluster, month.index, digest]).map {
            Sighting(firstHour: $0[0], lastHour: $0[1], days: $0[2], ordinal: $0[3])
        }
    }

    /// Keeps the report's content unless the cluster has said it before; says whether it is new.
    private mutating func insertReport(_ report: Report, cluster: Int64, digest: Data) throws -> Bool {
        let known = try database.cachedStatement(sql: "SELECT 1 FROM report WHERE cluster = ? AND digest = ?")
        if try Row.fetchOne(known, arguments: [cluster, digest]) != nil { return false }
        let content = try ReportCodec.encode(report, interner: &interner, in: database)
        try database.cachedStatement(sql: "INSERT INTO report (cluster, digest, content) VALUES (?, ?, ?)")
            .execute(arguments: [cluster, digest, Data(content)])
        return true
    }

    private mutating func insertSighting(
        cluster: Int64,
        digest: Data,
        collector: Collector,
        at instant: UTCInstant
    ) throws {
        ordinal += 1
        let statement = try database.cachedStatement(
            sql: """
                INSERT INTO sighting (cluster, month, digest, collector, first_hour, last_hour, days, ordinal)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """
        )
        let hour = instant.hourOfMonth
        try statement.execute(
            arguments: [
                cluster, instant.month.index, digest, Int(collector.rawValue), hour, hour, instant.dayBit, ordinal,
            ]
        )
    }

    /// Brings a sighting up to date, where there is anything to bring.
    private mutating func extend(
        _ sighting: Sighting,
        cluster: Int64,
        digest: Data,
        collector: Collector,
        at instant: UTCInstant
    ) throws {
        let hour = instant.hourOfMonth
        let isLast = try !isSuperseded(sighting, of: collector, cluster: cluster)
        let isCovered = (sighting.firstHour...sighting.lastHour).contains(hour) && sighting.days & instant.dayBit != 0
        if isLast && isCovered { return }
        if !isLast { ordinal += 1 }
        let statement = try database.cachedStatement(
            sql: """
                UPDATE sighting SET first_hour = ?, last_hour = ?, days = ?, ordinal = ?
                WHERE cluster = ? AND month = ? AND digest = ?
                """
        )
        try statement.execute(
            arguments: [
                min(sighting.firstHour, hour), max(sighting.lastHour, hour), sighting.days | instant.dayBit,
                isLast ? sighting.ordinal : ordinal, cluster, instant.month.index, digest,
            ]
        )
    }

    /// Whether a report was accepted later that this one has to be told from: one of the same collector, or of the
    /// other generation.
    ///
    /// The two collectors of v1 report in turn, and which of them was last says nothing.
    private func isSuperseded(_ sighting: Sighting, of collector: Collector, cluster: Int64) throws -> Bool {
        let statement = try database.cachedStatement(
            sql: "SELECT 1 FROM sighting WHERE cluster = ? AND ordinal > ? AND collector <> ? LIMIT 1"
        )
        let sibling: Collector? =
            switch collector {
            case .v0: nil
            case .v1Operator: .v1Controller
            case .v1Controller: .v1Operator
            }
        let arguments: StatementArguments = [cluster, sighting.ordinal, sibling.map { Int($0.rawValue) } ?? -1]
        return try Row.fetchOne(statement, arguments: arguments) != nil
    }
}

extension UTCInstant {
    /// Hours since the start of the month, 0 to 743.
    fileprivate var hourOfMonth: Int { (day.dayOfMonth - 1) * 24 + hourOfDay }

    /// The bit of the day in a month's set of days.
    fileprivate var dayBit: Int { 1 << (day.dayOfMonth - 1) }
}

// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import TelemetryModel

/// A report as it arrives: what it is known by, and when.
struct State {
    let digest: Int64
    let collector: Collector
    /// What it is recognised by; 0 where it was not received.
    let fingerprint: UInt64
    let instant: UTCInstant
    let month: CalendarMonth
    /// Hours since the start of the month, 0 to 743.
    let hour: Int
    /// The bit of the day in a month's set of days.
    let dayBit: Int

    init(digest: Int64, collector: Collector, fingerprint: UInt64, instant: UTCInstant) {
        self.digest = digest
        self.collector = collector
        self.fingerprint = fingerprint
        self.instant = instant
        let day = instant.day
        month = day.month
        hour = instant.hourOfMonth
        dayBit = day.bit
    }

    /// Hours since 1970.
    var hourSinceEpoch: Int32 { instant.hourSinceEpoch }
}

extension UTCDay {
    /// The bit of the day in a month's set of days.
    var bit: Int { 1 << (dayOfMonth - 1) }
}

extension UTCInstant {
    /// Hours since the start of the month, 0 to 743.
    var hourOfMonth: Int { (day.dayOfMonth - 1) * 24 + hourOfDay }

    /// Hours since 1970.
    var hourSinceEpoch: Int32 { Int32(clamping: day.daysSinceEpoch * 24 + hourOfDay) }
}

extension Collector {
    /// The collector that reports in turn with this one.
    var sibling: Collector? {
        switch self {
        case .v0: nil
        case .v1Operator: .v1Controller
        case .v1Controller: .v1Operator
        }
    }
}

/// A row of `sighting`, without its key.
struct Sighting: Equatable {
    var firstHour: Int
    var lastHour: Int
    var days: Int
    var ordinal: Int
    let content: [UInt8]

    /// The row of a report in its month; nil where there is none.
    init?(of state: State, row: Int, in database: Database) throws {
        let statement = try database.cachedStatement(
            sql: """
                SELECT first_hour, last_hour, days, ordinal, content FROM sighting
                WHERE cluster = ? AND month = ? AND digest = ?
                """
        )
        let arguments: StatementArguments = [row, state.month.index, state.digest]
        guard let found = try Row.fetchOne(statement, arguments: arguments) else { return nil }
        firstHour = try found.number(0, in: StoredNumbers.hours, of: "sighting")
        lastHour = try found.number(1, in: StoredNumbers.hours, of: "sighting")
        days = try found.number(2, in: StoredNumbers.daySets, of: "sighting")
        ordinal = try found.number(3, in: StoredNumbers.ordinals, of: "sighting")
        content = try found.bytes(4, of: "sighting")
    }

    /// Notes that the report was seen.
    mutating func cover(hour: Int, day: Int) {
        firstHour = min(firstHour, hour)
        lastHour = max(lastHour, hour)
        days |= day
    }

    /// A sighting that is not stored yet.
    init(hours: ClosedRange<Int>, days: Int, ordinal: Int, content: [UInt8]) {
        (firstHour, lastHour) = (hours.lowerBound, hours.upperBound)
        (self.days, self.ordinal, self.content) = (days, ordinal, content)
    }

    /// Adds the row.
    func insert(
        row: Int,
        month: CalendarMonth,
        digest: Int64,
        collector: Collector,
        in database: Database
    ) throws {
        try database.run(
            """
            INSERT INTO sighting (cluster, month, digest, collector, first_hour, last_hour, days, ordinal, content)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .number(row), .number(month.index), .number(digest), .number(Int(collector.rawValue)),
                .number(firstHour), .number(lastHour), .number(days), .number(ordinal), .bytes(content),
            ]
        )
    }

    /// Writes the row.
    func update(_ state: State, row: Int, in database: Database) throws {
        try database.run(
            """
            UPDATE sighting SET first_hour = ?, last_hour = ?, days = ?, ordinal = ?
            WHERE cluster = ? AND month = ? AND digest = ?
            """,
            [
                .number(firstHour), .number(lastHour), .number(days), .number(ordinal), .number(row),
                .number(state.month.index), .number(state.digest),
            ]
        )
    }

    /// Whether a cluster's report was accepted behind a place in the order of all, but for those of a collector.
    static func isAny(
        of row: Int,
        after ordinal: Int,
        butOf collector: Collector?,
        in database: Database
    ) throws -> Bool {
        let statement = try database.cachedStatement(
            sql: "SELECT 1 FROM sighting WHERE cluster = ? AND ordinal > ? AND collector IS NOT ? LIMIT 1"
        )
        return try Row.fetchOne(statement, arguments: [row, ordinal, collector?.rawValue]) != nil
    }

    /// The contents of a cluster's reports that were seen on a day, but for one.
    static func contents(
        of row: Int,
        on day: UTCDay,
        without digest: Int64?,
        in database: Database
    ) throws -> [[UInt8]] {
        let statement = try database.cachedStatement(
            sql: """
                SELECT content FROM sighting
                WHERE cluster = ? AND month = ? AND days & ? <> 0 AND digest IS NOT ?
                """
        )
        return try Data.fetchAll(statement, arguments: [row, day.month.index, day.bit, digest]).map { Array($0) }
    }
}

/// The rows of `month`.
enum StoredMonths {
    /// All months of a cluster, in order.
    static func fetch(_ row: Int, in database: Database) throws -> [ClusterMonths.Month] {
        try fetch(row, from: Int.min, to: Int.max, in: database)
    }

    /// The months of a cluster that share a window with one, and that one.
    static func fetch(
        _ row: Int,
        around month: CalendarMonth,
        in database: Database
    ) throws -> [ClusterMonths.Month] {
        let span = Window.Length.year.months - 1
        return try fetch(row, from: month.index - span, to: month.index + span, in: database)
    }

    /// The months of a cluster that are in a range, in order.
    static func fetch(
        _ row: Int,
        in months: ClosedRange<CalendarMonth>,
        _ database: Database
    ) throws -> [ClusterMonths.Month] {
        try fetch(row, from: months.lowerBound.index, to: months.upperBound.index, in: database)
    }

    private static func fetch(
        _ row: Int,
        from first: Int,
        to last: Int,
        in database: Database
    ) throws -> [ClusterMonths.Month] {
        let statement = try database.cachedStatement(
            sql: "SELECT month, peaks, lasts FROM month WHERE cluster = ? AND month BETWEEN ? AND ? ORDER BY month"
        )
        return try Row.fetchAll(statement, arguments: [row, first, last]).map { found in
            let (peaks, lasts) = (try found.bytes(1, of: "month"), try found.bytes(2, of: "month"))
            let summary = try MonthSummary(peakBytes: peaks, lastBytes: lasts)
            return ClusterMonths.Month(month: try found.month(0, of: "month"), summary: summary)
        }
    }

    /// Keeps what a cluster's month comes to.
    static func store(
        _ summary: MonthSummary,
        of row: Int,
        _ month: CalendarMonth,
        in database: Database
    ) throws {
        try database.run(
            """
            INSERT INTO month (cluster, month, peaks, lasts) VALUES (?, ?, ?, ?)
            ON CONFLICT (cluster, month) DO UPDATE SET peaks = excluded.peaks, lasts = excluded.lasts
            """,
            [.number(row), .number(month.index), .bytes(summary.peakBytes), .bytes(summary.lastBytes)]
        )
    }
}

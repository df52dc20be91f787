// SPDX-License-Identifier: Apache-2.0

import GRDB
public import TelemetryModel

// The last time that the receiving clock was believed. It is not taken from reports, whose times are that clock's own.
extension ReportStore {
    /// The last time that was believed, in whole hours; the end of the last month that is counted where the store is older
    /// than that was remembered, and nil where it is empty.
    ///
    /// - Throws: `StoreError`.
    public func lastBelievedTime() async throws -> UTCInstant? {
        do {
            return try await pool.read { database in
                let hours = try Meta.number(Meta.clock, in: database)
                if hours > 0 { return UTCInstant(secondsSinceEpoch: Int64(hours) * 3_600) }
                let sql = "SELECT max(end) FROM total WHERE length = 1 AND end <= ?"
                let last = try Int.fetchOne(database, sql: sql, arguments: [StoredNumbers.months.upperBound])
                return last.map { UTCInstant(startOf: (CalendarMonth(index: $0) + 1).firstDay) }
            }
        } catch {
            throw StoreError(error)
        }
    }

    /// Remembers a time as believed; an earlier one than the last changes nothing.
    ///
    /// - Throws: `StoreError`.
    public func believe(_ instant: UTCInstant) async throws {
        let hours = Int(instant.hourSinceEpoch)
        guard StoredNumbers.hoursSinceEpoch.contains(hours) else { return }
        try await write { [queue] database in
            try queue.transaction(in: database) { writer in
                guard try Meta.number(Meta.clock, in: writer.database) < hours else { return }
                try Meta.set(Meta.clock, to: hours, in: writer.database)
            }
        }
    }
}

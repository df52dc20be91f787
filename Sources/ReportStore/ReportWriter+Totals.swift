// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import TelemetryModel

extension ReportWriter {
    /// Brings the cluster's peaks and the totals of all windows up to date with a report.
    mutating func count(_ accepted: AcceptedReport, cluster: ClusterRow) throws {
        let month = accepted.receivedAt.month
        let own = try peaks(of: cluster.id, from: month, to: month)[month]
        var raised = own ?? [:]
        raised.merge(accepted.report.figures, uniquingKeysWith: max)
        guard raised != own || cluster.becameEstablished else { return }
        let span = Window.Length.year.months - 1
        let stored =
            cluster.becameEstablished
            ? try peaks(of: cluster.id) : try peaks(of: cluster.id, from: month - span, to: month + span)
        let before = ClusterPeaks(byMonth: stored, establishedIn: cluster.establishedBefore)
        var after = ClusterPeaks(byMonth: stored, establishedIn: cluster.establishedAfter)
        after.byMonth[month] = raised
        if raised != own { try store(raised, cluster: cluster.id, month: month) }
        if cluster.becameEstablished {
            let windows = Set(after.byMonth.keys.flatMap(Window.containing))
            totals.add(before: before, after: after, in: windows, figures: Set(after.byMonth.values.flatMap(\.keys)))
        } else {
            let changed = Set(raised.filter { own?[$0.key] != $0.value }.keys)
            totals.add(before: before, after: after, in: Window.containing(month), figures: changed)
        }
    }

    private mutating func peaks(
        of cluster: Int64,
        from first: CalendarMonth = CalendarMonth(index: 0),
        to last: CalendarMonth = CalendarMonth(index: .max)
    ) throws -> [CalendarMonth: [Figure: Int64]] {
        let statement = try database.cachedStatement(
            sql: "SELECT month, peaks FROM peak WHERE cluster = ? AND month BETWEEN ? AND ?"
        )
        var peaks: [CalendarMonth: [Figure: Int64]] = [:]
        for row in try Row.fetchAll(statement, arguments: [cluster, first.index, last.index]) {
            var reader = ByteReader(Array(row[1] as Data))
            var values: [Figure: Int64] = [:]
            while !reader.isAtEnd {
                guard let id = reader.number(), let value = reader.number(),
                    let figure = try interner.figure(id, in: database)
                else { throw StoreError.unavailable(reason: "a row of peaks is damaged") }
                values[figure] = value
            }
            peaks[CalendarMonth(index: row[0])] = values
        }
        return peaks
    }

    private mutating func store(_ peaks: [Figure: Int64], cluster: Int64, month: CalendarMonth) throws {
        var writer = ByteWriter()
        for (figure, value) in peaks {
            writer.write(try interner.id(of: figure, in: database))
            writer.write(value)
        }
        let statement = try database.cachedStatement(
            sql: """
                INSERT INTO peak (cluster, month, peaks) VALUES (?, ?, ?)
                ON CONFLICT (cluster, month) DO UPDATE SET peaks = excluded.peaks
                """
        )
        try statement.execute(arguments: [cluster, month.index, Data(writer.bytes)])
    }

    /// Adds the changes to the totals.
    ///
    /// They are added here and not in SQL, where a sum beyond 64 bits becomes a float.
    mutating func writeTotals() throws {
        let read = try database.cachedStatement(
            sql: "SELECT all_clusters, established FROM total WHERE end_month = ? AND length = ? AND figure = ?"
        )
        let write = try database.cachedStatement(
            sql: """
                INSERT INTO total (end_month, length, figure, all_clusters, established) VALUES (?, ?, ?, ?, ?)
                ON CONFLICT (end_month, length, figure) DO UPDATE
                SET all_clusters = excluded.all_clusters, established = excluded.established
                """
        )
        for (key, change) in totals.changes {
            let figure = try interner.id(of: key.figure, in: database)
            let row: [any DatabaseValueConvertible] = [key.window.end.index, key.window.length.months, figure]
            let old = try Row.fetchOne(read, arguments: StatementArguments(row))
            guard let all = Int128(old?[0] ?? "0"), let established = Int128(old?[1] ?? "0") else {
                throw StoreError.unavailable(reason: "a row of totals is damaged")
            }
            let sums = ["\(all + change.all)", "\(established + change.established)"]
            try write.execute(arguments: StatementArguments(row + sums))
        }
    }
}

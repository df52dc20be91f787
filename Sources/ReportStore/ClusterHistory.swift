// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import TelemetryModel

/// Everything that the store has of one cluster, and all that follows from it: what a check compares, a migration makes,
/// and an erasure takes off the totals.
struct ClusterHistory {
    /// A report that was seen in a month.
    struct Seen {
        let month: CalendarMonth
        /// What the row is known by.
        let digest: Int64
        let collector: Collector
        let days: Int
        let ordinal: Int64
        let content: ReportContent
        let facts: ReportFacts
    }

    /// The reports in order of acceptance.
    let reports: [Seen]

    init(_ reports: [Seen]) {
        self.reports = reports.sorted { $0.ordinal < $1.ordinal }
    }

    /// Reads a cluster's rows.
    init(of row: Int, _ interner: inout Interner, in database: Database) throws {
        let statement = try database.cachedStatement(
            sql: """
                SELECT month, collector, days, ordinal, content, digest, first_hour, last_hour
                FROM sighting WHERE cluster = ?
                """
        )
        var reports: [Seen] = []
        let rows = try Row.fetchCursor(statement, arguments: [row])
        while let found = try rows.next() {
            let bytes = try found.bytes(4, of: "sighting")
            let content = try ReportContent(bytes: bytes, interner: &interner, in: database)
            for column in [6, 7] { _ = try found.number(column, in: StoredNumbers.hours, of: "sighting") }
            reports.append(
                Seen(
                    month: try found.month(0, of: "sighting"),
                    digest: Int64(try found.number(5, of: "sighting")),
                    collector: try found.collector(1, of: "sighting"),
                    days: try found.number(2, in: StoredNumbers.daySets, of: "sighting"),
                    ordinal: Int64(try found.number(3, in: StoredNumbers.ordinals, of: "sighting")),
                    content: content,
                    facts: try content.facts(interner: &interner, in: database)
                )
            )
        }
        self.init(reports)
    }

    /// Adds everything to the totals; returns what the months come to.
    func add(
        to changes: inout TotalChanges,
        scope: ClusterMonths.Scope,
        metric: (Int) throws -> Metric
    ) rethrows -> [ClusterMonths.Month] {
        var months = ClusterMonths(scope: scope)
        for (month, reports) in Dictionary(grouping: reports, by: \.month).sorted(by: { $0.key < $1.key }) {
            var summary = MonthSummary()
            for report in reports {
                _ = summary.raise(report.facts.peaks)
                summary.setLast(report.last)
            }
            try months.add(summary.peaks, lasts: summary.lasts, in: month, to: &changes, metric: metric)
            addDays(of: month, reports, months, to: &changes)
        }
        for report in reports { changes.use(report.content.series, by: scope.isRemoval ? -1 : 1) }
        return months.months
    }

    /// Adds the days of a month, those with the same reports at once.
    private func addDays(
        of month: CalendarMonth,
        _ reports: [Seen],
        _ months: ClusterMonths,
        to changes: inout TotalChanges
    ) {
        var groups: [(reports: [Int], days: Int)] = []
        for day in 0..<31 {
            let seen = reports.indices.filter { reports[$0].days >> day & 1 == 1 }
            guard !seen.isEmpty else { continue }
            if let known = groups.firstIndex(where: { $0.reports == seen }) {
                groups[known].days |= 1 << day
            } else {
                groups.append((seen, 1 << day))
            }
        }
        for group in groups {
            var peaks = MonthSummary()
            for position in group.reports { _ = peaks.raise(reports[position].facts.peaks) }
            var none = MonthSummary()
            months.add(peaks.peaks, beside: &none, onDays: group.days, of: month, to: &changes)
        }
    }
}

extension ClusterHistory.Seen {
    /// The report as the last one of its collector.
    fileprivate var last: MonthSummary.Last {
        .init(collector: collector, ordinal: ordinal, metrics: facts.metrics, values: facts.values)
    }
}

// SPDX-License-Identifier: Apache-2.0

import GRDB
public import TelemetryModel

extension ReportStore {
    /// So many clusters are read in one transaction, so that the log can be brought into the file between two.
    private static let clustersAtOnce = 500
    /// So many months are looked back at the most.
    private static let longestPast = 120

    /// A part of the clusters, and where the next one begins.
    private struct Part: Sendable {
        var traces: [ClusterTrace] = []
        var items: [Int: InsightItem] = [:]
        var damaged = 0
        /// nil where this was the last.
        var next: Int?
    }

    /// Looks at every cluster once, and counts what the insights need.
    ///
    /// It takes long on a large store. It reads beside the writer, a part of the clusters after the other, each from one
    /// state of the store, and rests after each for as long as that took. A cluster that cannot be read is left out and
    /// counted. Memory does not grow with the clusters.
    ///
    /// - Parameter instant: The time; later months are not looked at.
    /// - Returns: What was found.
    /// - Throws: `StoreError.unavailable`, or `CancellationError`.
    public func insights(at instant: UTCInstant) async throws -> FleetInsights {
        try Task.checkCancellation()
        var insights = try await emptyInsights(at: instant)
        let clock = ContinuousClock()
        var position: Int? = Int.min
        while let start = position {
            try Task.checkCancellation()
            let begin = clock.now
            let part = try await part(after: start, insights.months)
            insights.add(part.traces, items: part.items)
            insights.damagedClusters += part.damaged
            position = part.next
            // A rest, so that it takes half a core at the most.
            if position != nil { try await Task.sleep(for: clock.now - begin) }
        }
        return insights
    }

    private func emptyInsights(at instant: UTCInstant) async throws -> FleetInsights {
        let rows = try await rowMonths()
        let earliest = instant.month - (Self.longestPast - 1)
        let first = min(max(rows.completeFrom ?? rows.first ?? instant.month, earliest), instant.month)
        let isCut = (rows.first ?? earliest) < earliest
        return FleetInsights(
            at: instant,
            first...instant.month,
            rowsSince: isCut ? earliest : rows.completeFrom,
            common: await commonThings(in: instant.month)
        )
    }

    /// The applications and packages that most clusters have in a month; none where that cannot be read.
    private func commonThings(in month: CalendarMonth) async -> [Together.Thing] {
        let window = Window(.month, endingWith: month)
        var clusters: [Together.Thing: Int] = [:]
        for dimension in [Dimension.application, .workloadKind, .package] {
            let values = (try? await breakdowns(by: dimension, in: [window]))?[window] ?? [:]
            for (value, counts) in values {
                guard let thing = Together.Thing(valueOf: dimension, value) else { continue }
                clusters[thing, default: 0] += counts.clustersAtEnd
            }
        }
        let sorted = clusters.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        return sorted.prefix(PairCounts.largestThings).map(\.key)
    }

    private func part(after position: Int, _ months: ClosedRange<CalendarMonth>) async throws -> Part {
        do {
            return try await pool.read { database in
                var part = Part()
                var reader = ClusterTraceReader(database, months: months)
                let rows = try Row.fetchAll(
                    database,
                    sql: "SELECT id, first_day, second_day FROM cluster WHERE id > ? ORDER BY id LIMIT ?",
                    arguments: [position, Self.clustersAtOnce]
                )
                for row in rows {
                    do {
                        let id = try row.number(0, in: StoredNumbers.clusters, of: "cluster")
                        let trace = try reader.trace(of: id, since: ClusterDays(row, from: 1).first)
                        if let trace { part.traces.append(trace) }
                    } catch StoreError.damaged {
                        part.damaged += 1
                    }
                }
                part.items = reader.items
                if rows.count == Self.clustersAtOnce { part.next = try rows.last?.number(0, of: "cluster") }
                return part
            }
        } catch let error as CancellationError {
            throw error
        } catch {
            throw StoreError(error)
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import FleetSimulator
import Foundation
import TelemetryModel
import Testing

@Suite("The public overview")
struct OverviewTests {
    private static let march = CalendarMonth(year: 2026, month: 3)

    /// The overview of March 2026 of a fleet with these totals in every window.
    private func overview(
        _ all: [Figure: Int64],
        established: [Figure: Int64] = [:],
        threshold: Int = 5
    ) -> Overview {
        let made = UTCInstant(startOf: (Self.march + 1).firstDay).advanced(bySeconds: 7 * 3_600 + 60)
        return Overview(endingWith: Self.march, generatedAt: made, threshold: threshold) { window in
            WindowTotals(window: window, all: all, established: established)
        }
    }

    /// The published applications of kinds outside the vocabulary, given as `kind: (clusters, count)`.
    private func apps(_ kinds: [String: (Int64, Int64)], threshold: Int = 5) -> [String: Int64] {
        var figures: [Figure: Int64] = [.clusters: 100]
        for (kind, (clusters, count)) in kinds {
            figures[.application(kind: kind)] = count
            figures[.clustersWithApplication(kind: kind)] = clusters
        }
        return overview(figures, threshold: threshold).periods.month.apps
    }

    @Test("the three windows end with the month and have figures of their own")
    func windows() {
        let overview = Overview(
            endingWith: Self.march,
            generatedAt: UTCInstant(secondsSinceEpoch: 1_775_026_860),
            threshold: 5
        ) { window in
            WindowTotals(window: window, all: [.clusters: Int64(window.length.months)], established: [:])
        }
        let periods = [overview.periods.month, overview.periods.quarter, overview.periods.year]
        #expect(overview.generatedAt == "2026-04-01T07:01:00Z")
        #expect(periods.map(\.clusters) == [1, 3, 12])
        #expect(periods.map(\.label) == ["March 2026", "January 2026 — March 2026", "April 2025 — March 2026"])
        #expect(periods.map(\.start) == ["2026-03-01", "2026-01-01", "2025-04-01"])
        #expect(periods.map(\.end) == ["2026-03-31", "2026-03-31", "2026-03-31"])
    }

    @Test(
        "averages are rounded to one decimal, halves up",
        arguments: [
            (42, 210, 5.0), (3, 10, 3.3), (3, 11, 3.7), (4, 9, 2.3), (20, 23, 1.2), (8, 1, 0.1), (100, 4, 0.0),
            (1, 0, 0),
            (1_000, 3_249, 3.2), (1_000, 3_250, 3.3),
        ] as [(Int64, Int64, Double)]
    )
    func averages(clusters: Int64, total: Int64, average: Double) {
        let period = overview([.clusters: clusters, .nodes: total, .tenants: total]).periods.month
        #expect(period.avgNodesPerCluster == average)
        #expect(period.avgTenantsPerCluster == average)
        #expect((period.totalNodes, period.totalTenants) == (total, total))
    }

    @Test("a month without reports has zeros")
    func emptyMonth() {
        let period = overview([:]).periods.month
        #expect(period.clusters == 0)
        #expect(period.totalNodes == 0)
        #expect(period.avgNodesPerCluster == 0)
        #expect(period.totalTenants == 0)
        #expect(period.avgTenantsPerCluster == 0)
        #expect(period.apps.isEmpty)
        #expect(period.established.avgNodesPerCluster == 0)
    }

    @Test("established clusters have fields of their own")
    func established() {
        let period = overview(
            [.clusters: 4, .nodes: 12, .tenants: 8],
            established: [.clusters: 2, .nodes: 5, .tenants: 3, .application(kind: "Redis"): 9]
        ).periods.year
        #expect(period.clusters == 4)
        #expect(period.established.clusters == 2)
        #expect(period.established.totalNodes == 5)
        #expect(period.established.avgNodesPerCluster == 2.5)
        #expect(period.established.totalTenants == 3)
        #expect(period.established.avgTenantsPerCluster == 1.5)
        #expect(period.apps.isEmpty)
    }

    @Test("kinds of the vocabulary are published as they were sent, however few, with their zeros")
    func vocabulary() {
        let figures: [Figure: Int64] = [
            .clusters: 1, .application(kind: "Postgres"): 1, .application(kind: "postgres"): 2,
            .application(kind: "Kafka"): 0,
        ]
        #expect(overview(figures).periods.month.apps == ["Postgres": 1, "postgres": 2, "Kafka": 0])
    }

    @Test("another kind is named from k clusters on")
    func atThreshold() {
        #expect(apps(["InHouse": (5, 50)]) == ["InHouse": 50])
        #expect(apps(["InHouse": (4, 50)]) == [:])
        #expect(apps(["InHouse": (4, 50)], threshold: 4) == ["InHouse": 50])
        #expect(apps(["InHouse": (1, 50)], threshold: 1) == ["InHouse": 50])
    }

    @Test("what fewer than k clusters have is added up under other, which takes the next smallest in")
    func folding() {
        #expect(apps(["A": (1, 10), "B": (4, 20), "C": (7, 40), "D": (6, 80)]) == ["other": 110, "C": 40])
        #expect(apps(["A": (4, 1), "B": (4, 2), "C": (9, 4)]) == ["other": 7])
        #expect(apps(["A": (5, 1), "B": (5, 2)]) == ["A": 1, "B": 2])
    }

    @Test("where there is nothing to take in, other is not published")
    func nothingToTakeIn() {
        #expect(apps(["A": (1, 10), "B": (4, 20), "C": (3, 40)]) == [:])
    }

    @Test("kinds of no vocabulary that run nowhere are never named nor counted")
    func zeroCounts() {
        #expect(apps(["Gone": (0, 0), "A": (5, 10)]) == ["A": 10])
        #expect(apps(["Gone": (0, 0)], threshold: 0) == [:])
        #expect(apps(["Gone": (0, 0), "A": (4, 10)]) == [:])
    }

    @Test("the kind other, which replaced values have, is folded like any, and what is folded adds to it")
    func rawOther() {
        #expect(apps(["other": (9, 10)]) == ["other": 10])
        #expect(apps(["other": (2, 10)]) == [:])
        #expect(apps(["other": (9, 10), "A": (1, 1)]) == ["other": 11])
        #expect(apps(["other": (9, 10), "A": (1, 1), "B": (6, 2)]) == ["other": 13])
        #expect(apps(["other": (2, 10), "A": (6, 1), "B": (7, 2)]) == ["other": 11, "B": 2])
    }

    @Test("no kind of fewer than k clusters is ever named, and other is more than one kind", arguments: 1...10)
    func neverNamed(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<100 {
            var kinds: [String: (Int64, Int64)] = [:]
            for name in ["A", "B", "C", "D", "E"].prefix(Int.random(in: 1...5, using: &random)) {
                let clusters = Int64.random(in: 0...8, using: &random)
                kinds[name] = (clusters, clusters == 0 ? 0 : clusters + Int64.random(in: 0...9, using: &random))
            }
            let published = apps(kinds)
            let named = published.filter { $0.key != "other" }
            for (kind, count) in named {
                #expect((kinds[kind]?.0 ?? 0) >= 5, "seed \(seed): \(kinds)")
                #expect(kinds[kind]?.1 == count, "seed \(seed): \(kinds)")
            }
            guard let other = published["other"] else { continue }
            let folded = kinds.filter { named[$0.key] == nil && $0.value.0 > 0 }
            #expect(folded.contains { $0.value.0 >= 5 } && folded.count > 1, "seed \(seed): \(kinds)")
            #expect(other == folded.values.reduce(0) { $0 + $1.1 }, "seed \(seed): \(kinds)")
        }
    }

    @Test("an error of the totals is the error of the overview")
    func failingTotals() {
        struct Unavailable: Error, Equatable {}
        #expect(throws: Unavailable()) {
            try Overview(endingWith: Self.march, generatedAt: UTCInstant(secondsSinceEpoch: 0), threshold: 5) { _ in
                throw Unavailable()
            }
        }
    }
}

@Suite("The overview as JSON")
struct OverviewJSONTests {
    private let overview = Overview(
        endingWith: CalendarMonth(year: 2026, month: 3),
        generatedAt: UTCInstant(secondsSinceEpoch: 1_775_026_860),
        threshold: 5
    ) { window in
        let all: [Figure: Int64] = [.clusters: 42, .nodes: 210, .tenants: 84, .application(kind: "Postgres"): 120]
        return WindowTotals(window: window, all: all, established: [.clusters: 2])
    }

    @Test("the names of the fields are those that the website reads")
    func names() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let month = try #require(String(data: try encoder.encode(overview.periods.month), encoding: .utf8))
        #expect(
            month == """
                {"apps":{"Postgres":120},"avg_nodes_per_cluster":5,"avg_tenants_per_cluster":2,"clusters":42,\
                "end":"2026-03-31","established":{"avg_nodes_per_cluster":0,"avg_tenants_per_cluster":0,"clusters":2,\
                "total_nodes":0,"total_tenants":0},"label":"March 2026","start":"2026-03-01","total_nodes":210,\
                "total_tenants":84}
                """
        )
        let whole = try #require(
            try JSONSerialization.jsonObject(with: try encoder.encode(overview)) as? [String: Any]
        )
        #expect(Set(whole.keys) == ["generated_at", "periods"])
        #expect(whole["generated_at"] as? String == "2026-04-01T07:01:00Z")
        let periods = try #require(whole["periods"] as? [String: [String: Any]])
        #expect(Set(periods.keys) == ["month", "quarter", "year"])
    }

    @Test("a window that there is data of since its middle says since when")
    func dataSince() throws {
        let month = CalendarMonth(year: 2026, month: 3)
        let since = UTCDay(daysSinceEpoch: month.firstDay.daysSinceEpoch + 9)
        let overview = Overview(
            endingWith: month,
            generatedAt: UTCInstant(startOf: month.lastDay),
            threshold: 5
        ) { window in
            WindowTotals(window: window, all: [:], established: [:], dataSince: window.length == .year ? since : nil)
        }
        let document = try JSONSerialization.jsonObject(with: JSONEncoder().encode(overview.periods.year))
        #expect((document as? [String: Any])?["data_since"] as? String == "2026-03-10")
        #expect(overview.periods.month.dataSince == nil)
    }

    @Test("what was written reads back the same")
    func roundTrip() throws {
        #expect(try JSONDecoder().decode(Overview.self, from: JSONEncoder().encode(overview)) == overview)
    }
}

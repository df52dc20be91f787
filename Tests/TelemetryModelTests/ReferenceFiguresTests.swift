// SPDX-License-Identifier: Apache-2.0

import FleetSimulator
import TelemetryModel
import Testing

@Suite("The figures of histories")
struct ReferenceFiguresTests {
    private static let march = CalendarMonth(year: 2026, month: 3)

    @Test("nodes that get a new kernel in the middle of the month are not counted twice")
    func newKernel() throws {
        let steps = ["{kernel=\"1\"} 3", "{kernel=\"1\"} 2\ncozy_nodes_count{kernel=\"2\"} 1", "{kernel=\"2\"} 3"]
        let history = try steps.enumerated().map { day, step in
            try accepted(1, UTCInstant(2026, 3, 10 + day), "cozy_nodes_count\(step)")
        }
        #expect(
            ReferenceFigures(history).totals(of: Window(.month, endingWith: Self.march)).all == [
                .clusters: 1, .nodes: 3,
            ]
        )
    }

    @Test("a cluster that is upgraded within the window counts once, with the higher of its tenants")
    func upgrade() throws {
        let before = "cozy_tenants_count 4\ncozy_workloads_count{uid=\"1\",kind=\"redis\"} 9\ncozy_nodes_count 3"
        let figures = ReferenceFigures([
            try accepted(1, UTCInstant(2026, 3, 1), before),
            try accepted(
                1,
                UTCInstant(2026, 3, 2),
                "cozy_nodes_count 3\ncozy_package_info{name=\"a\",variant=\"b\"} 1"
            ),
            try accepted(
                1,
                UTCInstant(2026, 3, 2),
                "cozy_application_count{kind=\"Tenant\"} 3\ncozy_application_count{kind=\"Redis\"} 2"
            ),
        ])
        let expected: [Figure: Int64] = [
            .clusters: 1, .nodes: 3, .tenants: 4, .application(kind: "redis"): 1, .application(kind: "Redis"): 2,
            .application(kind: "Tenant"): 3, .canonicalApplication(name: "Redis"): 2,
            .canonicalApplication(name: "Tenant"): 3,
        ]
        #expect(figures.totals(of: Window(.month, endingWith: Self.march)).all == expected)
    }

    @Test("the peak is of one report, the total is the sum of the clusters' peaks")
    func peaks() throws {
        let figures = ReferenceFigures([
            try accepted(1, UTCInstant(2026, 3, 1), "cozy_nodes_count{os=\"a\"} 5\ncozy_loadbalancers_count 1"),
            try accepted(1, UTCInstant(2026, 3, 2), "cozy_nodes_count{os=\"b\"} 4\ncozy_loadbalancers_count 7"),
            try accepted(2, UTCInstant(2026, 3, 2), "cozy_nodes_count{os=\"a\"} 10"),
        ])
        let totals = figures.totals(of: Window(.month, endingWith: Self.march))
        #expect(totals.all == [.clusters: 2, .nodes: 15, .loadBalancers: 7])
        #expect(totals.established == [.clusters: 1, .nodes: 5, .loadBalancers: 7])
    }

    @Test("each window has figures of its own, of its own months only")
    func windows() throws {
        let figures = ReferenceFigures([
            try accepted(1, UTCInstant(2025, 3, 31, hour: 23), "cozy_nodes_count 1000"),
            try accepted(1, UTCInstant(2025, 4, 1, hour: 0), "cozy_nodes_count 100"),
            try accepted(2, UTCInstant(2025, 12, 31, hour: 23), "cozy_nodes_count 50"),
            try accepted(2, UTCInstant(2026, 1, 1, hour: 0), "cozy_nodes_count 20"),
            try accepted(1, UTCInstant(2026, 2, 28, hour: 23), "cozy_nodes_count 10"),
            try accepted(1, UTCInstant(2026, 3, 1, hour: 0), "cozy_nodes_count 3"),
            try accepted(1, UTCInstant(2026, 4, 1, hour: 0), "cozy_nodes_count 2000"),
        ])
        #expect(figures.totals(of: Window(.month, endingWith: Self.march)).all == [.clusters: 1, .nodes: 3])
        #expect(figures.totals(of: Window(.quarter, endingWith: Self.march)).all == [.clusters: 2, .nodes: 30])
        #expect(figures.totals(of: Window(.year, endingWith: Self.march)).all == [.clusters: 2, .nodes: 150])
        #expect(figures.totals(of: Window(.month, endingWith: CalendarMonth(year: 2026, month: 5))).all.isEmpty)
    }

    @Test(
        "a cluster is established with its second UTC day, by the end of the window and counted from its first report"
    )
    func established() throws {
        let body = "cozy_nodes_count 1"
        let figures = ReferenceFigures([
            try accepted(1, UTCInstant(2026, 3, 31, hour: 0), body),
            try accepted(1, UTCInstant(2026, 3, 31, hour: 23), body),
            try accepted(1, UTCInstant(2026, 4, 1, hour: 0), body),
            try accepted(2, UTCInstant(2026, 3, 30, hour: 23), body),
            try accepted(2, UTCInstant(2026, 3, 31, hour: 0), body),
            try accepted(3, UTCInstant(2025, 11, 1), body), try accepted(3, UTCInstant(2026, 3, 31), body),
            try accepted(4, UTCInstant(2026, 3, 5), body),
        ])
        let march = figures.totals(of: Window(.month, endingWith: Self.march))
        #expect(march.all == [.clusters: 4, .nodes: 4])
        #expect(march.established == [.clusters: 2, .nodes: 2])
        let april = figures.totals(of: Window(.month, endingWith: Self.march + 1))
        #expect(april.established == [.clusters: 1, .nodes: 1])
        #expect(figures.totals(of: Window(.quarter, endingWith: Self.march + 1)).established[.clusters] == 3)
    }

    @Test("repeating, going back to an earlier state, and the order of arrival change no total", arguments: 1...5)
    func repetition(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let states = ["cozy_nodes_count{kernel=\"1\"} 3", "cozy_nodes_count{kernel=\"2\"} 4", "cozy_tenants_count 2"]
        var once: [AcceptedReport] = []
        for cluster in 1...3 as ClosedRange<UInt8> {
            for state in states { once.append(try accepted(cluster, UTCInstant(2026, 3, 9), state)) }
        }
        let window = Window(.month, endingWith: Self.march)
        let expected = ReferenceFigures(once).totals(of: window)
        #expect(expected.all == [.clusters: 3, .nodes: 12, .tenants: 6])
        let repeated = (once + once + once).shuffled(using: &random)
        #expect(ReferenceFigures(repeated).totals(of: window) == expected, "seed \(seed)")
    }

    @Test("canonical names are added up within a report before the peak is taken")
    func canonicalNames() throws {
        let figures = ReferenceFigures([
            try accepted(
                1,
                UTCInstant(2026, 3, 1),
                "cozy_application_count{kind=\"Postgres\"} 3\ncozy_application_count{kind=\"PaxPostgres\"} 1"
            ),
            try accepted(
                1,
                UTCInstant(2026, 3, 2),
                "cozy_application_count{kind=\"Postgres\"} 1\ncozy_application_count{kind=\"PaxPostgres\"} 3"
            ),
            try accepted(2, UTCInstant(2026, 3, 2), "cozy_workloads_count{uid=\"a\",kind=\"postgresql\"} 1"),
        ])
        let window = Window(.month, endingWith: Self.march)
        #expect(figures.canonicalApplications(in: window) == ["Postgres": 5])
        #expect(figures.totals(of: window).all[.application(kind: "Postgres")] == 3)
        #expect(figures.totals(of: window).all[.application(kind: "PaxPostgres")] == 3)
    }

    @Test("clusters that claim the largest capacity each do not overflow the total")
    func largestCapacities() throws {
        let body = "cozy_cluster_capacity{resource=\"memory\"} 1152921504606846976"
        let claims = try (1...9).map { try accepted($0, UTCInstant(2026, 3, Int($0)), body) }
        let totals = ReferenceFigures(claims + claims).totals(of: Window(.month, endingWith: Self.march))
        #expect(totals.all == [.clusters: 9, .capacity(resource: "memory"): .max])
        let seven = ReferenceFigures(Array(claims.prefix(7))).totals(of: Window(.month, endingWith: Self.march))
        #expect(seven.all[.capacity(resource: "memory")] == 7 << 60)
        #expect(Int64.min.addingClamped(-1) == .min)
    }

    @Test("a count of zero has a total of zero, and is left out of the established")
    func zero() throws {
        let body = "cozy_application_count{kind=\"Redis\"} 0"
        let figures = ReferenceFigures([
            try accepted(1, UTCInstant(2026, 3, 1), body), try accepted(1, UTCInstant(2026, 3, 2), body),
        ])
        let totals = figures.totals(of: Window(.month, endingWith: Self.march))
        let expected: [Figure: Int64] = [
            .clusters: 1, .application(kind: "Redis"): 0, .canonicalApplication(name: "Redis"): 0,
        ]
        #expect(totals.all == expected)
        #expect(totals.established == [.clusters: 1])
    }
}

/// A report of a numbered cluster.
func accepted(_ cluster: UInt8, _ instant: UTCInstant, _ body: String) throws -> AcceptedReport {
    AcceptedReport(cluster: try .numbered(cluster), receivedAt: instant, report: try report(body))
}

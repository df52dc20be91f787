// SPDX-License-Identifier: Apache-2.0

import TelemetryModel
import Testing

@Suite("The insights of histories")
struct ReferenceInsightsTests {
    private static let january = CalendarMonth(year: 2026, month: 1)
    private static let march = CalendarMonth(year: 2026, month: 3)
    private static let today = UTCDay(daysSinceEpoch: march.firstDay.daysSinceEpoch + 19)

    /// What a cluster sends, of v0 or of the operator of v1.
    private static func body(_ version: String, nodes: Int = 3, isV0: Bool = false) -> String {
        let bundle = isV0 ? ",bundle_name=\"paas-full\"" : ""
        return "cozy_cluster_info{cozystack_version=\"\(version)\"\(bundle)} 1\ncozy_nodes_count \(nodes)\n"
    }

    private static func controller(_ kinds: String...) -> String {
        kinds.map { "cozy_application_count{kind=\"\($0)\"} 1\n" }.joined()
    }

    /// A cluster that goes from v0 to v1, one that goes back and forth, one that comes back after a month, and a new one.
    private static func insights() throws -> ReferenceInsights {
        let workload = "cozy_workloads_count{uid=\"1\",kind=\"postgres\"} 1\n"
        return ReferenceInsights(
            [
                try accepted(1, UTCInstant(2026, 1, 1), body("v0.41.1", isV0: true) + workload),
                try accepted(2, UTCInstant(2026, 1, 5), body("v0.41.1", nodes: 12, isV0: true)),
                try accepted(3, UTCInstant(2026, 1, 10), body("v1.0.0")),
                try accepted(1, UTCInstant(2026, 1, 11), body("v1.0.0")),
                try accepted(1, UTCInstant(2026, 1, 11), controller("Postgres", "Redis")),
                // Both collectors go on in turn.
                try accepted(1, UTCInstant(2026, 2, 3), controller("Postgres", "Redis")),
                try accepted(1, UTCInstant(2026, 2, 3), body("v1.0.0")),
                try accepted(2, UTCInstant(2026, 2, 4), body("v1.1.0")),
                try accepted(2, UTCInstant(2026, 2, 5), body("v1.0.0")),
                try accepted(2, UTCInstant(2026, 2, 6), body("v1.1.0")),
                try accepted(3, UTCInstant(2026, 3, 2), body("v1.0.0", nodes: 1)),
                try accepted(2, UTCInstant(2026, 3, 3), body("v1.1.0", nodes: 6)),
                try accepted(2, UTCInstant(2026, 3, 3), controller("Postgres", "InHouse")),
                try accepted(4, UTCInstant(2026, 3, 4), body("v1.1.0-rc.1")),
            ],
            today: today
        )
    }

    @Test("adoption: who has a version at each month's end, how fast it was taken, and the lag")
    func adoption() throws {
        let adoption = try Self.insights().adoption(of: .cozystackVersion, in: Self.january...Self.march)
        #expect(adoption.versions.map(\.version) == ["v0.41.1", "v1.0.0", "v1.1.0-rc.1", "v1.1.0"])
        #expect(adoption.versions.map(\.firstSeen) == ["2026-01-01", "2026-01-10", "2026-03-04", "2026-02-04"])
        #expect(adoption.versions.map(\.successor) == ["v1.0.0", "v1.1.0", "v1.1.0", nil])
        #expect(adoption.versions.map(\.clusters) == [2, 3, 1, 1])
        #expect(adoption.versions.map(\.atEnd) == [[1, 0, 0], [2, 1, 1], [0, 0, 1], [0, 1, 1]])
        // v1.0.0 after 0, 1 and 26 days.
        #expect(adoption.versions[1].daysTo == .init(quarter: 0, half: 1, nineTenths: 26))
        #expect(adoption.months.map(\.clusters) == [3, 2, 3])
        #expect(adoption.months.map(\.current) == [2, 1, 1])
        // At the end of February v1.0.0 was behind by 24 days, today by 44; the pre-release, too.
        #expect(adoption.months[1].lag == Quartiles(quarter: 0, median: 0, threeQuarters: 24))
        #expect(adoption.months[2].lag == Quartiles(quarter: 0, median: 44, threeQuarters: 44))
        // What is only known later is not in it.
        let early = try Self.insights().adoption(of: .cozystackVersion, in: Self.january...Self.january)
        #expect(early.versions.map(\.successor) == ["v1.0.0", nil] && early.versions[1].clusters == 2)
    }

    @Test("upgrades: from v0 to v1, down to a version that was not had before, and no move back to one that was")
    func upgrades() throws {
        let upgrades = try Self.insights().upgrades(of: .cozystackVersion, in: Self.january...Self.march)
        func path(_ from: String, _ to: String, _ days: Int) -> Upgrades.Path {
            .init(from: from, to: to, clusters: 1, days: .init(quarter: days, median: days, threeQuarters: days))
        }
        #expect(
            upgrades.paths == [
                path("v0.41.1", "v1.0.0", 10), path("v0.41.1", "v1.1.0", 30), path("v1.1.0", "v1.0.0", 1),
            ]
        )
        #expect(upgrades.paths.map(\.direction) == [.up, .up, .down] && upgrades.moves == 3)
        #expect(try Self.insights().upgrades(of: .cozystackVersion, in: Self.march...Self.march).moves == 0)
        #expect(try Self.insights().upgrades(of: .kubernetesVersion, in: Self.january...Self.march).moves == 0)
    }

    @Test("together: one name for an application of both generations, pairs by lift")
    func together() throws {
        let january = try Self.insights().together(at: Self.january, least: 1)
        let (postgres, redis) = (Together.Thing(.application, "Postgres"), Together.Thing(.application, "Redis"))
        #expect(january == Together(clusters: 3, pairs: [.init([postgres: 1, redis: 1], both: 1, of: 3)]))
        #expect(january.pairs.map(\.lift) == [3])
        #expect(try Self.insights().together(at: Self.january, least: 2).pairs == [])
        let march = try Self.insights().together(at: Self.march, least: 1)
        #expect(march.pairs.map(\.first.name) == ["InHouse"] && march.pairs.map(\.second.name) == ["Postgres"])
    }

    @Test("churn: new, kept, returned after a gap, gone; lifetimes; cohorts")
    func churn() throws {
        let churn = try Self.insights().churn(in: Self.january...Self.march)
        #expect(
            churn.months == [
                .init(month: Self.january, clusters: 3, new: 3, kept: 0, returned: 0, gone: 1),
                .init(month: Self.january + 1, clusters: 2, new: 0, kept: 2, returned: 0, gone: nil),
                .init(month: Self.march, clusters: 3, new: 1, kept: 1, returned: 1, gone: nil),
            ]
        )
        // 34 days and gone, 58 and 52 and 1 and seen.
        #expect(churn.lifetimes.map(\.seen) == [1, 0, 0, 2, 0, 0, 0])
        #expect(churn.lifetimes.map(\.gone) == [0, 0, 0, 1, 0, 0, 0])
        #expect(churn.lifetimes.map(\.to) == [1, 7, 30, 90, 180, 365, nil])
        #expect(churn.cohorts.map(\.seen) == [[3, 2, 2], [0, 0], [1]])
    }

    @Test("sizes: by the peak in one report of the month, and those that say nothing apart")
    func sizes() throws {
        let sizes = try Self.insights().sizes(in: Self.january...Self.march)
        #expect(Sizes.spans.map(\.from) == [0, 1, 2, 4, 6, 11, 21, 51, 101])
        #expect(
            sizes.months.map(\.nodes.clusters) == [
                [0, 0, 2, 0, 0, 1, 0, 0, 0], [0, 0, 2, 0, 0, 0, 0, 0, 0], [0, 1, 1, 0, 1, 0, 0, 0, 0],
            ]
        )
        #expect(sizes.months.map(\.nodes.unknown) == [0, 0, 0] && sizes.months.map(\.tenants.unknown) == [3, 2, 3])
    }
}

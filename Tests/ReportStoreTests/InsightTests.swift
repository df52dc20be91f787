// SPDX-License-Identifier: Apache-2.0

import FleetSimulator
import GRDB
import TelemetryModel
import TelemetryTesting
import Testing

@testable import ReportStore

/// The insights of the store against the definitions, for random histories as those of the figures.
@Suite("The insights of the store")
struct InsightTests {
    private static let first = CalendarMonth(year: 2025, month: 2)
    private static let months = 14
    private static let last = first + (months - 1)

    /// What differs between a store and the definitions over some months.
    private static func differences(
        _ fleet: FleetInsights,
        _ reference: ReferenceInsights,
        in months: ClosedRange<CalendarMonth>
    ) -> [String] {
        var wrong: [String] = []
        func compare<Value: Equatable>(_ name: String, _ got: Value, _ expected: Value) {
            if got != expected { wrong.append("\(months) \(name): \(got) and not \(expected)") }
        }
        for dimension in InsightItem.versionDimensions {
            let adoption = fleet.adoption(of: dimension, in: months, limit: .max)
            compare("\(dimension)", adoption, reference.adoption(of: dimension, in: months))
            let upgrades = fleet.upgrades(of: dimension, in: months, limit: .max)
            compare("upgrades of \(dimension)", upgrades, reference.upgrades(of: dimension, in: months))
        }
        let together = fleet.together(at: months.upperBound, least: 2, limit: .max)
        compare("together", together, reference.together(at: months.upperBound, least: 2))
        compare("churn", fleet.churn(in: months), reference.churn(in: months))
        compare("sizes", fleet.sizes(in: months), reference.sizes(in: months))
        return wrong
    }

    /// A store with a random history, and that.
    private static func withHistory(
        clusters: Int = 20,
        seed: UInt64 = 1,
        _ body: (TestStore, ReportStore, [AcceptedReport]) async throws -> Void
    ) async throws {
        let test = try TestStore()
        let store = try test.open()
        let all = try await test.fill(store, clusters: clusters, from: first, months: months, seed: seed)
        try await body(test, store, all)
        try store.close()
    }

    /// The last moment of a history.
    private static func end(of all: [AcceptedReport]) throws -> UTCInstant {
        try #require(all.map(\.receivedAt).max())
    }

    @Test("equal the definitions, of all months, of some and of one")
    func random() async throws {
        var effort = Effort("insights", seeds: 3)
        while let seed = effort.next() {
            try await Self.withHistory(clusters: effort.isSoak ? 60 : 20, seed: seed) { _, store, all in
                let now = try Self.end(of: all)
                let fleet = try await store.insights(at: now)
                let reference = ReferenceInsights(all, today: now.day)
                for months in [Self.first - 2...now.month, Self.first + 3...Self.first + 8, Self.first...Self.first] {
                    #expect(Self.differences(fleet, reference, in: months) == [], "seed \(seed)")
                }
                #expect(fleet.clusters == Set(all.map(\.cluster)).count && fleet.damagedClusters == 0)
                // The history is one that all of this is of.
                let upgrades = fleet.upgrades(of: .cozystackVersion, in: Self.first...Self.last, limit: .max)
                #expect(upgrades.paths.contains { $0.direction == .up }, "seed \(seed)")
                let churn = fleet.churn(in: Self.first...Self.last)
                #expect(churn.months.contains { $0.returned ?? 0 > 0 } && churn.months.contains { $0.gone ?? 0 > 0 })
                #expect(!fleet.together(at: Self.last, least: 2, limit: 10).pairs.isEmpty, "seed \(seed)")
            }
        }
    }

    @Test("a cluster that is erased is in none of them any more")
    func erased() async throws {
        try await Self.withHistory { _, store, all in
            let now = try Self.end(of: all)
            let victim = try #require(all.first).cluster
            _ = try await store.erase(victim)
            let reference = ReferenceInsights(all.filter { $0.cluster != victim }, today: now.day)
            let fleet = try await store.insights(at: now)
            #expect(Self.differences(fleet, reference, in: Self.first...now.month) == [])
        }
    }

    @Test(
        "a cluster whose rows are damaged is left out and counted, and the others are not",
        arguments: [
            "UPDATE month SET peaks = x'03' WHERE cluster = ?", "UPDATE month SET lasts = x'09' WHERE cluster = ?",
            "UPDATE sighting SET content = x'7f7f' WHERE cluster = ?",
            "UPDATE sighting SET first_hour = -1 WHERE cluster = ?",
            "UPDATE cluster SET first_day = -1, second_day = NULL WHERE id = ?",
            "DELETE FROM sighting WHERE cluster = ?",
        ]
    )
    func damaged(damage: String) async throws {
        try await Self.withHistory(clusters: 8) { _, store, all in
            let now = try Self.end(of: all)
            let sender = all.first { !Dimension.cozystackVersion.values(in: $0.report).isEmpty }
            let victim = try #require(sender).cluster
            let row = try #require(try store.clusters.find(victim)).row
            try await store.write { try $0.execute(sql: damage, arguments: [row]) }
            let fleet = try await store.insights(at: now)
            #expect(fleet.damagedClusters == 1)
            let reference = ReferenceInsights(all.filter { $0.cluster != victim }, today: now.day)
            #expect(Self.differences(fleet, reference, in: Self.first...now.month) == [])
        }
    }

    @Test("of months whose rows are deleted there are none, and what came before the first one left is not claimed")
    func retention() async throws {
        try await Self.withHistory { _, store, all in
            let (now, cut) = (try Self.end(of: all), Self.first + 4)
            _ = try await store.deleteRows(before: cut, threshold: 5)
            let fleet = try await store.insights(at: now)
            #expect(fleet.rowsSince == cut && fleet.months(endingWith: cut - 1, count: 12) == nil)
            let months = try #require(fleet.months(endingWith: now.month, count: 24))
            #expect(months.lowerBound == cut)
            let (got, whole) = (fleet.churn(in: months), ReferenceInsights(all, today: now.day).churn(in: months))
            #expect(got.months[0].kept == nil && got.months[0].returned == nil)
            #expect(Array(got.months.dropFirst()) == Array(whole.months.dropFirst()) && got.cohorts == whole.cohorts)
            #expect(fleet.sizes(in: months) == ReferenceInsights(all, today: now.day).sizes(in: months))
        }
    }

    @Test("a cluster that goes from v0 to v1, down within an hour, and reports from two collectors in turn")
    func oneCluster() async throws {
        let test = try TestStore()
        let store = try test.open()
        func body(_ version: String, _ more: String = "") -> String {
            "cozy_cluster_info{cozystack_version=\"\(version)\"\(more)} 1\ncozy_package_info{name=\"a\",variant=\"b\"} 1\n"
        }
        let apps = "cozy_application_count{kind=\"Redis\"} 1\n"
        let march = TestStore.march
        let steps: [(Int64, String)] = [
            (0, "cozy_workloads_count{uid=\"1\",kind=\"redis\"} 1\n" + body("v0.41.1", ",bundle_name=\"paas-full\"")),
            (5 * 86_400, body("v1.1.0")), (5 * 86_400 + 1, body("v1.0.0")), (5 * 86_400 + 2, apps),
            (6 * 86_400, apps), (6 * 86_400 + 1, body("v1.0.0")),
        ]
        let decoder = ReportDecoder(pseudonymizer: test.pseudonymizer)
        let reports = try steps.map { seconds, text in
            let report = try decoder.decode(Array(text.utf8)).report
            return try test.accepted("a", report, at: march.advanced(bySeconds: seconds))
        }
        for report in reports { _ = try await store.submit(report) }
        let now = march.advanced(bySeconds: 10 * 86_400)
        let fleet = try await store.insights(at: now)
        let months = march.month...march.month
        #expect(Self.differences(fleet, ReferenceInsights(reports, today: now.day), in: months) == [])
        // Within an hour the order of versions is taken for that of time.
        let upgrades = fleet.upgrades(of: .cozystackVersion, in: months, limit: 10)
        #expect(upgrades.paths.map { [$0.from, $0.to] } == [["v0.41.1", "v1.0.0"], ["v1.0.0", "v1.1.0"]])
        #expect(upgrades.paths.map(\.days.median) == [5, 0])
        let adoption = fleet.adoption(of: .cozystackVersion, in: months, limit: 10)
        #expect(adoption.versions.map(\.atEnd) == [[0], [1], [0]])
        let pairs = fleet.together(at: march.month, least: 1, limit: 10).pairs
        #expect(pairs.map { [$0.first.name, $0.second.name] } == [["Redis", "a"]])
        try store.close()
    }

    @Test("all parts of a larger store are looked at, in memory that hostile names do not fill")
    func parts() async throws {
        let test = try TestStore()
        let store = try test.open()
        let reports = try (0..<1_203).map { number in
            let series = Series(.clusterInfo, ["v1.\(number).0"])
            return try test.accepted("cluster-\(number)", Report([.init(series, 1)]), at: TestStore.march)
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for report in reports { group.addTask { _ = try await store.submit(report) } }
            try await group.waitForAll()
        }
        let fleet = try await store.insights(at: TestStore.march)
        #expect(fleet.clusters == reports.count)
        let months = TestStore.march.month...TestStore.march.month
        #expect(fleet.adoption(of: .cozystackVersion, in: months, limit: .max).versions.count == reports.count)
        #expect(fleet.adoption(of: .cozystackVersion, in: months, limit: 7).versions.count == 7)
        try store.close()
        var counts = VersionCounts()
        for name in 0..<2_100 {
            let number = counts.number(of: "v1.\(name).0")
            counts.add(firstHours: [number: 24])
        }
        let adoption = counts.adoption(in: months, limit: .max, today: TestStore.march.day) { _ in 2_100 }
        #expect(adoption.versions.count == 2_000)
        #expect(adoption.versions.first { $0.version == "other" }?.clusters == 101)
    }

    @Test("a pass that is cancelled ends")
    func cancelled() async throws {
        try await Self.withHistory(clusters: 2) { _, store, all in
            let now = try Self.end(of: all)
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                _ = try await store.insights(at: now)
            }
            await #expect(throws: CancellationError.self) { try await task.value }
        }
    }
}

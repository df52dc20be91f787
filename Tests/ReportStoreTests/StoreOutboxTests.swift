// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import TelemetryModel
import TelemetryTesting
import Testing

@testable import ReportStore

@Suite("The outbox")
struct StoreOutboxTests {
    private let test: TestStore
    private let start = UTCInstant(startOf: CalendarMonth(year: 2026, month: 3).firstDay)

    init() throws { test = try TestStore() }

    private func open(_ limit: Int? = 100) throws -> ReportStore { try test.open(outboxLimit: limit) }

    @discardableResult
    private func submit(
        _ store: ReportStore,
        _ cluster: String,
        nodes: Int64,
        after seconds: Int64
    ) async throws -> AcceptedReport {
        let report = try test.accepted(
            cluster,
            TestStore.report(nodes: nodes),
            at: start.advanced(bySeconds: seconds)
        )
        _ = try await store.submit(report)
        return report
    }

    @Test("reports that are new, or seen in another hour, wait in order; the same again within the hour does not")
    func waits() async throws {
        let store = try open()
        let first = try await submit(store, "a", nodes: 3, after: 0)
        try await submit(store, "a", nodes: 3, after: 900)
        let other = try await submit(store, "b", nodes: 3, after: 900)
        let changed = try await submit(store, "a", nodes: 4, after: 1_800)
        let back = try await submit(store, "a", nodes: 3, after: 2_700)
        let later = try await submit(store, "a", nodes: 3, after: 3_600)
        let nextDay = try await submit(store, "a", nodes: 3, after: 86_400)
        let part = try await store.firstOfOutbox(100)
        #expect(part.entries.map(\.report) == [first, other, changed, back, later, nextDay])
        #expect(part.entries.map(\.id) == part.entries.map(\.id).sorted() && part.unreadable.isEmpty)
        #expect(try await store.firstOfOutbox(2).entries.count == 2)
        #expect(store.outboxCount == 6)
        try store.close()
        let again = try open()
        #expect(again.outboxCount == 6)
        #expect(try await again.firstOfOutbox(100) == part)
        #expect(try await again.problems() == [])
        try again.close()
    }

    @Test("where nothing is sent on nothing waits")
    func nothing() async throws {
        let store = try open(nil)
        try await submit(store, "a", nodes: 3, after: 0)
        #expect(try await store.firstOfOutbox(100).isEmpty)
        try store.close()
    }

    @Test("a full outbox refuses reports at once, and takes them when there is room")
    func full() async throws {
        let store = try open(2)
        try await submit(store, "a", nodes: 1, after: 0)
        try await submit(store, "b", nodes: 1, after: 0)
        await #expect(throws: StoreError.busy(waiting: 0)) { try await submit(store, "c", nodes: 1, after: 0) }
        let first = try #require(try await store.firstOfOutbox(1).entries.first)
        try await store.settleOutbox(done: [first.id])
        try await submit(store, "c", nodes: 1, after: 0)
        #expect(store.outboxCount == 2)
        try store.close()
    }

    @Test("what is refused for good is set aside, listed, and sent again on demand; numbers are not given twice")
    func setAside() async throws {
        let store = try open()
        for cluster in ["a", "b", "c"] { try await submit(store, cluster, nodes: 1, after: 0) }
        let ids = try await store.firstOfOutbox(3).entries.map(\.id)
        try await store.settleOutbox(done: [ids[0], ids[2]], refused: [ids[1]: 400])
        #expect(try await store.firstOfOutbox(3).isEmpty && store.outboxCount == 0)
        let maintenance = StoreMaintenance(directory: test.directory.path)
        let refused = try await maintenance.refusedReports(limit: 10)
        #expect(refused.map(\.id) == [ids[1]] && refused.first?.status == 400)
        #expect(refused.first?.received == start.rfc3339)
        #expect(try await maintenance.outboxStatistics() == .init(waiting: 0, setAside: 1, oldest: nil))
        try await submit(store, "d", nodes: 1, after: 0)
        #expect(try await store.firstOfOutbox(3).entries.allSatisfy { $0.id > ids[2] })
        try store.close()

        #expect(try await maintenance.replayOutbox() == 1)
        let again = try open()
        #expect(try await again.firstOfOutbox(3).entries.count == 2 && again.outboxCount == 2)
        try again.close()
    }

    @Test("a row that cannot be read is said to be, and those behind it come")
    func unreadable() async throws {
        let store = try open()
        for cluster in ["a", "b", "c"] { try await submit(store, cluster, nodes: 1, after: 0) }
        let ids = try await store.firstOfOutbox(3).entries.map(\.id)
        try await store.write { database in
            try database.execute(sql: "UPDATE outbox SET digest = 7 WHERE id = ?", arguments: [ids[0]])
            try database.execute(sql: "UPDATE outbox SET cluster = 99 WHERE id = ?", arguments: [ids[1]])
        }
        let part = try await store.firstOfOutbox(3)
        #expect(part.unreadable == [ids[0], ids[1]] && part.entries.map(\.id) == [ids[2]])
        try await store.settleOutbox(done: part.unreadable)
        #expect(store.outboxCount == 1)
        try store.close()
    }

    @Test("an erased cluster has nothing in it, waiting or set aside; what is too old goes")
    func forgets() async throws {
        let store = try open()
        try await submit(store, "a", nodes: 1, after: 0)
        try await submit(store, "a", nodes: 2, after: 60)
        let kept = try await submit(store, "b", nodes: 1, after: 120)
        let first = try #require(try await store.firstOfOutbox(1).entries.first)
        try await store.settleOutbox(done: [], refused: [first.id: 400])
        _ = try await store.erase(first.report.cluster)
        #expect(try await store.firstOfOutbox(3).entries.map(\.report) == [kept] && store.outboxCount == 1)
        let maintenance = StoreMaintenance(directory: test.directory.path)
        #expect(try await maintenance.outboxStatistics().setAside == 0)
        let again = try await submit(store, "b", nodes: 9, after: 130)
        let aside = try #require(try await store.firstOfOutbox(2).entries.last)
        #expect(aside.report == again)
        try await store.settleOutbox(done: [], refused: [aside.id: 400])
        #expect(try await store.expireOutbox(before: start.advanced(bySeconds: 120)) == 0)
        #expect(try await store.expireOutbox(before: start.advanced(bySeconds: 200)) == 1)
        #expect(store.outboxCount == 0)
        // What is set aside stays until it is sent again.
        #expect(try await maintenance.outboxStatistics().setAside == 1)
        try store.close()
    }

    @Test(
        "a report that says the same is sent on once in so many hours, first on each day, and at once where it is back"
    )
    func unchanged() async throws {
        let store = try test.open(outboxLimit: 1_000, unchangedHours: 6)
        var expected: [AcceptedReport] = []
        for quarter in 0..<4 * 24 * 3 {
            let report = try await submit(store, "a", nodes: 3, after: Int64(quarter) * 900)
            if quarter % 24 == 0 { expected.append(report) }
        }
        expected.append(try await submit(store, "a", nodes: 4, after: 3 * 86_400 - 90))
        expected.append(try await submit(store, "a", nodes: 3, after: 3 * 86_400 - 60))
        #expect(try await store.firstOfOutbox(1_000).entries.map(\.report) == expected)
        try store.close()
    }

    @Test("a part ends where it has samples enough, and is never empty for that")
    func parts() async throws {
        let store = try open()
        let samples = (0..<4).map { Report.Sample(Series(.nodesCount, ["linux", "6.6.\($0)"]), 1) }
        for cluster in ["a", "b", "c"] {
            _ = try await store.submit(test.accepted(cluster, Report(samples), at: start))
        }
        #expect(try await store.firstOfOutbox(10, samples: 1).entries.count == 1)
        #expect(try await store.firstOfOutbox(10, samples: 8).entries.count == 2)
        let first = try await store.firstOfOutbox(10, samples: 8)
        #expect(try await store.firstOfOutbox(10, samples: 8, after: first.last ?? 0).entries.count == 1)
        try store.close()
    }

    @Test("reports of one cluster within a second keep their order in milliseconds, those of others do not count")
    func places() async throws {
        let store = try open()
        for nodes: Int64 in 1...3 {
            for cluster in ["a", "b"] { try await submit(store, cluster, nodes: nodes, after: 7) }
        }
        try await submit(store, "a", nodes: 4, after: 8)
        let times = try await store.firstOfOutbox(10).entries.map(\.report.millisecondsSinceEpoch)
        let second = start.secondsSinceEpoch * 1_000 + 7_000
        #expect(times == [0, 0, 1, 1, 2, 2, 1_000].map { second + $0 })
        try store.close()
    }

    @Test("an erased cluster is to be erased where reports were sent on to, also one that is not known any more")
    func erasures() async throws {
        let store = try open()
        for cluster in ["a", "b", "c"] { try await submit(store, cluster, nodes: 1, after: 0) }
        let kept = try await submit(store, "b", nodes: 1, after: 400 * 86_400)
        let all = try await store.firstOfOutbox(10).entries.map(\.report.cluster)
        _ = try await store.erase(all[0])
        #expect(try await store.erasedClusters(10, by: .now()) == [ErasedCluster(pseudonym: all[0], unlessSince: nil)])
        let before = UTCInstant.now().advanced(bySeconds: -3_600)
        #expect(try await store.erasedClusters(10, by: before) == [])
        // Another backend may have sent later reports of it.
        _ = try await store.deleteRows(before: kept.receivedAt.month, threshold: 5)
        let since = UTCInstant(startOf: kept.receivedAt.month.firstDay)
        let old = try #require(try await store.erasedClusters(10, by: .now()).first { $0.pseudonym == all[2] })
        #expect(old.unlessSince == since)
        #expect(try await store.erase(all[2]) == nil)
        let both = try await store.erasedClusters(10, by: .now())
        #expect(Set(both.map(\.pseudonym)) == [all[0], all[2]] && both.allSatisfy { $0.unlessSince == nil })
        try await store.settleErased([all[0]], by: before)
        #expect(try await store.erasedClusters(10, by: .now()).count == 2)
        try await store.settleErased([all[0]], by: .now())
        #expect(try await store.erasedClusters(10, by: .now()).map(\.pseudonym) == [all[2]])
        let bytes = try contents()
        #expect(!bytes.contains(sequence: all[0].bytes) && bytes.contains(sequence: all[2].bytes))
        #expect(try await StoreMaintenance(directory: test.directory.path).outboxStatistics().erasures == 1)
        try store.close()
    }

    @Test("a store whose reports were never sent on remembers no erased cluster")
    func neverSentOn() async throws {
        let store = try open(nil)
        let report = try await submit(store, "a", nodes: 1, after: 0)
        _ = try await store.erase(report.cluster)
        #expect(try await store.erasedClusters(10, by: .now()) == [])
        try store.close()
    }

    /// The bytes of all files of the store.
    private func contents() throws -> [UInt8] {
        let path = test.directory.path + "/" + ReportStore.fileName
        return ["", "-wal"].flatMap { [UInt8](FileManager.default.contents(atPath: path + $0) ?? Data()) }
    }
}

extension [UInt8] {
    /// Whether some bytes stand in these.
    fileprivate func contains(sequence: [UInt8]) -> Bool { Data(self).range(of: Data(sequence)) != nil }
}

@Suite("A store without figures")
struct ForwardOnlyStoreTests {
    private let test: TestStore
    private let first = CalendarMonth(year: 2025, month: 11)

    init() throws { test = try TestStore() }

    @Test("sends on what a store with figures does, has no totals, and forgets months that are over")
    func forwards() async throws {
        let reference = try TestStore()
        let whole = try reference.open(outboxLimit: 100_000)
        let accepted = try await reference.fill(whole, clusters: 12, from: first, months: 5, seed: 3)
        let store = try test.open(outboxLimit: 100_000, isForwardOnly: true)
        for report in accepted { _ = try await store.submit(report) }
        #expect(store.outboxCount == whole.outboxCount)
        let entries = try await store.firstOfOutbox(100_000).entries.map(\.report)
        #expect(entries == (try await whole.firstOfOutbox(100_000).entries.map(\.report)))
        try await store.settleOutbox(done: try await store.firstOfOutbox(100_000).entries.map(\.id))

        #expect(try await store.pool.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM total") } == 0)
        #expect(try await store.problems() == [])
        let outcome = try await store.deleteRows(before: first + 4, threshold: 5)
        #expect(outcome.sightings > 0)
        #expect(try await store.erasedClusters(10, by: .now()) == [])
        let months = try await store.pool.read { try Int.fetchAll($0, sql: "SELECT DISTINCT month FROM sighting") }
        #expect(months == [(first + 4).index])
        let problems = try await store.problems()
        #expect(problems == [])
        // The last month's are still known.
        let count = store.outboxCount
        let last = try #require(accepted.last)
        _ = try await store.submit(last)
        #expect(store.outboxCount == count)
        let cluster = try #require(try await store.erase(last.cluster))
        #expect(!cluster.isCountedInFinishedWindows)
        try store.close()
        try whole.close()
    }

    @Test("is not opened as one with figures, nor the other way round, once it has clusters")
    func modes() async throws {
        try test.open(isForwardOnly: false).close()
        let store = try test.open(outboxLimit: 10, isForwardOnly: true)
        #expect(store.isForwardOnly)
        _ = try await store.submit(test.accepted("a", TestStore.report(nodes: 1), at: TestStore.march))
        try store.close()
        #expect(throws: StoreError.otherMode(directory: test.directory.path, isForwardOnly: true)) {
            try test.open(isForwardOnly: false)
        }
        let whatever = try test.open()
        #expect(whatever.isForwardOnly)
        try whatever.close()

        let other = try TestStore()
        let figures = try other.open(isForwardOnly: false)
        _ = try await figures.submit(other.accepted("a", TestStore.report(nodes: 1), at: TestStore.march))
        try figures.close()
        #expect(throws: StoreError.otherMode(directory: other.directory.path, isForwardOnly: false)) {
            try other.open(outboxLimit: 10, isForwardOnly: true)
        }
    }
}

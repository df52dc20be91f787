// SPDX-License-Identifier: Apache-2.0

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
        #expect(try await store.expireOutbox(before: start.advanced(bySeconds: 120)) == 0)
        #expect(try await store.expireOutbox(before: start.advanced(bySeconds: 121)) == 1)
        #expect(store.outboxCount == 0)
        try store.close()
    }
}

// SPDX-License-Identifier: Apache-2.0

import FleetSimulator
import Foundation
import GRDB
import Logging
import Metrics
import TelemetryModel
import TelemetryTesting
import Testing

@testable import ReportStore

@Suite("The store")
struct ReportStoreTests {
    private let test: TestStore
    private var directory: TemporaryDirectory { test.directory }
    private var pseudonymizer: Pseudonymizer { test.pseudonymizer }
    private let march = TestStore.march

    init() throws {
        test = try TestStore()
    }

    private func open(maximumWaiting: Int = 10_000) throws -> ReportStore {
        try test.open(maximumWaiting: maximumWaiting)
    }

    private func report(nodes: Int64) -> Report { TestStore.report(nodes: nodes) }

    private func accepted(_ cluster: String, _ report: Report, at instant: UTCInstant) throws -> AcceptedReport {
        try test.accepted(cluster, report, at: instant)
    }

    @Test("what was answered is there after the store is opened again")
    func survivesReopening() async throws {
        let store = try open()
        #expect(try await store.submit(accepted("a", report(nodes: 3), at: march)) == .newState)
        try store.close()
        let again = try open()
        #expect(try await again.submit(accepted("a", report(nodes: 3), at: march)) == .knownState)
        let window = Window(.month, endingWith: march.month)
        #expect(try await again.totals(of: [window])[window]?.all == [.clusters: 1, .nodes: 3])
        try again.close()
    }

    @Test("an unchanged report within the hour writes nothing, a new hour writes one row")
    func unchangedReportWritesNothing() async throws {
        let store = try open()
        let report = report(nodes: 3)
        _ = try await store.submit(accepted("a", report, at: march))
        let before = try changes(in: store)
        _ = try await store.submit(accepted("a", report, at: march.advanced(bySeconds: 3_599)))
        #expect(try changes(in: store) == before)
        _ = try await store.submit(accepted("a", report, at: march.advanced(bySeconds: 3_600)))
        #expect(try changes(in: store) == before + 1)
        try store.close()
    }

    @Test(
        "v1's two collectors in turn write nothing within the hour; a report of v0 between them makes the next one last"
    )
    func siblingsDoNotSupersede() async throws {
        let store = try open()
        let facts = report(nodes: 3)
        let applications = Report([.init(Series(.applicationCount, ["Postgres"]), 2)])
        let older = Report([.init(Series(.tenantsCount), 1)])
        #expect([facts, applications, older].map(\.collector) == [.v1Operator, .v1Controller, .v0])
        for report in [facts, applications] { _ = try await store.submit(accepted("a", report, at: march)) }
        let before = try changes(in: store)
        for report in [facts, applications] { _ = try await store.submit(accepted("a", report, at: march)) }
        #expect(try changes(in: store) == before)
        for report in [older, facts] { _ = try await store.submit(accepted("a", report, at: march)) }
        let last = try await store.pool.read { database in
            var interner = Interner()
            return try Self.lastReport(&interner, in: database)
        }
        #expect(last == facts)
        try store.close()
    }

    @Test("of two reports that alternate, the one that was accepted last has the highest ordinal")
    func ordinalsFollowAcceptance() async throws {
        let store = try open()
        let (small, large) = (report(nodes: 3), report(nodes: 4))
        for report in [small, large, small] { _ = try await store.submit(accepted("a", report, at: march)) }
        let last = try await store.pool.read { database in
            var interner = Interner()
            return try Self.lastReport(&interner, in: database)
        }
        #expect(last == small)
        try store.close()
    }

    @Test("a report that is repeated in an earlier month, after a clock stepped back, is that month's last again")
    func lastOfAnEarlierMonth() async throws {
        let store = try open()
        let april = march.advanced(bySeconds: 31 * 86_400)
        func kernel(_ version: String) -> Report { Report([.init(Series(.nodesCount, ["linux", version]), 3)]) }
        let (old, new) = (kernel("6.6"), kernel("6.12"))
        let all = try [(old, march), (new, march), (old, april), (old, march)].map { try accepted("a", $0, at: $1) }
        for report in all { _ = try await store.submit(report) }
        let windows = Window.containing(march.month)
        let breakdowns = try await store.breakdowns(by: .kernel, in: windows)
        for window in windows {
            #expect(breakdowns[window] == ReferenceFigures(all).breakdown(by: .kernel, in: window), "\(window.label)")
        }
        #expect(breakdowns[Window(.month, endingWith: march.month)]?["6.6"]?.clustersAtEnd == 1)
        try store.close()
    }

    @Test("capacities whose sum does not fit 64 bits harm nothing, in one commit or in several")
    func largestCapacities() async throws {
        let store = try open()
        let report = Report([.init(Series(.clusterCapacity, ["memory"]), 1 << 60)])
        let all = try (0..<20).map { try accepted("c\($0)", report, at: march) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for accepted in all.prefix(10) { group.addTask { _ = try await store.submit(accepted) } }
            try await group.waitForAll()
        }
        for accepted in all.suffix(10) { _ = try await store.submit(accepted) }
        let window = Window(.month, endingWith: march.month)
        let totals = try await store.totals(of: [window])[window]
        #expect(totals == ReferenceFigures(all).totals(of: window))
        #expect(totals?.all[.capacity(resource: "memory")] == .max)
        try store.close()
    }

    @Test("every commit is synced, and the log is written ahead")
    func isDurable() throws {
        let store = try open()
        let (synchronous, journal) = try store.pool.write { database in
            (
                try Int.fetchOne(database, sql: "PRAGMA synchronous"),
                try String.fetchOne(database, sql: "PRAGMA journal_mode")
            )
        }
        #expect(synchronous == 2)
        #expect(journal == "wal")
        try store.close()
    }

    @Test("reports that wait together are committed together, each with its own outcome")
    func commitsInGroups() async throws {
        let store = try open()
        let outcomes = try await withThrowingTaskGroup(of: ReportStore.Outcome.self) { group in
            for number in 0..<500 {
                let report = try accepted("c\(number % 250)", report(nodes: 3), at: march)
                group.addTask { try await store.submit(report) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.filter { $0 == .newState }.count == 250)
        #expect(try await store.statistics().clusters == 250)
        try store.close()
    }

    @Test("a store that cannot write says so, keeps nothing of the report, and recovers")
    func failsAndRecovers() async throws {
        let store = try open()
        _ = try await store.submit(accepted("a", report(nodes: 3), at: march))
        try await store.pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA query_only = 1") }
        await #expect(throws: StoreError.self) { try await store.submit(accepted("b", report(nodes: 5), at: march)) }
        try await store.pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA query_only = 0") }
        #expect(try await store.submit(accepted("b", report(nodes: 5), at: march)) == .newState)
        let window = Window(.month, endingWith: march.month)
        #expect(try await store.totals(of: [window])[window]?.all == [.clusters: 2, .nodes: 8])
        try store.close()
    }

    @Test("more reports than may wait are refused at once")
    func refusesWhenFull() async throws {
        let store = try open(maximumWaiting: 0)
        await #expect(throws: StoreError.busy(waiting: 0)) {
            try await store.submit(accepted("a", report(nodes: 3), at: march))
        }
        try store.close()
    }

    @Test("reports of more samples than may wait are refused at once, but for one alone")
    func refusesWhenLong() async throws {
        let store = try test.open(maximumWaitingSamples: 3)
        func long(_ cluster: String) throws -> AcceptedReport {
            let lines = (1...5).map { "cozy_pvs_count{driver=\"a.example\",size=\"\($0)Gi\"} 1\n" }.joined()
            let decoder = ReportDecoder(pseudonymizer: test.pseudonymizer)
            return try accepted(cluster, decoder.decode(Array(lines.utf8)).report, at: march)
        }
        // The writer is busy until everything is submitted.
        let (release, isBusy) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        store.pool.asyncWriteWithoutTransaction { _ in
            isBusy.signal()
            release.wait()
        }
        isBusy.wait()
        let (outcomes, outcome) = AsyncStream.makeStream(of: (String, Bool).self)
        for cluster in ["a", "b", "c"] {
            store.submit(try long(cluster), as: nil) { result in
                if case .success = result { outcome.yield((cluster, true)) } else { outcome.yield((cluster, false)) }
            }
        }
        release.signal()
        var taken: [String: Bool] = [:]
        for await (cluster, isTaken) in outcomes.prefix(3) { taken[cluster] = isTaken }
        #expect(taken == ["a": true, "b": false, "c": false])
        #expect(try await store.submit(long("b")) == .newState)
        try store.close()
    }

    @Test("a store of a newer version is left alone")
    func refusesNewerSchema() throws {
        let store = try open()
        try store.pool.write { try $0.execute(sql: "INSERT INTO grdb_migrations (identifier) VALUES ('v999')") }
        try store.close()
        #expect(throws: StoreError.newerSchema(path: directory.path + "/telemetry.sqlite")) { try open() }
    }

    @Test("another key is refused, a lost one is not replaced")
    func refusesOtherKey() throws {
        let path = directory.path + "/" + PseudonymKeyFile.name
        try open().close()
        try Data(repeating: 7, count: 32).write(to: URL(fileURLWithPath: path))
        let other = try PseudonymKeyFile.load(fromDirectory: directory.path)
        #expect(throws: StoreError.wrongKey(path: path)) {
            try ReportStore(
                directory: directory.path,
                keyCheck: other.checkValue,
                metrics: NOOPMetricsHandler.instance,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            )
        }
        try FileManager.default.removeItem(atPath: path)
        #expect(throws: StoreError.self) { try PseudonymKeyFile.load(fromDirectory: directory.path) }
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test("the key is readable by its owner only, and the same the next time")
    func keyIsPrivate() throws {
        let path = directory.path + "/" + PseudonymKeyFile.name
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
        #expect(try PseudonymKeyFile.load(fromDirectory: directory.path).checkValue == pseudonymizer.checkValue)
    }

    @Test(
        "what is stored of a report is the whole report, by a store that was opened anew",
        arguments: [21, 22] as [UInt64]
    )
    func contentIsTheReport(seed: UInt64) async throws {
        var fleet = Fleet(clusters: 30, seed: seed)
        let decoder = ReportDecoder(pseudonymizer: pseudonymizer)
        let reports = try fleet.nextRound().map { try decoder.decode($0.body).report }
        let store = try open()
        for (number, report) in reports.enumerated() {
            _ = try await store.submit(accepted("c\(number)", report, at: march))
        }
        try store.close()
        let again = try open()
        let stored = try await again.pool.read { database in
            var interner = Interner()
            return try Data.fetchAll(database, sql: "SELECT content FROM sighting ORDER BY cluster").map { bytes in
                try ReportContent(bytes: Array(bytes), interner: &interner, in: database)
                    .report(interner: &interner, in: database)
            }
        }
        #expect(stored == reports, "seed \(seed)")
        try again.close()
    }

    @Test("a data directory has one owner at a time, and the second is told who that is")
    func refusesSecondOwner() throws {
        let store = try open()
        let owner = "\(ProcessInfo.processInfo.processIdentifier)"
        #expect(throws: StoreError.inUse(directory: directory.path, owner: owner)) { try open() }
        try store.close()
        try open().close()
    }

    @Test("somebody who reads an earlier state does not keep the store from being opened, and that is said")
    func readerAtStart() async throws {
        let store = try open()
        let reader = try DatabasePool(path: directory.path + "/" + ReportStore.fileName)
        let earlier = try reader.makeSnapshot()
        _ = try await store.submit(accepted("a", report(nodes: 3), at: march))
        try store.close()
        let log = LogRecorder()
        let again = try test.open(logger: log.logger)
        #expect(log.recorded.contains { $0.contains("could not be emptied at the start") })
        #expect(try await again.submit(accepted("a", report(nodes: 3), at: march)) == .knownState)
        try earlier.close()
        try reader.close()
        try again.close()
    }

    @Test("a closed store is one file, so that a copy of it is whole")
    func leavesOneFile() async throws {
        let store = try open()
        _ = try await store.submit(accepted("a", report(nodes: 3), at: march))
        try store.close()
        let log = directory.path + "/telemetry.sqlite-wal"
        let size = try? FileManager.default.attributesOfItem(atPath: log)[.size] as? NSNumber
        #expect((size ?? 0) == 0)
    }

    @Test("a damaged key is refused")
    func refusesDamagedKey() throws {
        let path = directory.path + "/" + PseudonymKeyFile.name
        try Data([1, 2, 3]).write(to: URL(fileURLWithPath: path))
        #expect(throws: StoreError.malformedKey(path: path)) {
            try PseudonymKeyFile.load(fromDirectory: directory.path)
        }
    }

    @Test("no identifier is in the files")
    func keepsNoIdentifier() async throws {
        let uid = "6099a6ff-87bd-463b-9deb-6b8dcdc7c47b"
        var builder = ReportBuilder(pseudonymizer: pseudonymizer)
        builder.add(.workloadsCount, [uid, "etcd", "etcd", "2.4.0"], value: 3)
        let store = try open()
        _ = try await store.submit(accepted("canary-cluster", builder.report(), at: march))
        try store.close()
        for file in try FileManager.default.contentsOfDirectory(atPath: directory.path) {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: directory.path + "/" + file))
            #expect(bytes.range(of: Data("canary-cluster".utf8)) == nil, "\(file)")
            #expect(bytes.range(of: Data(uid.utf8)) == nil, "\(file)")
        }
    }

    /// The report with the highest ordinal.
    private static func lastReport(_ interner: inout Interner, in database: Database) throws -> Report? {
        try Data.fetchOne(database, sql: "SELECT content FROM sighting ORDER BY ordinal DESC LIMIT 1").map { bytes in
            try ReportContent(bytes: Array(bytes), interner: &interner, in: database)
                .report(interner: &interner, in: database)
        }
    }

    /// Rows that were ever changed over the writer's connection, but for the store's own counter.
    private func changes(in store: ReportStore) throws -> Int {
        try store.pool.write { $0.totalChangesCount }
    }
}

// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import Synchronization
import TelemetryModel
import TelemetryTesting
import Testing

@testable import ReportStore

@Suite("Backups")
struct BackupTests {
    private let test: TestStore
    private let elsewhere: TemporaryDirectory
    private let march = TestStore.march
    private let window = Window(.month, endingWith: TestStore.march.month)

    init() throws {
        test = try TestStore()
        elsewhere = try TemporaryDirectory()
    }

    private var maintenance: StoreMaintenance { StoreMaintenance(directory: test.directory.path) }
    private var copy: String { elsewhere.path + "/copy" }

    private func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

    /// A store with some clusters in it.
    private func fill(_ clusters: Range<Int>, _ store: ReportStore) async throws {
        for number in clusters {
            _ = try await store.submit(test.accepted("c\(number)", TestStore.report(nodes: 3), at: march))
        }
    }

    private func clusters(in store: ReportStore) async throws -> Int64? {
        try await store.totals(of: [window])[window]?.all[.clusters]
    }

    @Test("under load they are one state of the store, with everything that was committed when they began")
    func underLoad() async throws {
        let store = try test.open()
        try await fill(0..<400, store)
        let committed = Mutex(400)
        let (begun, begin) = AsyncStream.makeStream(of: Void.self)
        let load = Task {
            var number = 400
            while !Task.isCancelled {
                try await fill(number..<number + 1, store)
                number += 1
                committed.withLock { $0 = number }
                begin.yield()
            }
        }
        for await _ in begun { break }
        for round in 0..<5 {
            let before = committed.withLock { $0 }
            let backup = try await maintenance.backUp(to: copy, replacing: true) { _ in }
            let after = committed.withLock { $0 }
            #expect(DurableFile.size(of: copy) == backup.bytes)
            let reader = try StoreReader(copy, isAlone: true)
            let check = try await reader.read { try StoreCheck($0) { _ in } }
            reader.close()
            #expect(check.problems == [], "round \(round)")
            #expect((before...after + 1).contains(check.clusters), "\(before), \(check.clusters), \(after)")
        }
        load.cancel()
        try await load.value
        let attributes = try FileManager.default.attributesOfItem(atPath: copy)
        #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
        #expect(try FileManager.default.contentsOfDirectory(atPath: elsewhere.path) == ["copy"])
        #expect(try await store.problems() == [])
        try store.close()
    }

    @Test("a file that is there is refused and left, the backend's own always")
    func refusesExisting() async throws {
        let store = try test.open()
        try await fill(0..<2, store)
        try Data("mine".utf8).write(to: URL(fileURLWithPath: copy))
        try Data("left by a killed process".utf8).write(to: URL(fileURLWithPath: copy + ".part"))
        await #expect(throws: StoreError.self) { try await maintenance.backUp(to: copy) { _ in } }
        #expect(try Data(contentsOf: URL(fileURLWithPath: copy)) == Data("mine".utf8))
        for name in ["telemetry.sqlite", "telemetry.sqlite-wal", "pseudonym.key", "lock"] {
            await #expect(throws: StoreError.self) {
                try await maintenance.backUp(to: test.directory.path + "/" + name, replacing: true) { _ in }
            }
        }
        let backup = try await maintenance.backUp(to: copy, replacing: true) { _ in }
        #expect(DurableFile.size(of: copy) == backup.bytes)
        #expect(!exists(copy + ".part"))
        try store.close()
    }

    @Test("a restored store is the one of the backup; the one before is whole beside it, with what was in its log")
    func restores() async throws {
        let store = try test.open()
        try await fill(0..<3, store)
        _ = try await maintenance.backUp(to: copy) { _ in }
        try await fill(3..<5, store)
        await #expect(throws: StoreError.inUse(directory: test.directory.path, owner: "\(getpid())")) {
            try await maintenance.restore(from: copy, at: march) { _ in }
        }
        // As a killed backend leaves it: the last commits are in the log alone.
        let killed = StoreMaintenance(directory: elsewhere.path + "/killed")
        try FileManager.default.createDirectory(atPath: killed.directory, withIntermediateDirectories: true)
        for name in ["telemetry.sqlite", "telemetry.sqlite-wal", "pseudonym.key"] {
            let origin = test.directory.path + "/" + name
            try FileManager.default.copyItem(atPath: origin, toPath: killed.directory + "/" + name)
        }
        try store.close()
        #expect(DurableFile.size(of: killed.storePath + "-wal") ?? 0 > 0)
        for round in 1...2 {
            let done = try await killed.restore(from: copy, at: march) { _ in }
            #expect(!done.isKeyMissing)
            let old = try #require(done.setAside)
            #expect(old == killed.storePath + ".2026-03-01T00-00-00Z" + (round == 1 ? "" : "-2"))
            #expect(!exists(killed.storePath + "-wal"))
            let clusters = try await DatabaseQueue(path: old).read { database in
                try Int.fetchOne(database, sql: "SELECT count(*) FROM cluster")
            }
            #expect(clusters == (round == 1 ? 5 : 3))
        }
        let restored = try test.open(killed.directory)
        #expect(try await clusters(in: restored) == 3)
        #expect(try await restored.problems() == [])
        try restored.close()
    }

    @Test("what root restores belongs to the owner of the directory, the lock too", .enabled(if: geteuid() == 0))
    func restoresAsRoot() async throws {
        let store = try test.open()
        try await fill(0..<2, store)
        _ = try await maintenance.backUp(to: copy) { _ in }
        try store.close()
        let other = elsewhere.path + "/other"
        try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: true)
        #expect(chown(other, 4_321, 4_322) == 0)
        for _ in 0..<2 { _ = try await StoreMaintenance(directory: other).restore(from: copy, at: march) { _ in } }
        let names = try FileManager.default.contentsOfDirectory(atPath: other)
        #expect(names.sorted() == ["lock", "telemetry.sqlite", "telemetry.sqlite.2026-03-01T00-00-00Z"])
        for name in names {
            var file = stat()
            #expect(stat(other + "/" + name, &file) == 0)
            #expect(file.st_uid == 4_321 && file.st_gid == 4_322, "\(name)")
        }
    }

    @Test("a damaged store goes aside with its log, byte for byte")
    func restoresOverDamage() async throws {
        let store = try test.open()
        try await fill(0..<3, store)
        _ = try await maintenance.backUp(to: copy) { _ in }
        try store.close()
        let log = Data("a log".utf8)
        try Data("no store".utf8).write(to: URL(fileURLWithPath: maintenance.storePath))
        try log.write(to: URL(fileURLWithPath: maintenance.storePath + "-wal"))
        let done = try await maintenance.restore(from: copy, at: march) { _ in }
        let old = try #require(done.setAside)
        #expect(try Data(contentsOf: URL(fileURLWithPath: old)) == Data("no store".utf8))
        #expect(try Data(contentsOf: URL(fileURLWithPath: old + "-wal")) == log)
        #expect(!exists(maintenance.storePath + "-wal"))
        let restored = try test.open()
        #expect(try await clusters(in: restored) == 3)
        try restored.close()
    }

    @Test("what is no store, is damaged or has another key is refused, and the store is left as it is")
    func refusesOthers() async throws {
        let store = try test.open()
        try await fill(0..<40, store)
        _ = try await maintenance.backUp(to: copy) { _ in }
        try store.close()
        let before = try Data(contentsOf: URL(fileURLWithPath: maintenance.storePath))
        let names = try FileManager.default.contentsOfDirectory(atPath: test.directory.path).sorted()
        let good = try Data(contentsOf: URL(fileURLWithPath: copy))
        var bad = good
        bad.replaceSubrange(good.count - 4_000..<good.count, with: Data(repeating: 0x55, count: 4_000))
        for (bytes, word) in [(Data(), "empty"), (Data("text".utf8), "cannot be read"), (bad, "damaged")] {
            try bytes.write(to: URL(fileURLWithPath: copy))
            let error = await #expect(throws: StoreError.self) {
                try await maintenance.restore(from: copy, at: march) { _ in }
            }
            #expect("\(error.map(String.init(describing:)) ?? "")".contains(word), "\(String(describing: error))")
        }
        try good.write(to: URL(fileURLWithPath: copy))
        try Data(repeating: 7, count: 32).write(to: URL(fileURLWithPath: maintenance.keyPath))
        let error = await #expect(throws: StoreError.self) {
            try await maintenance.restore(from: copy, at: march) { _ in }
        }
        #expect("\(error.map(String.init(describing:)) ?? "")".contains("another key"))
        #expect(try Data(contentsOf: URL(fileURLWithPath: maintenance.storePath)) == before)
        #expect(try FileManager.default.contentsOfDirectory(atPath: test.directory.path).sorted() == names)
    }
}

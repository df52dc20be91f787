// SPDX-License-Identifier: Apache-2.0

import Foundation
import TelemetryModel
import TelemetryTesting
import Testing

@testable import ReportStore

@Suite("The pseudonym key")
struct KeyRotationTests {
    private let month = CalendarMonth(year: 2026, month: 3)

    private func clusters(_ store: ReportStore) async throws -> Int64 {
        let window = Window(.month, endingWith: month)
        return try await store.totals(of: [window])[window]?.all[.clusters] ?? 0
    }

    @Test("after a rotation a cluster counts anew, and the store is whole")
    func rotation() async throws {
        let test = try TestStore()
        let start = UTCInstant(startOf: month.firstDay)
        func submit(_ test: TestStore, _ store: ReportStore) async throws -> ReportStore.Outcome {
            try await store.submit(test.accepted("one", TestStore.report(nodes: 3), at: start))
        }
        let store = try test.open()
        #expect(try await submit(test, store) == .newState)
        #expect(try await submit(test, store) == .knownState)
        try store.close()

        let maintenance = StoreMaintenance(directory: test.directory.path)
        let former = try Data(contentsOf: URL(fileURLWithPath: maintenance.keyPath))
        #expect(try await maintenance.rotateKey() == 1)
        let new = try Data(contentsOf: URL(fileURLWithPath: maintenance.keyPath))
        #expect(new != former && new.count == Pseudonymizer.keyLength)
        let attributes = try FileManager.default.attributesOfItem(atPath: maintenance.keyPath)
        #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
        #expect(throws: StoreError.wrongKey(path: maintenance.keyPath)) { try test.open() }

        let again = try TestStore(directory: test.directory)
        let reopened = try again.open()
        #expect(try await submit(again, reopened) == .newState)
        #expect(try await clusters(reopened) == 2)
        #expect(try await reopened.problems() == [])
        try reopened.close()
    }

    @Test("a rotation that ended half-way is ended by another one; a running backend is not rotated under")
    func interruption() async throws {
        let test = try TestStore()
        let store = try test.open()
        let maintenance = StoreMaintenance(directory: test.directory.path)
        await #expect(throws: StoreError.inUse(directory: test.directory.path, owner: "\(getpid())")) {
            try await maintenance.rotateKey()
        }
        try store.close()
        // The new key is there, the store knows the former one.
        _ = try maintenance.key.rotated()
        #expect(throws: StoreError.wrongKey(path: maintenance.keyPath)) {
            try TestStore(directory: test.directory).open()
        }
        #expect(try await maintenance.rotateKey() == 0)
        try TestStore(directory: test.directory).open().close()
    }

    @Test("a key that is given is never made, and is the one that the errors name")
    func given() async throws {
        let (test, elsewhere) = (try TestStore(), try TemporaryDirectory())
        let path = elsewhere.path + "/key"
        let file = PseudonymKeyFile(directory: test.directory.path, givenAt: path)
        #expect(throws: StoreError.missingKey(path: path)) { try file.load() }
        #expect(!FileManager.default.fileExists(atPath: path))
        try Data(repeating: 1, count: 31).write(to: URL(fileURLWithPath: path))
        #expect(throws: StoreError.malformedKey(path: path)) { try file.load() }
        try Data(repeating: 2, count: 32).write(to: URL(fileURLWithPath: path))
        let key = try file.load()
        try test.open().close()
        let maintenance = StoreMaintenance(directory: test.directory.path, keyFile: path)
        let cluster = try #require(ClusterID("11111111-1111-4111-8111-111111111111"))
        await #expect(throws: StoreError.wrongKey(path: path)) { try await maintenance.erase(cluster) }
        #expect(try await maintenance.rotateKey() == 0)
        #expect(try await maintenance.erase(cluster) == nil)
        #expect(try file.load().checkValue == key.checkValue)
        await #expect(throws: StoreError.sameKey(path: path)) { try await maintenance.rotateKey() }
    }

    @Test("a key that root makes is the directory's owner's", .enabled(if: geteuid() == 0, "takes root"))
    func owner() async throws {
        let test = try TestStore()
        try test.open().close()
        let nobody: uid_t = 65_534
        try #require(chown(test.directory.path, nobody, nobody) == 0)
        _ = try await StoreMaintenance(directory: test.directory.path).rotateKey()
        let path = test.directory.path + "/" + PseudonymKeyFile.name
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect((attributes[.ownerAccountID] as? NSNumber)?.uint32Value == nobody)
    }
}

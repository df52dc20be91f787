// SPDX-License-Identifier: Apache-2.0

import FleetSimulator
import Foundation
import GRDB
import TelemetryModel
import TelemetryTesting
import Testing

@testable import ReportStore

@Suite("Power loss while a backup is put back")
struct RestorePowerLossTests {
    /// What stands in the directory before.
    enum Former: CaseIterable, CustomTestStringConvertible {
        case nothing
        case store
        /// A store whose last reports are in its log alone.
        case storeWithLog
        /// Something that is no store, with a log beside it that belongs to it.
        case damagedStoreWithLog

        var testDescription: String { "\(self)" }
    }

    private let test: TestStore

    init() throws {
        test = try TestStore()
    }

    /// The files of a store of so many clusters, by name; with its log as a killed backend leaves it, or without.
    private func files(clusters: Int, log isWithLog: Bool) async throws -> [String: [UInt8]] {
        let directory = try TemporaryDirectory()
        let store = try test.open(directory.path)
        for number in 0..<clusters {
            _ = try await store.submit(test.accepted("c\(number)", TestStore.report(nodes: 3), at: TestStore.march))
        }
        if !isWithLog { try store.close() }
        var files: [String: [UInt8]] = [:]
        for name in ["telemetry.sqlite", "telemetry.sqlite-wal"] {
            let path = directory.path + "/" + name
            guard FileManager.default.fileExists(atPath: path) else { continue }
            files[name] = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
        }
        if isWithLog { try store.close() }
        return files
    }

    private func files(_ former: Former) async throws -> [String: [UInt8]] {
        switch former {
        case .nothing: return [:]
        case .store: return try await files(clusters: 5, log: false)
        case .storeWithLog: return try await files(clusters: 5, log: true)
        case .damagedStoreWithLog:
            let log = try await files(clusters: 5, log: true)["telemetry.sqlite-wal"]
            return ["telemetry.sqlite": Array("no store".utf8), "telemetry.sqlite-wal": log ?? []]
        }
    }

    /// How many clusters the store of a directory has; nil where there is none, -1 where it is what was no store before, and
    /// -2 where it is damaged otherwise.
    private func clusters(in disk: FaultyFileSystem) async throws -> Int? {
        let path = disk.path + "/telemetry.sqlite"
        guard DurableFile.size(of: path) != nil else { return nil }
        if try Data(contentsOf: URL(fileURLWithPath: path)) == Data("no store".utf8) { return -1 }
        do {
            let store = try test.open(disk.path)
            #expect(try await store.problems() == [])
            defer { try? store.close() }
            return store.clusterCount
        } catch is StoreError {
            return -2
        }
    }

    @Test("the directory holds what it held, or all that was restored", arguments: Former.allCases)
    func eitherOr(former: Former) async throws {
        let backup = try TemporaryDirectory()
        let copy = backup.path + "/copy"
        for (name, bytes) in try await files(clusters: 3, log: false) where name == "telemetry.sqlite" {
            try Data(bytes).write(to: URL(fileURLWithPath: copy))
        }
        let files = try await files(former)
        let before: Int? =
            switch former {
            case .nothing: nil
            case .store, .storeWithLog: 5
            case .damagedStoreWithLog: -1
            }
        var found: Set<Int?> = []
        // What is mixed comes out another way each time.
        let runs = FaultyFileSystem.Fate.allCases.map { (fate: $0, seed: UInt64(0)) }
        for (fate, seed) in runs + (1...8).map({ (.mixed, $0 * 1_000) }) {
            var isDone = false
            var cut = 0
            while !isDone {
                let disk = try FaultyFileSystem(seed: seed + UInt64(cut), fate: fate, contents: files)
                disk.cutPower(after: cut)
                let maintenance = StoreMaintenance(directory: disk.path, calls: .on(disk))
                // It fails where the power does.
                let restoration = try? await maintenance.restore(from: copy, at: TestStore.march) { _ in }
                isDone = disk.hasPower
                #expect(isDone == (restoration != nil) || !isDone, "\(fate), \(cut)")
                let after = try disk.afterPowerLoss(seed: UInt64(cut) + 1)
                let clusters = try await clusters(in: after)
                if restoration != nil {
                    #expect(clusters == 3, "\(fate), \(cut)")
                } else {
                    #expect(clusters == before || clusters == 3, "\(fate), \(cut): \(String(describing: clusters))")
                }
                found.insert(clusters)
                cut += 1
            }
        }
        #expect(found == [before, 3])
    }
}

extension FileCalls {
    /// The system's, as far as the power of a file system lets them through.
    static func on(_ disk: FaultyFileSystem) -> Self {
        Self(
            sync: { disk.sync(path: $0) && system.sync($0) },
            rename: { disk.rename($0, to: $1, keeping: false) && system.rename($0, $1) },
            link: { disk.rename($0, to: $1, keeping: true) && system.link($0, $1) },
            unlink: { disk.unlink($0) && system.unlink($0) }
        )
    }
}

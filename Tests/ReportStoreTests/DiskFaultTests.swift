// SPDX-License-Identifier: Apache-2.0

import FleetSimulator
import ReportStore
import TelemetryTesting
import Testing

@Suite("Disk faults")
struct DiskFaultTests {
    @Test("a full disk refuses reports whole, and the same store takes them when there is space again")
    func fullDisk() async throws {
        var effort = Effort("full disk", seeds: 2)
        while let seed = effort.next() {
            var random = SeededGenerator(seed: seed)
            let disk = try FaultyFileSystem(seed: seed)
            var run = try FaultRun(seed: seed)
            let store = try run.open(disk)
            for _ in 0..<3 {
                disk.limitGrowth(to: Int.random(in: 0..<300_000, using: &random))
                await run.submit(150, atATime: [1, 64].randomElement(using: &random) ?? 1, to: store)
                try await run.check(store, isExact: true)
                try await run.checkReopened(try disk.ifPowerFailedNow(seed: seed))
                disk.limitGrowth(to: nil)
                await run.submitRefused(to: store)
                try await run.check(store, isExact: true)
            }
            try store.close()
            try await run.checkReopened(try disk.afterPowerLoss(seed: seed))
        }
    }

    @Test("a full disk does refuse reports")
    func fullDiskRefuses() async throws {
        let disk = try FaultyFileSystem(seed: 1)
        var run = try FaultRun(seed: 1)
        let store = try run.open(disk)
        disk.limitGrowth(to: 0)
        await run.submit(10, atATime: 1, to: store)
        #expect(!run.refused.isEmpty)
        disk.limitGrowth(to: nil)
        try store.close()
    }

    @Test(
        "reads, writes and syncs that fail lose nothing that was answered, and the same store goes on when they work",
        arguments: [[.read], [.write], [.sync], [.read, .write, .sync, .truncate, .open, .delete]]
            as [Set<FaultyFileSystem.Operation>]
    )
    func failingOperations(operations: Set<FaultyFileSystem.Operation>) async throws {
        let names = operations.map { "\($0)" }.sorted().joined(separator: ", ")
        var effort = Effort("failing \(names)", seeds: 2)
        var refusals = 0
        while let seed = effort.next() {
            var random = SeededGenerator(seed: seed)
            let disk = try FaultyFileSystem(seed: seed)
            var run = try FaultRun(seed: seed)
            openAndClose(disk, run, whileFailing: operations)
            let store = try run.open(disk)
            for probability in [0.01, 0.05, 0.5] {
                disk.fail(operations, probability: probability)
                await run.submit(100, atATime: [1, 8, 64].randomElement(using: &random) ?? 1, to: store)
                refusals += run.refused.count
                try await run.checkReopened(try disk.ifPowerFailedNow(seed: seed))
                disk.fail([], probability: 0)
                try await run.check(store, isExact: true)
                await run.submitRefused(to: store)
                try await run.check(store, isExact: true)
            }
            try await run.checkReopened(try disk.afterPowerLoss(seed: seed))
        }
        // What is read is mostly in SQLite's cache.
        #expect(refusals > 0 || operations == [.read])
    }

    @Test("a log that an earlier start could not sync is not built upon")
    func failedSyncAtFormerStart() async throws {
        // Seeds of a long run: the log was readable after its sync had failed, and not on disk.
        for seed in [924_030_726, 924_030_772, 924_030_797] as [UInt64] {
            let disk = try FaultyFileSystem(seed: seed)
            var run = try FaultRun(seed: seed)
            openAndClose(disk, run, whileFailing: [.sync])
            let store = try run.open(disk)
            await run.submit(50, atATime: 8, to: store)
            #expect(run.refused.isEmpty)
            try await run.checkReopened(try disk.ifPowerFailedNow(seed: seed))
            try store.close()
        }
    }

    /// Tries to open the store a few times, which may fail, and must not be in the way of opening it later.
    private func openAndClose(
        _ disk: FaultyFileSystem,
        _ run: FaultRun,
        whileFailing operations: Set<FaultyFileSystem.Operation>
    ) {
        disk.fail(operations, probability: 0.1)
        for _ in 0..<4 {
            do {
                try run.open(disk).close()
            } catch {
                #expect(error is StoreError, "seed \(run.seed): \(error)")
            }
        }
        disk.fail([], probability: 0)
    }
}

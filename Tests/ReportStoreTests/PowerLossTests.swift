// SPDX-License-Identifier: Apache-2.0

import FleetSimulator
import GRDB
import ReportStore
import TelemetryTesting
import Testing

@Suite("Power loss")
struct PowerLossTests {
    @Test("whenever the power fails, what was answered is there afterwards, and no report counts twice")
    func answeredReportsSurvive() async throws {
        var effort = Effort("power loss", seeds: 20)
        var (withAnswers, cuts) = (0, 0)
        while let seed = effort.next() {
            let run = try await livesOnFailingPower(seed: seed)
            cuts += run.cuts
            withAnswers += run.run.hasAnswers ? 1 : 0
        }
        effort.say("the power failed \(cuts) times")
        #expect(withAnswers > 0)
    }

    /// Lets the power fail again and again on the same data.
    private func livesOnFailingPower(seed: UInt64) async throws -> (run: FaultRun, cuts: Int) {
        var random = SeededGenerator(seed: seed)
        var run = try FaultRun(seed: seed)
        let syncTime: Duration = seed.isMultiple(of: 4) ? .milliseconds(5) : .zero
        var disk = try FaultyFileSystem(seed: seed, syncTime: syncTime)
        var cuts = 0
        for _ in 0..<4 {
            let reach = [30, 300, 1_000, 3_000].randomElement(using: &random) ?? 30
            disk.cutPower(after: Int.random(in: 0..<reach, using: &random))
            await liveUntilPowerFails(on: disk, run: &run, width: [1, 8, 64].randomElement(using: &random) ?? 1)
            cuts += disk.hasPower ? 0 : 1
            disk = try disk.afterPowerLoss(seed: random.next())
            // Not always, so that the next life begins with the recovery of this one, in which the power may fail too.
            if Bool.random(using: &random) { try await run.checkReopened(disk) }
        }
        try await run.checkReopened(disk)
        return (run, cuts)
    }

    /// Opens the store, submits, and closes it, as far as that goes.
    private func liveUntilPowerFails(on disk: FaultyFileSystem, run: inout FaultRun, width: Int) async {
        do {
            let store = try run.open(disk)
            await run.submit(100, atATime: width, to: store, stoppingAtFailure: true)
            #expect(run.refused.isEmpty || !disk.hasPower, "seed \(run.seed)")
            try store.close()
        } catch {
            #expect(error is StoreError && !disk.hasPower, "seed \(run.seed): \(error)")
        }
    }

    @Test("the faulty file system loses what was not synced and keeps what was", arguments: ["OFF", "NORMAL", "FULL"])
    func losesWhatIsNotSynced(level: String) async throws {
        let disk = try FaultyFileSystem(seed: 1, fate: .lost)
        let pool = try DatabasePool(path: disk.path + "/telemetry.sqlite")
        try await pool.write { try $0.execute(sql: "CREATE TABLE t (n)") }
        try await pool.writeWithoutTransaction { database in
            _ = try database.checkpoint(.truncate)
            try database.execute(sql: "PRAGMA synchronous = FULL; INSERT INTO t VALUES (1)")
            try database.execute(sql: "PRAGMA synchronous = \(level); INSERT INTO t VALUES (2)")
        }
        disk.cutPower()
        await #expect(throws: DatabaseError.self) {
            try await pool.write { try $0.execute(sql: "INSERT INTO t VALUES (3)") }
        }
        let after = try disk.afterPowerLoss(seed: 2)
        let found = try await DatabaseQueue(path: after.path + "/telemetry.sqlite").read { database in
            try Int.fetchAll(database, sql: "SELECT n FROM t ORDER BY n")
        }
        #expect(found == (level == "FULL" ? [1, 2] : [1]))
    }

    @Test("a file that was made and never synced is lost with the power")
    func losesNewFiles() async throws {
        let disk = try FaultyFileSystem(seed: 1, fate: .lost)
        let queue = try DatabaseQueue(path: disk.path + "/new.sqlite")
        try await queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = OFF; CREATE TABLE t (n)") }
        #expect(disk.bytes > 0)
        #expect(try disk.afterPowerLoss(seed: 2).bytes == 0)
        #expect(!disk.hasPower)
    }
}

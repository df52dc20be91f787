// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import FleetSimulator
import Foundation
import Logging
import Metrics
import ReportStore
import TelemetryModel
import TelemetryTesting
import Testing

@Suite("Killed servers")
struct KilledServerTests {
    @Test("whenever the process is killed, what was answered 200 is there afterwards, and no report counts twice")
    func answeredReportsSurvive() async throws {
        var effort = Effort("kill -9", seeds: 1)
        while let seed = effort.next() {
            let kills = effort.isSoak ? 25 : 6
            try await killOverAndOver(kills, seed: seed)
            effort.say("seed \(seed): killed \(kills) servers")
        }
    }

    /// Kills servers on one data directory, one after the other, under load.
    private func killOverAndOver(_ kills: Int, seed: UInt64) async throws {
        let directory = try TemporaryDirectory()
        let configuration = Simulation.clientConfiguration(connections: 64)
        try await HTTPClient.withHTTPClient(configuration: configuration) { client in
            var load = MarkedLoad(client: client, seed: seed)
            var random = SeededGenerator(seed: seed)
            for _ in 0..<kills {
                if Int.random(in: 0..<4, using: &random) == 0 { try await killStarting(directory, using: &random) }
                try await kill(Server.start(directory: directory), under: &load, using: &random)
                // Else the next server begins with the recovery.
                if Bool.random(using: &random) { try await check(load, in: directory) }
            }
            try await Server.with(directory: directory) { _ in }
            try await check(load, in: directory)
        }
    }

    /// Kills a server that may not have opened its store yet.
    private func killStarting(_ directory: TemporaryDirectory, using random: inout SeededGenerator) async throws {
        let program = try RunningProgram(Server.commandLine(directory))
        // The moment is what the test is about; nothing is waited for.
        try await Task.sleep(for: .milliseconds(Int.random(in: 0..<200, using: &random)))
        program.signal(SIGKILL)
        #expect(await program.ending().status == SIGKILL)
    }

    /// Kills a server under load.
    private func kill(_ server: Server, under load: inout MarkedLoad, using random: inout SeededGenerator) async throws
    {
        let width = [1, 8, 64].randomElement(using: &random) ?? 8
        let delay = Duration.microseconds(Int.random(in: 0..<20_000, using: &random))
        await load.run(width, against: server.url, until: Int.random(in: 1...300, using: &random)) {
            // Answers come just after a commit; so much later is anywhere in the next ones.
            try? await Task.sleep(for: delay)
            server.program.signal(SIGKILL)
        }
        #expect(await server.program.ending().status == SIGKILL)
    }

    /// Opens the store as the server does, and compares.
    private func check(_ load: MarkedLoad, in directory: TemporaryDirectory) async throws {
        let pseudonymizer = try PseudonymKeyFile.load(fromDirectory: directory.path)
        let store = try ReportStore(
            directory: directory.path,
            keyCheck: pseudonymizer.checkValue,
            metrics: NOOPMetricsHandler.instance,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        let now = UTCInstant(secondsSinceEpoch: Int64(Date().timeIntervalSince1970))
        let window = Window(.year, endingWith: now.month)
        let totals = try #require(try await store.totals(of: [window])[window])
        let counts = MarkedReports.counts(in: totals)
        let twice = counts.values.filter { $0 > 1 }.count
        #expect(twice == 0, "seed \(load.seed): of \(counts.count) counted")
        let lost = load.answered.subtracting(counts.keys).count
        #expect(lost == 0, "seed \(load.seed): of \(load.answered.count) answered")
        let accepted = counts.keys.compactMap { load.sent[$0] }.map { marked in
            AcceptedReport(
                cluster: pseudonymizer.pseudonym(of: marked.cluster),
                receivedAt: now,
                report: marked.report
            )
        }
        #expect(totals.all == ReferenceFigures(accepted).totals(of: window).all, "seed \(load.seed)")
        #expect(try await store.statistics().distinctReports == counts.count, "seed \(load.seed)")
        try store.close()
    }
}

// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Foundation
import NIOCore
import ReportStore
import TelemetryModel
import TelemetryTesting
import Testing

@Suite(
    "Sending on to VictoriaMetrics",
    .enabled(if: VictoriaMetricsProcess.isAvailable, "install Debian's victoria-metrics"),
    .timeLimit(.minutes(3))
)
struct ForwardingTests {
    /// What `simulate --json` prints.
    private struct Simulated: Decodable {
        let ok: Int
        let sent: Int
    }

    /// Has a fleet report, of which each reports something else in each round.
    private func simulate(_ server: Server, seed: Int) async throws {
        let arguments = ["--telemetry-endpoint", server.url, "--clusters", "40", "--rounds", "3", "--seed", "\(seed)"]
        let ending = try await RunningProgram.run(["simulate", "--json"] + arguments)
        #expect(ending.status == 0, "\(ending.errors)")
        let result = try JSONDecoder().decode(Simulated.self, from: Data(ending.output.utf8))
        #expect(result.ok == result.sent)
    }

    private func outbox(_ directory: TemporaryDirectory) async throws -> OutboxStatistics {
        struct Document: Decodable { let outbox: OutboxStatistics }
        let ending = try await RunningProgram.run(["store", "outbox", "--json", "--data-dir", directory.path])
        #expect(ending.status == 0, "\(ending.errors)")
        return try JSONDecoder().decode(Document.self, from: Data(ending.output.utf8)).outbox
    }

    /// Expects VictoriaMetrics to answer with a number, once everything that it has shows, or the test to go on for too long.
    private func expect(_ expression: String, toBe number: Int64, at url: String) async throws {
        // It is not told when that is.
        while try await query(expression, url) != number { try await Task.sleep(for: .milliseconds(50)) }
    }

    private func query(_ expression: String, _ url: String) async throws -> Int64? {
        let encoded = expression.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        let request = HTTPClientRequest(url: "\(url)/api/v1/query?query=\(encoded)")
        let answer = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
        let text = String(buffer: try await answer.body.collect(upTo: 1 << 20))
        return text.firstMatch(of: /"value":\[[0-9.]+,"([^"]*)"\]/).flatMap { Int64(String($0.1)) }
    }

    @Test("what is accepted while nobody takes it on, and while the server is killed, is all there afterwards")
    func outage() async throws {
        let directory = try TemporaryDirectory()
        let nowhere = ["--forward-url", "http://127.0.0.1:1/api/v1/import/prometheus"]
        try await Server.with(nowhere, directory: directory) { server in
            try await simulate(server, seed: 1)
            #expect(await server.program.line(containing: "cannot be sent on, and wait") != nil)
        }
        let waiting = try await outbox(directory).waiting
        #expect(waiting > 40)
        try await VictoriaMetricsProcess.with { database in
            let forward = ["--forward-url", database + "/api/v1/import/prometheus"]
            let killed = try await Server.start(forward, directory: directory)
            try await simulate(killed, seed: 2)
            killed.program.signal(SIGKILL)
            _ = await killed.program.ending()
            try await Server.with(forward, directory: directory) { server in
                while try await outbox(directory).waiting > 0 { await Task.yield() }
                let flush = HTTPClientRequest(url: database + "/internal/force_flush")
                _ = try await HTTPClient.shared.execute(flush, timeout: .seconds(30))
                let month = try await server.overview().periods.month
                func total(_ figure: String) -> String {
                    "sum(max by (cluster) (max_over_time(cozy_report_total{figure=\"\(figure)\"}[2h])))"
                }
                try await expect(total("clusters"), toBe: month.clusters, at: database)
                try await expect(total("nodes"), toBe: month.totalNodes, at: database)
                try await expect(total("tenants"), toBe: month.totalTenants, at: database)
            }
        }
        #expect(try await outbox(directory) == OutboxStatistics(waiting: 0, setAside: 0, oldest: nil))
    }

    @Test("a store goes to VictoriaMetrics and back by command; what is wrong is said with its exit status")
    func migration() async throws {
        let (old, new) = (try TemporaryDirectory(), try TemporaryDirectory())
        let fleet = ["--clusters", "4", "--months", "2", "--changes-per-month", "3"]
        #expect(try await RunningProgram.run(["simulate", "--into", old.path] + fleet).status == 0)
        try await VictoriaMetricsProcess.withProcess { database in
            let target = database.url + "/api/v1/import/prometheus"
            let there = ["store", "migrate", "--to", target, "--data-dir", old.path]
            let done = try await RunningProgram.run(there)
            #expect(done.status == 0, "\(done.errors)")
            #expect(done.output.hasPrefix("4 clusters with ") && done.output.hasSuffix("no figure differs\n"))
            let back = ["store", "migrate", "--from", database.url, "--months", "3", "--data-dir", new.path]
            let brought = try await RunningProgram.run(back)
            #expect(brought.status == 0, "\(brought.errors)")
            #expect(brought.output == done.output)
            #expect(try await RunningProgram.run(back).output.contains("4 clusters were there already"))
            database.end()
            let failed = try await RunningProgram.run(there)
            #expect(failed.status == 69 && failed.errors.contains("the same command goes on from where it was"))
            #expect(try await RunningProgram.run(back).status == 69)
        }
        let check = try await RunningProgram.run(["store", "check", "--data-dir", new.path])
        #expect(check.status == 0, "\(check.output)")
        let cluster = "http://vminsert/insert/0/prometheus/api/v1/import/prometheus"
        for wrong in [[], ["--to", "a", "--from", "b"], ["--to", "no url"], ["--to", cluster]] {
            #expect(try await RunningProgram.run(["store", "migrate"] + wrong).status == 64)
        }
    }

    @Test("a URL that is none is 64, and the outbox of a directory without a store is 1")
    func wrong() async throws {
        for name in ["forward-url", "vmselect-url"] {
            for url in ["vminsert:8480", "ftp://a/", "", "http://"] {
                let ending = try await RunningProgram.run(["server", "--\(name)", url])
                #expect(ending.status == 64, "\(url)")
                #expect(ending.errors.contains(name))
            }
        }
        let target = ["--forward-url", "http://a/api/v1/import/prometheus"]
        for wrong in [
            ["--mode", "forward-only"], target + ["--mode", "other"], target + ["--forward-unchanged", "25h"],
            target + ["--forward-delete-url", "http://a/,http://b/"], ["--forward-delete-url", "http://a/"],
            target + ["--mode", "forward-only", "--vmselect-url", "http://a/"],
            ["--vmselect-url", "http://a/,http://b/"],
        ] {
            let ending = try await RunningProgram.run(["server"] + wrong)
            #expect(ending.status == 64 && !ending.errors.isEmpty, "\(wrong)")
        }
        let nothing = try await RunningProgram.run(["store", "outbox", "--data-dir", TemporaryDirectory().path])
        #expect(nothing.status == 1)
    }
}

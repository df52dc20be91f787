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

    @Test("a URL that is none is 64, and the outbox of a directory without a store is 1")
    func wrong() async throws {
        for url in ["vminsert:8480", "ftp://a/", "", "http://"] {
            let ending = try await RunningProgram.run(["server", "--forward-url", url])
            #expect(ending.status == 64, "\(url)")
            #expect(ending.errors.contains("forward-url"))
        }
        let nothing = try await RunningProgram.run(["store", "outbox", "--data-dir", TemporaryDirectory().path])
        #expect(nothing.status == 1)
    }
}

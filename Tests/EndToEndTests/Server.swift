// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import TelemetryModel
import TelemetryTesting
import Testing

/// The built backend as a process, on ports of its own and a fresh directory.
struct Server {
    let program: RunningProgram
    let url: String
    let adminURL: String
    let directory: TemporaryDirectory

    /// Runs a backend for as long as the body takes; it has to end well.
    static func with(
        _ arguments: [String] = [],
        directory: TemporaryDirectory? = nil,
        _ body: (Self) async throws -> Void
    ) async throws {
        let server = try await start(arguments, directory: directory ?? TemporaryDirectory())
        let result: Result<Void, any Error>
        do { result = .success(try await body(server)) } catch { result = .failure(error) }
        server.program.signal(SIGTERM)
        let ending = await server.program.ending()
        // Said also where the body failed: a server that ended is the usual reason.
        #expect(ending.status == 0, "\(ending.errors)")
        try result.get()
    }

    /// Starts a backend and waits until it listens.
    static func start(
        _ arguments: [String] = [],
        directory: TemporaryDirectory,
        within wrapper: [String] = []
    ) async throws -> Self {
        let program = try RunningProgram(commandLine(directory) + arguments, within: wrapper)
        let line = try #require(await program.line(containing: "takes reports"))
        func address(_ name: String) throws -> String {
            let words = line.split(separator: " ")
            let word = try #require(words.first { $0.hasPrefix(name + "=") })
            return "http://" + word.dropFirst(name.count + 1)
        }
        return Self(
            program: program,
            url: try address("listen"),
            adminURL: try address("admin"),
            directory: directory
        )
    }

    /// The command line of a server on ports of its own.
    static func commandLine(_ directory: TemporaryDirectory) -> [String] {
        [
            "server", "--listen-addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0", "--data-dir", directory.path,
            "--rate-limits", "off",
        ]
    }

    /// What a server prints that must not start: it ends by itself with 1.
    static func refusal(directory: TemporaryDirectory, within wrapper: [String] = []) async throws -> String {
        let program = try RunningProgram(commandLine(directory), within: wrapper)
        if await program.line(containing: "takes reports") != nil {
            Issue.record("it started")
            program.signal(SIGKILL)
        }
        let ending = await program.ending()
        #expect(ending.status == 1)
        return ending.errors
    }

    /// What a report was answered.
    struct Answer {
        let status: UInt
        let retryAfter: String?
    }

    /// Sends a report of a cluster.
    func post(_ body: String = "cozy_tenants_count 2\n", cluster: String) async throws -> Answer {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers = ["X-Cluster-ID": cluster]
        request.body = .bytes(ByteBuffer(string: body))
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
        return Answer(status: response.status.code, retryAfter: response.headers.first(name: "Retry-After"))
    }

    /// What the private listener's `/metrics` shows.
    func metrics() async throws -> String {
        let request = HTTPClientRequest(url: adminURL + "/metrics")
        let answer = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
        return String(buffer: try await answer.body.collect(upTo: 1 << 20))
    }

    /// How many reports were answered 200.
    func acceptedReports() async throws -> Int {
        try await metrics().split(separator: "\n").filter { $0.hasPrefix("telemetry_reports_accepted_total{") }
            .reduce(0) { $0 + (Int($1.split(separator: " ").last ?? "") ?? 0) }
    }

    /// What the command line shows of the current month.
    func overview() async throws -> Overview {
        let shown = try await RunningProgram.run(["overview", "--json", "--url", url])
        return try JSONDecoder().decode(Overview.self, from: Data(shown.output.utf8))
    }
}

// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Foundation
import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import TelemetryModel
import TelemetryTesting
import Testing

@Suite("The backend as a process")
struct ServerProcessTests {
    private let report = ByteBuffer(string: "cozy_tenants_count 2\n")

    private func request(_ server: Server, cluster: String) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: server.url)
        request.method = .POST
        request.headers = ["X-Cluster-ID": cluster]
        request.body = .bytes(report)
        return request
    }

    @Test(
        "SIGTERM finishes the report under way, exits 0 within ten seconds, and what was answered is there afterwards"
    )
    func sigterm() async throws {
        let directory = try TemporaryDirectory()
        let server = try await Server.start(directory: directory)
        let (body, send) = AsyncStream.makeStream(of: ByteBuffer.self)
        send.yield(report)
        var slow = request(server, cluster: "slow")
        slow.body = .stream(body, length: .unknown)
        let client = HTTPClient.shared
        #expect(try await client.execute(request(server, cluster: "quick"), timeout: .seconds(30)).status == .ok)
        async let answer = client.execute(slow, timeout: .seconds(30))
        while try await !server.metrics().contains("telemetry_reports_in_flight 1\n") { await Task.yield() }
        let begin = ContinuousClock.now
        server.program.signal(SIGTERM)
        send.finish()
        #expect(try await answer.status == .ok)
        let ending = await server.program.ending()
        #expect(ending.status == 0)
        #expect(ContinuousClock.now - begin < .seconds(25))
        #expect(!(ending.errors + ending.output).contains("quick"))
        try await Server.with(directory: directory) { server in
            let month = UTCInstant(secondsSinceEpoch: Int64(Date().timeIntervalSince1970)).month
            let url = "\(server.url)/api/overview?year=\(month.year)&month=\(month.month)"
            let answer = try await client.execute(HTTPClientRequest(url: url), timeout: .seconds(30))
            let bytes = Data(buffer: try await answer.body.collect(upTo: 1 << 20))
            #expect(try JSONDecoder().decode(Overview.self, from: bytes).periods.month.clusters == 2)
        }
    }

    @Test("a sender that never finishes does not keep SIGTERM from ending the process with 0 soon")
    func sigtermWithStuckSender() async throws {
        let server = try await Server.start(directory: TemporaryDirectory())
        let (body, send) = AsyncStream.makeStream(of: ByteBuffer.self)
        send.yield(report)
        var stuck = request(server, cluster: "stuck")
        stuck.body = .stream(body, length: .unknown)
        let client = HTTPClient.shared
        async let answer = client.execute(stuck, timeout: .seconds(30))
        while try await !server.metrics().contains("telemetry_reports_in_flight 1\n") { await Task.yield() }
        let begin = ContinuousClock.now
        server.program.signal(SIGTERM)
        let ending = await server.program.ending()
        #expect(ending.status == 0, "\(ending.errors)")
        #expect(ContinuousClock.now - begin < .seconds(25))
        send.finish()
        do {
            let status = try await answer.status
            Issue.record("the cut off report was answered \(status)")
        } catch is HTTPClientError {
        }
    }

    @Test("settings: a flag wins over the environment, the environment over the file")
    func precedence() async throws {
        let directory = try TemporaryDirectory()
        let file = directory.path + "/settings.yaml"
        try "k: 0\nlisten-addr: nowhere\nadmin-addr: nowhere\n".write(toFile: file, atomically: true, encoding: .utf8)
        func failure(_ flags: [String], _ environment: [String: String]) async throws -> String {
            let ending = try await RunningProgram.run(["server", "--config", file] + flags, environment: environment)
            #expect(ending.status == 64)
            return ending.errors
        }
        #expect(try await failure([], [:]).contains("listen-addr must be host:port or :port, and is `nowhere`"))
        let fromEnvironment = ["COZY_TELEMETRY_LISTEN_ADDR": ":0", "COZY_TELEMETRY_ADMIN_ADDR": "elsewhere"]
        #expect(
            try await failure([], fromEnvironment).contains("admin-addr must be host:port or :port, and is `elsewhere`")
        )
        #expect(try await failure(["--admin-addr", ":0"], fromEnvironment).contains("k must be a whole number"))
        #expect(try await failure(["--admin-addr", "flag"], fromEnvironment).contains("and is `flag`"))
    }

    @Test("a settings file that is missing, is no YAML or has other keys is 64 with the file and the line")
    func badSettingsFile() async throws {
        let directory = try TemporaryDirectory()
        let file = directory.path + "/settings.yaml"
        for (text, expected) in [("k: 5\nlisten_addr: :0\n", ":2"), ("- a\n", "name: value"), ("a: [", file)] {
            try text.write(toFile: file, atomically: true, encoding: .utf8)
            let ending = try await RunningProgram.run(["server"], environment: ["COZY_TELEMETRY_CONFIG": file])
            #expect(ending.status == 64)
            #expect(ending.errors.contains(file))
            #expect(ending.errors.contains(expected))
        }
        let missing = try await RunningProgram.run(["server", "--config", directory.path + "/none"])
        #expect(missing.status == 64)
    }

    @Test("a data directory that cannot be used is 1 with its path, and so is a port that is taken")
    func unusable() async throws {
        let ending = try await RunningProgram.run(["server", "--data-dir", "/proc/nowhere"])
        #expect(ending.status == 1)
        #expect(ending.errors.contains("/proc/nowhere"))
        try await Server.with { server in
            let taken = String(server.url.dropFirst("http://".count))
            let second = try await RunningProgram.run(
                ["server", "--listen-addr", taken, "--admin-addr", ":0", "--data-dir", TemporaryDirectory().path]
            )
            #expect(second.status == 1)
            #expect(second.errors.contains(taken))
        }
    }
}

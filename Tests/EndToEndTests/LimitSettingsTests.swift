// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import TelemetryServer
import TelemetryTesting
import Testing

@testable import cozy_telemetry

@Suite("Settings of limits")
struct LimitSettingsTests {
    private func settings(_ arguments: [String]) async throws -> (ServerOptions, String) {
        let options = try ServerOptions.parse(arguments)
        return (options, "\(try await options.settings().backend)")
    }

    @Test("every limit has a flag, and each sets something of its own")
    func flags() async throws {
        let (_, usual) = try await settings([])
        var seen: Set<String> = [usual]
        let names = LimitOptions.names.union(RateOptions.names).subtracting(["trusted-proxies", "rate-limits"])
        #expect(names.count == 16)
        for name in names { seen.insert(try await settings(["--\(name)", "1234"]).1) }
        #expect(seen.count == names.count + 1)
        for text in ["0x10", "-1", "1e3", "1000000001"] {
            for name in names {
                await #expect(throws: CommandFailure.self, "\(name)") { try await settings(["--\(name)=\(text)"]) }
            }
        }
    }

    @Test("rate limits are on unless they are switched off")
    func rates() async throws {
        for (arguments, isOn) in [([], true), (["--rate-limits", "on"], true), (["--rate-limits", "off"], false)] {
            let options = try ServerOptions.parse(arguments)
            #expect(try await (options.settings().backend.rateLimits != nil) == isOn)
        }
        await #expect(throws: CommandFailure.self) { try await settings(["--rate-limits", "no"]) }
    }

    @Test("trusted proxies are addresses and blocks, and nothing else")
    func proxies() async throws {
        let options = try ServerOptions.parse(["--trusted-proxies", "10.0.0.0/8, ::1"])
        #expect(try await options.settings().backend.trustedProxies.count == 2)
        #expect(try await ServerOptions.parse([]).settings().backend.trustedProxies.isEmpty)
        for text in ["", "proxy.example", "10.0.0.1/8", "10.0.0.0/8,"] {
            await #expect(throws: CommandFailure.self, "\(text)") { try await settings(["--trusted-proxies", text]) }
        }
    }

    @Test("the limit on open files is raised as far as it may be, and it is said where that is not enough")
    func openFiles() async throws {
        for (hard, soft) in [(20_000, 756), (400, 400)] {
            let server = try await Server.start(
                ["--max-connections", "500"],
                directory: TemporaryDirectory(),
                within: ["prlimit", "--nofile=300:\(hard)"]
            )
            let limits = try String(
                contentsOfFile: "/proc/\(server.program.processIdentifier)/limits",
                encoding: .utf8
            )
            let line = try #require(limits.split(separator: "\n").first { $0.hasPrefix("Max open files") })
            #expect(line.split(separator: " ").contains("\(soft)"))
            server.program.signal(SIGTERM)
            let ending = await server.program.ending()
            #expect(ending.status == 0)
            #expect(ending.errors.contains("fewer open files") == (hard == 400))
        }
    }

    @Test("a server that has no files left for connections takes them when it has some again", .timeLimit(.minutes(1)))
    func filesComeBack() async throws {
        try await Server.with([]) { server in
            let process = server.program.processIdentifier
            func allow(_ count: Int) async throws {
                let command = ["prlimit", "--pid", "\(process)", "--nofile=\(count):"]
                try #require(await RunningProgram(command: command).ending().status == 0)
            }
            let files = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd").count
            try await allow(files + 2)
            let crowd = try Crowd(url: server.url)
            for _ in 1...20 { try await crowd.open() }
            #expect(await server.program.line(containing: "connections cannot be accepted") != nil)
            try await allow(1_000)
            #expect(try await server.post(cluster: "a").status == 200)
            try await crowd.close()
        }
    }
}

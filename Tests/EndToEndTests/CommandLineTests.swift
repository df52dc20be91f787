// SPDX-License-Identifier: Apache-2.0

import Foundation
import TelemetryModel
import TelemetryTesting
import Testing

@Suite("The command line")
struct CommandLineTests {
    @Test("help explains every command and the exit status; a wrong command line is 64")
    func help() async throws {
        let help = try await RunningProgram.run(["--help"])
        #expect(help.status == 0)
        let commands = [
            "agent", "preview", "send", "status", "opt-in", "opt-out", "identity", "server", "overview", "series",
            "breakdown", "export", "simulate", "demo", "store",
        ]
        for word in commands + ["EXIT STATUS"] { #expect(help.output.contains(word)) }
        for command in commands {
            let help = try await RunningProgram.run([command, "--help"])
            #expect(help.status == 0)
            #expect(help.output.contains("USAGE: cozy-telemetry \(command)"))
        }
        #expect(try await RunningProgram.run(["serve"]).status == 64)
        #expect(try await RunningProgram.run(["server", "--nonsense"]).status == 64)
        #expect(try await RunningProgram.run(["overview", "--month", "13"]).status == 64)
        let nobody = try await RunningProgram.run(["simulate", "--telemetry-endpoint", "http://127.0.0.1:1"])
        #expect(nobody.status == 69)
        #expect(nobody.errors.contains("http://127.0.0.1:1 took none of"))
        #expect(try await RunningProgram.run(["simulate", "--clusters", "0"]).status == 64)
        #expect(try await RunningProgram.run(["agent", "--telemetry-interval", "soon"]).status == 64)
    }

    @Test("the demo shows figures that equal what the fleet sent, and leaves nothing behind")
    func demo() async throws {
        let directory = try TemporaryDirectory()
        let demo = try await RunningProgram.run(
            ["demo", "--once", "--listen-addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0", "--clusters", "20"],
            environment: ["TMPDIR": directory.path]
        )
        #expect(demo.status == 0, "\(demo.errors)")
        #expect(demo.output.contains("Clusters"))
        #expect(demo.errors.contains("equal what the fleet sent"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).isEmpty)
    }

    @Test("an overview of nobody is 69 with the address; a month to come is 69 with the backend's reason")
    func overviewFailures() async throws {
        let nobody = try await RunningProgram.run(["overview", "--url", "http://127.0.0.1:1"])
        #expect(nobody.status == 69)
        #expect(nobody.errors.contains("http://127.0.0.1:1"))
        try await Server.with { server in
            let wrong = try await RunningProgram.run([
                "overview", "--url", server.url, "--year", "2100", "--month", "12",
            ])
            #expect(wrong.status == 69)
            #expect(wrong.errors.contains("the month 2100-12 has not begun yet"))
        }
    }

    @Test("simulate prints what the figures must be, and overview prints that they are")
    func simulateAndOverview() async throws {
        try await Server.with { server in
            let arguments = ["--telemetry-endpoint", server.url, "--clusters", "30", "--rounds", "3", "--seed", "5"]
            let simulated = try await RunningProgram.run(["simulate", "--json"] + arguments)
            #expect(simulated.status == 0, "\(simulated.errors)")
            let result = try JSONDecoder().decode(Expected.self, from: Data(simulated.output.utf8))
            #expect(result.ok == result.sent)
            #expect(try await server.overview().periods == result.expected.periods)
            let table = try await RunningProgram.run(["overview", "--url", server.url])
            #expect(table.output.contains("Clusters"))
            #expect(!table.output.contains("\u{1B}"))
        }
    }

    @Test("an agent that cannot ask whether the owner said no is 69 and says so; a plain no is 0")
    func agentOfNobody() async throws {
        let directory = try TemporaryDirectory()
        let kubeconfig = directory.path + "/config"
        let text = """
            {apiVersion: v1, kind: Config, current-context: t, users: [], contexts: [{name: t, context: {cluster: t}}],
            clusters: [{name: t, cluster: {server: "http://127.0.0.1:1"}}]}
            """
        try text.write(toFile: kubeconfig, atomically: true, encoding: .utf8)
        let arguments = ["agent", "--once", "--kubeconfig", kubeconfig, "--telemetry-endpoint", "http://127.0.0.1:1"]
        let unknown = try await RunningProgram.run(arguments)
        #expect(unknown.status == 69)
        #expect(unknown.errors.contains("nothing was sent: whether telemetry-enabled in the ConfigMap"))
        let no = try await RunningProgram.run(arguments + ["-disable-telemetry=true"])
        #expect(no.status == 0)
        #expect(no.errors.contains("nothing was sent: the flag --disable-telemetry"))
    }

    private struct Expected: Decodable {
        let sent: Int
        let ok: Int
        let expected: Overview
    }
}

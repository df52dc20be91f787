// SPDX-License-Identifier: Apache-2.0

import Foundation
import TelemetryModel
import TelemetryTesting
import Testing

@Suite(
    "What an owner types",
    .serialized,
    .enabled(if: ControlPlane.isAvailable, Comment(rawValue: ControlPlane.requirements)),
    .timeLimit(.minutes(3))
)
struct OwnersCommandsTests {
    @Test(
        "three replicas send one report; status tells of it; opt-out --forget erases it and stops them; opt-in, and again"
    )
    func commands() async throws {
        try await ControlPlane.with { plane in
            try await ClusterFixture.makeV0(plane)
            try await Server.with(["--require-signatures"]) { server in
                let agents = try (0..<3).map { _ in try agent(plane, server) }
                // A backend as a process tells nobody here what it took.
                while try await server.acceptedReports() == 0 { try await Task.sleep(for: .milliseconds(100)) }
                try await oneOfThemSends(plane, agents)
                try await statusTells(plane, server)
                try await keptReportIsWhatWasSent(plane)
                try await forgets(plane, server)
                try await agrees(plane, server)
                try await refusesWithoutKey(plane)
                for agent in agents { agent.signal(SIGTERM) }
                for agent in agents { #expect(await agent.ending().status == 0) }
            }
        }
    }

    private func agent(_ plane: ControlPlane, _ server: Server) throws -> RunningProgram {
        try RunningProgram([
            "agent", "--kubeconfig", plane.kubeconfig, "--telemetry-endpoint", server.url, "--telemetry-interval", "1s",
            "--notice-period", "0", "--metrics-addr", "127.0.0.1:0",
        ])
    }

    /// After some reports one of the agents has sent them all, and the others none.
    private func oneOfThemSends(_ plane: ControlPlane, _ agents: [RunningProgram]) async throws {
        var addresses: [Substring] = []
        for agent in agents {
            let line = try #require(await agent.line(containing: "Metrics and health are served"))
            addresses.append(try #require(line.split(separator: " ").first { $0.hasPrefix("address=") }).dropFirst(8))
        }
        var sent: [Int] = []
        while sent.reduce(0, +) < 4 {
            sent = []
            for address in addresses {
                let metrics = try await plane.shell("curl -sf http://\(address)/metrics")
                let name = #"telemetry_agent_attempts_total{result="accepted"} "#
                let line = metrics.split(separator: "\n").first { $0.hasPrefix(name) }
                sent.append(line.flatMap { Int($0.dropFirst(name.count)) } ?? 0)
            }
        }
        #expect(sent.count { $0 > 0 } == 1, "\(sent)")
    }

    private func run(_ plane: ControlPlane, _ command: String...) async throws -> RunningProgram.Ending {
        try await RunningProgram.run(command + ["--kubeconfig", plane.kubeconfig])
    }

    private func statusTells(_ plane: ControlPlane, _ server: Server) async throws {
        var status = try await run(plane, "status")
        // The answer comes a moment before it is written down.
        while !status.output.contains("answered: 200") { status = try await run(plane, "status") }
        #expect(status.status == 0)
        #expect(status.output.hasPrefix("Telemetry is on: nobody said no.\nIdentity:     "))
        #expect(status.output.contains("a key of its own, with which reports are signed"))
        #expect(status.output.contains("bytes (cluster) to \(server.url)"))
        let json = try await run(plane, "status", "--json")
        #expect(json.output.contains(#""enabled" : true"#) && json.output.contains(#""answer" : "200""#))
        let lease = try await plane.kubectl(
            ["get", "lease", "cozy-telemetry", "-n", "cozy-telemetry", "-o", "jsonpath={.spec.leaseTransitions}"]
        )
        #expect(lease == "0" || lease.isEmpty)
        #expect(try await server.overview().periods.month.clusters == 1)
    }

    /// Anyone with kubectl can read the last report, and its digest is the one that is kept.
    private func keptReportIsWhatWasSent(_ plane: ControlPlane) async throws {
        let sum = try await plane.shell(
            #"kubectl get cm cozy-telemetry-status -n cozy-telemetry -o 'go-template={{index .data "last-report.cluster.prom"}}' | sha256sum"#
        )
        let deliveries = try await plane.kubectl(
            ["get", "cm", "cozy-telemetry-status", "-n", "cozy-telemetry", "-o", "jsonpath={.data.deliveries}"]
        )
        #expect(deliveries.contains(sum.prefix(64)))
    }

    private func forgets(_ plane: ControlPlane, _ server: Server) async throws {
        let forgotten = try await run(plane, "opt-out", "--forget")
        #expect(forgotten.status == 0, "\(forgotten.errors)")
        #expect(forgotten.output.contains("Erased: \(server.url) has removed what it had of "))
        #expect(
            forgotten.output.contains("Changed: telemetry-enabled in the ConfigMap cozy-system/cozystack now says no.")
        )
        let again = try await run(plane, "opt-out")
        #expect(
            again.output
                == "Unchanged: telemetry-enabled in the ConfigMap cozy-system/cozystack said no already.\nTelemetry is off.\n"
        )
        let accepted = try await server.acceptedReports()
        let status = try await run(plane, "status")
        #expect(status.output.hasPrefix("Telemetry is off, because of telemetry-enabled"))
        let bundle = try await run(plane, "preview", "--bundle", "/dev/null")
        #expect(bundle.status == 1 && bundle.errors.contains("nothing may be carried out of the cluster"))
        #expect(try await server.acceptedReports() == accepted)
    }

    private func agrees(_ plane: ControlPlane, _ server: Server) async throws {
        let accepted = try await server.acceptedReports()
        let yes = try await run(plane, "opt-in")
        #expect(yes.status == 0)
        #expect(yes.output.contains("Changed: telemetry-enabled in the ConfigMap cozy-system/cozystack now says yes."))
        // A backend as a process tells nobody here what it took.
        while try await server.acceptedReports() == accepted { try await Task.sleep(for: .milliseconds(100)) }
    }

    /// The no is written also where the backend cannot be asked.
    private func refusesWithoutKey(_ plane: ControlPlane) async throws {
        try await plane.shell(
            #"kubectl patch secret cozy-telemetry-identity -n cozy-telemetry -p '{"data":{"ed25519-seed":"AAAA"}}'"#
        )
        let ending = try await run(plane, "opt-out", "--forget")
        #expect(ending.status == 69)
        #expect(ending.errors.contains("the backend was not asked to erase anything: the Secret"))
        #expect(ending.output.contains("now says no.\nTelemetry is off."))
    }

    @Test("it works as a plugin of kubectl, and health does not depend on the backend")
    func plugin() async throws {
        try await ControlPlane.with { plane in
            try await ClusterFixture.makeV0(plane)
            let directory = try TemporaryDirectory()
            let program = URL(fileURLWithPath: ProcessInfo.processInfo.arguments[0]).resolvingSymlinksInPath()
                .deletingLastPathComponent().appending(component: "cozy-telemetry")
            let plugin = URL(filePath: directory.path).appending(component: "kubectl-cozy_telemetry")
            try FileManager.default.createSymbolicLink(at: plugin, withDestinationURL: program)
            let status = try await plane.shell(
                "PATH=\(directory.path):$PATH kubectl cozy_telemetry status --kubeconfig \(plane.kubeconfig)"
            )
            #expect(
                status.contains(
                    "Telemetry is on: nobody said no.\nNo agent has run in the namespace cozy-telemetry yet"
                )
            )

            let agent = try RunningProgram([
                "agent", "--kubeconfig", plane.kubeconfig, "--telemetry-endpoint", "http://127.0.0.1:1",
                "--telemetry-interval", "1s", "--notice-period", "0", "--metrics-addr", "127.0.0.1:0",
            ])
            let line = try #require(await agent.line(containing: "Metrics and health are served"))
            let address = try #require(line.split(separator: " ").first { $0.hasPrefix("address=") }).dropFirst(8)
            _ = try #require(await agent.line(containing: "Telemetry cannot be sent"))
            for path in ["healthz", "readyz"] {
                let answer = try await plane.shell("curl -sf http://\(address)/\(path)")
                #expect(answer == "ok\n" || answer == "ok")
            }
            let metrics = try await plane.shell("curl -sf http://\(address)/metrics")
            #expect(metrics.contains("telemetry_agent_consent 1\n") && metrics.contains("telemetry_agent_leading 1\n"))
            #expect(metrics.contains(#"telemetry_agent_attempts_total{result="failed"}"#))
            agent.signal(SIGTERM)
            #expect(await agent.ending().status == 0)
        }
    }
}

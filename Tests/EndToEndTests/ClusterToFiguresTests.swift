// SPDX-License-Identifier: Apache-2.0

import Foundation
import TelemetryModel
import TelemetryTesting
import Testing

@Suite(
    "From a real API server to the figures",
    .serialized,
    .enabled(if: ControlPlane.isAvailable, Comment(rawValue: ControlPlane.requirements)),
    .timeLimit(.minutes(5))
)
struct ClusterToFiguresTests {
    private let patch =
        #"kubectl patch -n cozy-system configmap cozystack --type=merge -p '{"data":{"telemetry-enabled": "false"}}'"#

    @Test("a cluster of v0.22: the preview is the fixture, the figures show the cluster, and a no stops it until a yes")
    func v0() async throws {
        try await ControlPlane.with { plane in
            try await ClusterFixture.makeV0(plane)
            try await previewIsFixture(plane)
            try await Server.with { server in
                try await figuresShowCluster(plane, server)
                try await noStopsRunningAgent(plane, server)
            }
        }
    }

    private func previewIsFixture(_ plane: ControlPlane) async throws {
        let cluster = ["--kubeconfig", plane.kubeconfig, "--cozystack-version", "v0.22.0", "--identity", "uid"]
        let preview = try await RunningProgram.run(["preview"] + cluster)
        #expect(preview.status == 0)
        let expected = try ClusterFixture.payload("payload-v0.22", kubernetesVersion: "v1.20.2")
        #expect(ClusterFixture.withoutIdentities(preview.output) == expected)
        #expect(preview.errors.contains("POST https://telemetry.cozystack.io\n"))
        let uid = try await plane.kubectl("get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}")
        #expect(preview.errors.contains("X-Cluster-ID: \(uid)\n"))
    }

    private func figuresShowCluster(_ plane: ControlPlane, _ server: Server) async throws {
        let once = try await agent(plane, server, "--once").ending()
        #expect(once.status == 0, "\(once.errors)")
        #expect(once.errors.contains("sent 1 report to \(server.url)"))
        let month = try await server.overview().periods.month
        #expect(month.clusters == 1)
        #expect(month.totalNodes == 3)
        #expect(month.totalTenants == 2)
        #expect(month.apps == ["etcd": 1, "ingress": 1, "kubernetes": 2, "postgres": 1])
    }

    private func noStopsRunningAgent(_ plane: ControlPlane, _ server: Server) async throws {
        let running = try agent(plane, server, "--telemetry-interval", "1s", "--notice-period", "0")
        _ = try #require(await running.line(containing: "Telemetry is on"))
        try await plane.shell(patch)
        _ = try #require(await running.line(containing: "Telemetry is off"))
        let accepted = try await server.acceptedReports()
        let preview = try await RunningProgram.run(["preview", "--json", "--kubeconfig", plane.kubeconfig])
        #expect(preview.output.contains(#""enabled" : false"#))
        let once = try await agent(plane, server, "--once").ending()
        #expect(once.status == 0)
        #expect(once.errors.contains("nothing was sent: telemetry-enabled in the ConfigMap cozy-system/cozystack"))
        #expect(try await server.acceptedReports() == accepted)
        try await plane.shell(patch.replacing("false", with: "true"))
        _ = try #require(await running.line(containing: "Telemetry is on"))
        while try await server.acceptedReports() == accepted { await Task.yield() }
        running.signal(SIGTERM)
        #expect(await running.ending().status == 0)
    }

    @Test("a cluster of v1.0 sends two reports, and the figures show it once")
    func v1() async throws {
        try await ControlPlane.with { plane in
            try await ClusterFixture.makeV1(plane)
            let cluster = ["--kubeconfig", plane.kubeconfig, "--cozystack-version", "v1.0.0"]
            let preview = try await RunningProgram.run(["preview"] + cluster)
            let fixtures = try ["payload-v1-operator", "payload-v1-controller"].map { name in
                try ClusterFixture.payload(name, kubernetesVersion: "v1.20.2")
            }
            #expect(Set(preview.output.split(separator: "\n")) == Set(fixtures.joined().split(separator: "\n")))
            try await Server.with { server in
                let once = try await agent(plane, server, "--once").ending()
                #expect(once.errors.contains("sent 2 reports to \(server.url)"))
                let month = try await server.overview().periods.month
                #expect(month.clusters == 1)
                #expect(month.totalNodes == 3)
                #expect(month.totalTenants == 2)
                let apps =
                    ["Kubernetes": 2, "Postgres": 5, "Redis": 3, "Tenant": 2, "VirtualMachine": 0] as [String: Int64]
                #expect(month.apps == apps)
                try await noInPackageIsHonoured(plane, server)
            }
            try await carried(plane)
        }
    }

    /// A bundle of the whole cluster is taken once, and a cluster that says no has none.
    private func carried(_ plane: ControlPlane) async throws {
        try await Server.with(["--require-signatures"]) { server in
            let cluster = ["--kubeconfig", plane.kubeconfig, "--telemetry-endpoint", server.url]
            func bundle(_ name: String) async throws -> (file: String, ending: RunningProgram.Ending) {
                let file = "\(server.directory.path)/\(name).json"
                return (file, try await RunningProgram.run(["preview", "--bundle", file] + cluster))
            }
            let (file, made) = try await bundle("carried")
            #expect(made.status == 0 && made.output.isEmpty)
            #expect(
                made.errors == "2 reports for \(server.url) in \(file); send them within 30 days:\n"
                    + "cozy-telemetry send \(file)\n"
            )
            try await plane.apply(Self.no)
            let (other, refused) = try await bundle("refused")
            #expect(refused.status == 1)
            #expect(
                refused.errors.contains("nothing may be carried out of the cluster: telemetry-enabled in the ConfigMap")
            )
            #expect(!FileManager.default.fileExists(atPath: other))
            #expect(try await server.acceptedReports() == 0)

            // Whoever made the file and whoever sends it want that, whatever the cluster says by now.
            let sent = try await RunningProgram.run(["send", file])
            #expect(sent.status == 0)
            #expect(sent.errors.hasSuffix("sent 2 of 2 reports to \(server.url)\n"))
            let again = try await RunningProgram.run(["send", file])
            #expect(again.status == 69)
            for number in 1...2 {
                #expect(again.errors.contains("report \(number) of 2: not taken: the telemetry endpoint answered 401"))
            }
            #expect(again.errors.contains("the signature was used before"))
            #expect(try await server.acceptedReports() == 2)
            let month = try await server.overview().periods.month
            #expect(month.clusters == 1 && month.totalNodes == 3 && month.apps["Postgres"] == 5)
        }
    }

    private static let no = """
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: cozystack, namespace: cozy-system}
        data: {telemetry-enabled: "false"}
        """

    /// The command of `docs/opting-out.md` for v1, there and back.
    private func noInPackageIsHonoured(_ plane: ControlPlane, _ server: Server) async throws {
        let package =
            "apiVersion: cozystack.io/v1alpha1\nkind: Package\nmetadata: {name: cozystack.cozystack-platform}\n"
        try await plane.apply(package)
        let page = try String(
            contentsOf: URL(filePath: #filePath).appending(path: "../../../docs/opting-out.md").standardized,
            encoding: .utf8
        )
        let command = try #require(page.components(separatedBy: "\n").first { $0.hasPrefix("kubectl patch packages") })
        try await plane.shell(command)
        let off = try await agent(plane, server, "--once").ending()
        #expect(off.errors.contains("nothing was sent: the values of the Package cozystack.cozystack-platform"))
        try await plane.shell(command.replacing("true", with: "false"))
        #expect(try await agent(plane, server, "--once").ending().errors.contains("sent 2 reports"))
    }

    /// An agent for a cluster that reports to a backend.
    private func agent(_ plane: ControlPlane, _ server: Server, _ arguments: String...) throws -> RunningProgram {
        let common = ["agent", "--kubeconfig", plane.kubeconfig, "--telemetry-endpoint", server.url]
        return try RunningProgram(common + arguments)
    }
}

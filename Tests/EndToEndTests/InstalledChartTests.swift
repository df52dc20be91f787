// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import TelemetryModel
import TelemetryTesting
import Testing

@Suite(
    "The charts in a real API server",
    .serialized,
    .enabled(if: Chart.isAvailable, Chart.requirements),
    .enabled(if: ControlPlane.isAvailable, Comment(rawValue: ControlPlane.requirements)),
    .timeLimit(.minutes(5))
)
struct InstalledChartTests {
    @Test("it takes everything that the charts make, in the API versions that it serves")
    func applied() async throws {
        try await ControlPlane.with { plane in
            try await plane.apply(Self.serviceMonitors)
            try await plane.kubectl("wait", "--for=condition=Established", "crd/servicemonitors.monitoring.coreos.com")
            for name in ["cozy-system", "cozy-telemetry"] { _ = try await plane.namespace(name) }
            let sets: [(Chart, [String])] = [
                (.agent, ["values.yaml", "ci/everything-values.yaml"]),
                (.server, ["values.yaml", "ci/ingest-values.yaml", "ci/everything-values.yaml"]),
            ]
            for (chart, files) in sets {
                for file in files {
                    // The volumes of one that is there cannot be changed.
                    try await plane.kubectl("delete", "statefulsets", "--all", "-n", "cozy-telemetry")
                    // What the server serves decides what is made of a template, and it is held against its own schemas.
                    try await plane.shell(
                        "'\(Chart.helm)' template release '\(chart.path)' -n cozy-telemetry -f '\(chart.path)/\(file)'"
                            + " --validate --is-upgrade | kubectl apply --server-side -f -"
                    )
                }
            }
            let budget = try await plane.kubectl("get", "pdb", "-n", "cozy-telemetry", "-o", "name")
            #expect(budget.split(separator: "\n").count == 2)
            let monitors = try await plane.kubectl("get", "servicemonitors", "-n", "cozy-telemetry", "-o", "name")
            #expect(monitors.split(separator: "\n").count == 2)
            for kind in ["deployment/cozy-telemetry-agent", "statefulset/cozy-telemetry-server"] {
                try await isConfined(kind, plane)
            }
            #expect(
                try await pod("statefulset/cozy-telemetry-server", plane).automountServiceAccountToken == false
            )
        }
    }

    /// The pod is nobody's root, writes nowhere but to its volumes, and is asked how it does.
    private func isConfined(_ kind: String, _ plane: ControlPlane) async throws {
        let pod = try await pod(kind, plane)
        #expect(pod.securityContext.runAsNonRoot && pod.securityContext.runAsUser == 65532)
        #expect(pod.securityContext.seccompProfile.type == "RuntimeDefault")
        let container = try #require(pod.containers.first)
        #expect(pod.containers.count == 1)
        #expect(container.securityContext.readOnlyRootFilesystem)
        #expect(!container.securityContext.allowPrivilegeEscalation)
        #expect(container.securityContext.capabilities.drop == ["ALL"])
        for path in [container.livenessProbe.httpGet.path, container.readinessProbe.httpGet.path] {
            #expect(["/healthz", "/readyz"].contains(path))
        }
    }

    @Test("the commands of docs/installing.md install both charts")
    func documented() async throws {
        let page = try String(contentsOf: Chart.root.appending(path: "docs/installing.md"), encoding: .utf8)
        let blocks = page.matches(of: /(?s)```sh\n(.*?)```/).map { String($0.1) }.filter { $0.contains("helm ") }
        #expect(blocks.count == 4)
        try await ControlPlane.with { plane in
            _ = try await plane.namespace("cozy-system")
            let charts = Chart.root.appending(path: "charts").path()
            let start = "set -e; ln -sfn '\(charts)' charts; PATH=\"$(dirname '\(Chart.helm)'):$PATH\"\n"
            for block in blocks { try await plane.shell(start + block) }
            let installed = try await plane.kubectl("get", "deployments,statefulsets", "-A", "-o", "name")
            #expect(installed.split(separator: "\n").count == 3)
            let arguments = try await pod("deployment/cozy-telemetry-agent", plane).containers[0].args
            #expect(arguments.contains("--telemetry-endpoint=https://telemetry.example.org"))
        }
    }

    @Test(
        "the agent reports with the chart's account and arguments, not with one verb less, and not after a no",
        .enabled("\(PrivateMounts.whyNot)") { await PrivateMounts.areAvailable() }
    )
    func reporting() async throws {
        try await ControlPlane.with { plane in
            try await ClusterFixture.makeV1(plane)
            try await plane.apply(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cozystack, namespace: cozy-system}"
            )
            try await Server.with(["--require-signatures"]) { server in
                let port = Int.random(in: 20_000..<32_768)
                try await helm("upgrade --install agent", server, port, plane)
                let agent = try await InstalledAgent(plane)
                try await reports(agent, server, port)
                try await withoutVerb(agent, server, plane)
                try await afterNo(agent, server, port, plane)
            }
            try await plane.shell("'\(Chart.helm)' uninstall agent -n cozy-telemetry")
            // What the owner said, and under which id, is not the chart's.
            let left = try await plane.kubectl("get", "secrets,configmaps", "-n", "cozy-telemetry", "-o", "name")
            #expect(left.contains("secret/cozy-telemetry-identity") && left.contains("configmap/cozy-telemetry-status"))
            let accounts = try await plane.kubectl("get", "serviceaccounts,roles,deployments", "-A", "-o", "name")
            #expect(!accounts.contains("cozy-telemetry-agent"))
        }
    }

    private func reports(_ agent: InstalledAgent, _ server: Server, _ port: Int) async throws {
        let once = try await agent.once()
        try #require(once.status == 0, "\(once.errors)")
        let running = try agent.start()
        _ = try #require(await running.line(containing: "Telemetry is on"))
        while try await server.acceptedReports() < 4 { await Task.yield() }
        let ready = HTTPClientRequest(url: "http://127.0.0.1:\(port)/readyz")
        #expect(try await HTTPClient.shared.execute(ready, timeout: .seconds(30)).status == .ok)
        running.signal(SIGTERM)
        #expect(await running.ending().status == 0)
        let month = try await server.overview().periods.month
        #expect(month.clusters == 1 && month.totalNodes == 3 && month.totalTenants == 2 && month.apps["Postgres"] == 5)
    }

    private func withoutVerb(_ agent: InstalledAgent, _ server: Server, _ plane: ControlPlane) async throws {
        let accepted = try await server.acceptedReports()
        let role = "role/cozy-telemetry-agent-consent"
        let rule = #"kubectl patch \#(role) -n cozy-system --type=json -p '[{"op": "#
        try await plane.shell(rule + #""replace", "path": "/rules/0/verbs", "value": ["watch"]}]'"#)
        let question =
            "kubectl auth can-i get configmap/cozystack -n cozy-system --as="
            + "system:serviceaccount:cozy-telemetry:cozy-telemetry-agent || true"
        while try await plane.shell(question).contains("yes") {}
        let refused = try await agent.once()
        #expect(refused.status == 69)
        #expect(refused.errors.contains("nothing was sent: whether telemetry-enabled in the ConfigMap"))
        #expect(try await server.acceptedReports() == accepted)
        try await plane.shell(rule + #""replace", "path": "/rules/0/verbs", "value": ["get", "watch"]}]'"#)
        while try await !plane.shell(question).contains("yes") {}
    }

    /// A no stands over an upgrade of the chart.
    private func afterNo(_ agent: InstalledAgent, _ server: Server, _ port: Int, _ plane: ControlPlane) async throws {
        let once = try await agent.once()
        #expect(once.status == 0, "\(once.errors)")
        let accepted = try await server.acceptedReports()
        let no =
            #"kubectl patch -n cozy-system configmap cozystack --type=merge -p '{"data":{"telemetry-enabled": "false"}}'"#
        try await plane.shell(no)
        try await helm("upgrade agent", server, port, plane)
        let refused = try await InstalledAgent(plane).once()
        #expect(refused.errors.contains("nothing was sent: telemetry-enabled in the ConfigMap cozy-system/cozystack"))
        #expect(try await server.acceptedReports() == accepted)
    }

    private func helm(_ command: String, _ server: Server, _ port: Int, _ plane: ControlPlane) async throws {
        let values = "settings.telemetry-endpoint=\(server.url),settings.telemetry-interval=1s,metrics.port=\(port)"
        try await plane.shell(
            "'\(Chart.helm)' \(command) '\(Chart.agent.path)' -n cozy-telemetry --set \(values)"
                + " --set-string settings.notice-period=0"
        )
    }

    /// The kind of the Prometheus operator, with a schema that lets everything through.
    private static let serviceMonitors = """
        apiVersion: apiextensions.k8s.io/v1
        kind: CustomResourceDefinition
        metadata: {name: servicemonitors.monitoring.coreos.com}
        spec:
          group: monitoring.coreos.com
          scope: Namespaced
          names: {plural: servicemonitors, singular: servicemonitor, kind: ServiceMonitor, listKind: ServiceMonitorList}
          versions:
          - name: v1
            served: true
            storage: true
            schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
        """
}

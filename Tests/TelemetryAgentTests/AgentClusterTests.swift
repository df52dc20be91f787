// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Kubernetes
import Logging
import NIOCore
import NIOPosix
import TelemetryModel
import TelemetryTesting
import Testing

@testable import TelemetryAgent

@Suite(
    "An agent in a real cluster",
    .serialized,
    .enabled(if: ControlPlane.isAvailable, Comment(rawValue: ControlPlane.requirements)),
    .timeLimit(.minutes(3))
)
struct AgentClusterTests {
    /// Runs a body with an agent.
    private func withAgent<Result>(
        _ plane: ControlPlane,
        token: String? = nil,
        endpoint: String = "http://127.0.0.1:9",
        identity: IdentityMode = .key,
        cozystackVersion: String? = nil,
        logger: Logger = LogRecorder().logger,
        _ body: (TelemetryAgent, KubernetesClient) async throws -> Result
    ) async throws -> Result {
        let sources = KubernetesConfigurationSources(kubeconfig: plane.kubeconfig, environment: [:])
        var configuration = try KubernetesConfiguration.load(from: sources)
        if let token { configuration.token = .text(token) }
        let settings = try AgentSettings(
            endpoint: endpoint,
            interval: .seconds(1),
            identity: identity,
            noticePeriod: .zero,
            cozystackVersion: cozystackVersion,
            environment: [:]
        )
        let http = TelemetryAgent.httpClientConfiguration
        return try await KubernetesClient.withClient(configuration: configuration) { client in
            try await HTTPClient.withHTTPClient(configuration: http) { httpClient in
                try await body(
                    try TelemetryAgent(
                        settings: settings,
                        client: client,
                        httpClient: httpClient,
                        outbox: Outbox(logger: logger),
                        logger: logger
                    ),
                    client
                )
            }
        }
    }

    private func text(_ request: TelemetryRequest) -> String { String(decoding: request.body, as: UTF8.self) }

    @Test("a cluster of v0.22: what it reports, to whom, and how its owner says no")
    func v0() async throws {
        try await ControlPlane.with { plane in
            try await ClusterFixture.makeV0(plane)
            try await previewsPayload(plane)
            try await documentedOptOut(plane)
            try await outage(plane)
            try await forbiddenPart(plane)
            try await forbiddenConsent(plane)
        }
    }

    /// The payload is that of the fixture, byte for byte but for the identities and the version of the API server.
    private func previewsPayload(_ plane: ControlPlane) async throws {
        try await withAgent(
            plane,
            endpoint: "https://reports.example",
            identity: .uid,
            cozystackVersion: "v0.22.0"
        ) { agent, client in
            let preview = try await agent.preview()
            #expect(preview.consent == .yes)
            let request = try #require(preview.requests.first)
            #expect(preview.requests.count == 1 && request.endpoint == "https://reports.example")
            let version = try await client.version()
            let expected = try ClusterFixture.payload("payload-v0.22", kubernetesVersion: version)
            #expect(ClusterFixture.withoutIdentities(text(request)) == expected)
            let uid = try await client.get(.namespaces, name: "kube-system").metadata.uid
            #expect(request.headers.map(\.name) == ["Content-Type", "X-Cluster-ID"])
            #expect(request.headers.map(\.value) == ["text/plain", uid])
        }
    }

    /// The documented command stops the reports at once; patched back, they go on.
    private func documentedOptOut(_ plane: ControlPlane) async throws {
        let optOut =
            #"kubectl patch -n cozy-system configmap cozystack --type=merge -p '{"data":{"telemetry-enabled": "false"}}'"#
        let recorder = LogRecorder()
        try await TelemetryReceiver.with { receiver in
            try await withRunningAgent(plane, endpoint: receiver.url, logger: recorder.logger) {
                var requests = receiver.requests.makeAsyncIterator()
                var log = recorder.lines.makeAsyncIterator()
                #expect(await log.next() == "info Telemetry is on")
                let first = await requests.next()
                #expect(first?.line == "POST /")
                try await plane.shell(optOut)
                let off = await log.next()
                #expect(off?.hasPrefix("notice Telemetry is off place=telemetry-enabled in the ConfigMap") == true)
                try await plane.shell(optOut.replacing("false", with: "true"))
                #expect(await log.next() == "info Telemetry is on")
                let second = await requests.next()
                #expect(second?.body == first?.body)
            }
        }
    }

    /// A backend that fails is said once, and once that it works again; every interval is another attempt.
    private func outage(_ plane: ControlPlane) async throws {
        let recorder = LogRecorder()
        try await TelemetryReceiver.with(.statuses([503, 429])) { receiver in
            try await withRunningAgent(plane, endpoint: receiver.url, logger: recorder.logger) {
                var log = recorder.lines.makeAsyncIterator()
                #expect(await log.next() == "info Telemetry is on")
                let reason = "the telemetry endpoint answered 503 instead of 200"
                let failure = "warning Telemetry cannot be sent; it is tried again reason=\(reason)"
                #expect(await log.next() == failure)
                #expect(await log.next() == "info Telemetry is sent again")
            }
        }
    }

    /// Runs a body while an agent reports every second, without a notice period.
    private func withRunningAgent(
        _ plane: ControlPlane,
        endpoint: String,
        logger: Logger,
        _ body: () async throws -> Void
    ) async throws {
        try await withAgent(plane, endpoint: endpoint, logger: logger) { agent, _ in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await agent.run() }
                try await body()
                group.cancelAll()
                try await group.waitForAll()
            }
        }
    }

    /// A part that may not be read is left out and said once; the rest is sent.
    private func forbiddenPart(_ plane: ControlPlane) async throws {
        let token = try await account("partial", in: plane, without: "nodes")
        let recorder = LogRecorder()
        try await TelemetryReceiver.with { receiver in
            try await withAgent(
                plane,
                token: token,
                endpoint: receiver.url,
                identity: .uid,
                logger: recorder.logger
            ) { agent, client in
                let outcomes = [try await agent.sendOnce(), try await agent.sendOnce()]
                #expect(outcomes == [.sent(reports: 1), .sent(reports: 1)])
                var requests = receiver.requests.makeAsyncIterator()
                let body = await requests.next()?.body ?? ""
                let version = try await client.version()
                let fixture = try ClusterFixture.payload("payload-v0.22", kubernetesVersion: version)
                    .replacing("v0.22.0", with: "")
                let expected = fixture.split(separator: "\n").filter { !$0.hasPrefix("cozy_nodes_count") }
                #expect(ClusterFixture.withoutIdentities(body).split(separator: "\n") == expected)
            }
        }
        recorder.finish()
        var log = recorder.lines.makeAsyncIterator()
        #expect(await log.next() == "info Telemetry is on")
        #expect(await log.next() == "warning A part of the report is left out part=nodes reason=not allowed (403)")
        let unkept = "warning The agent's status cannot be kept in its ConfigMap reason=not allowed (403)"
        #expect(await log.next() == unkept)
        #expect(await log.next() == nil)
    }

    /// Where consent may not be read, nothing is sent.
    private func forbiddenConsent(_ plane: ControlPlane) async throws {
        let token = try await account("blind", in: plane, without: "configmaps")
        try await withAgent(plane, token: token) { agent, _ in
            let reason = "not allowed (403)"
            let outcome = try await agent.sendOnce()
            #expect(outcome == .refused(.unknown(place: .configMap, reason: reason)))
        }
    }

    /// The token of an account that may read everything that reports are made of, but one resource.
    private func account(_ name: String, in plane: ControlPlane, without resource: String) async throws -> String {
        let resources = [
            "namespaces", "nodes", "services", "persistentvolumes", "configmaps", "deployments.apps",
            "packages.cozystack.io", "workloadmonitors.cozystack.io",
        ]
        let rules = resources.filter { $0 != resource }.map { resource in
            let parts = resource.split(separator: ".", maxSplits: 1)
            let group = parts.count == 2 ? parts[1] : ""
            return "- {apiGroups: [\"\(group)\"], resources: [\(parts[0])], verbs: [get, list]}"
        }
        try await plane.apply(
            """
            apiVersion: rbac.authorization.k8s.io/v1
            kind: ClusterRole
            metadata: {name: \(name)}
            rules:
            \(rules.joined(separator: "\n"))
            """
        )
        try await plane.kubectl("create", "serviceaccount", name, "-n", "cozy-system")
        try await plane.kubectl(
            "create",
            "clusterrolebinding",
            name,
            "--clusterrole=\(name)",
            "--serviceaccount=cozy-system:\(name)"
        )
        return try await plane.kubectl("create", "token", name, "-n", "cozy-system")
    }

    @Test("a cluster of v1.0 sends the operator's and the controller's report, and nothing more after a no")
    func v1() async throws {
        try await ControlPlane.with { plane in
            try await ClusterFixture.makeV1(plane)
            try await previewsBothPayloads(plane)
            try await refusalBetweenReports(plane)
        }
    }

    private func previewsBothPayloads(_ plane: ControlPlane) async throws {
        try await withAgent(plane, cozystackVersion: "v1.0.0") { agent, client in
            let preview = try await agent.preview()
            let version = try await client.version()
            let names = ["payload-v1-operator", "payload-v1-controller"]
            let expected = try names.map { name in
                Set(try ClusterFixture.payload(name, kubernetesVersion: version).split(separator: "\n"))
            }
            #expect(preview.consent == .yes)
            #expect(preview.requests.map { Set(text($0).split(separator: "\n")) } == expected)
        }
    }

    /// A no that is said while the first report is on its way keeps the second one back.
    private func refusalBetweenReports(_ plane: ControlPlane) async throws {
        let said = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: Void.self)
        try await TelemetryReceiver.with(.after(said.futureResult)) { receiver in
            try await withAgent(plane, endpoint: receiver.url) { agent, _ in
                async let outcome = agent.sendOnce()
                var requests = receiver.requests.makeAsyncIterator()
                #expect(await requests.next()?.body.hasPrefix("cozy_cluster_info") == true)
                try await plane.shell(
                    "kubectl create configmap cozystack -n cozy-system --from-literal=telemetry-enabled=false"
                )
                said.succeed()
                #expect(try await outcome == .refused(.no(place: .configMap, reason: "it says no")))
            }
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import Kubernetes
import TelemetryTesting
import Testing

@testable import TelemetryAgent

@Suite(
    "The owner's word in a real cluster",
    .serialized,
    .enabled(if: ControlPlane.isAvailable, Comment(rawValue: ControlPlane.requirements)),
    .timeLimit(.minutes(3))
)
struct OwnersWordTests {
    /// Runs a body while an agent reports every second.
    private func withRunningAgent(
        _ client: KubernetesClient,
        _ recorder: LogRecorder,
        endpoint: String,
        noticePeriod: Duration = .zero,
        _ body: () async throws -> Void
    ) async throws {
        try await RunningAgent(endpoint: endpoint, noticePeriod: noticePeriod).run(
            client,
            recorder,
            body
        )
    }

    /// Runs a body with a cluster that has the agent's namespace.
    private func withCluster(_ body: (ControlPlane, KubernetesClient, OwnersChoice) async throws -> Void) async throws {
        try await ControlPlane.with { plane in
            try await plane.kubectl("create", "namespace", AgentSettings.defaultNamespace)
            let sources = KubernetesConfigurationSources(kubeconfig: plane.kubeconfig, environment: [:])
            try await KubernetesClient.withClient(configuration: .load(from: sources)) { client in
                let namespace = AgentSettings.defaultNamespace
                try await body(plane, client, OwnersChoice(client: client, namespace: namespace))
            }
        }
    }

    private func status(_ client: KubernetesClient) async throws -> AgentStatus {
        try await AgentStatus.read(client: client, namespace: AgentSettings.defaultNamespace)
    }

    @Test("a no cuts off the delivery that is under way; it outlives its object and the agent, until a yes")
    func before1() async throws {
        try await withCluster { plane, client, choice in
            try await ClusterFixture.makeV0(plane)
            let recorder = LogRecorder()
            try await TelemetryReceiver.with(.silence) { receiver in
                try await withRunningAgent(client, recorder, endpoint: receiver.url) {
                    var requests = receiver.requests.makeAsyncIterator()
                    var closings = receiver.closings.makeAsyncIterator()
                    var log = recorder.lines.makeAsyncIterator()
                    #expect(await log.next() == "info Telemetry is on")
                    _ = await requests.next()
                    let outcome = try await choice.optOut()
                    #expect(outcome.changed == [.configMap])
                    let said = ContinuousClock.now
                    await closings.next()
                    print("a delivery was cut off \(ContinuousClock.now - said) after the no")
                    #expect(await log.next()?.hasPrefix("notice Telemetry is off place=telemetry-enabled") == true)

                    try await plane.kubectl("delete", "configmap", "cozystack", "-n", "cozy-system")
                    #expect(await log.next()?.contains("it said no before it was deleted") == true)
                    try await plane.kubectl("create", "configmap", "cozystack", "-n", "cozy-system")
                    #expect(await log.next()?.contains("before it was deleted and made again") == true)
                }
            }
            try await staysAfterRestart(client, choice)
        }
    }

    /// Another agent still knows, and `opt-in` is heard.
    private func staysAfterRestart(_ client: KubernetesClient, _ choice: OwnersChoice) async throws {
        let refusal = Consent.no(place: .configMap, reason: "it said no before it was deleted and made again")
        #expect(try await status(client).consent == refusal)
        let recorder = LogRecorder()
        try await TelemetryReceiver.with { receiver in
            try await withRunningAgent(client, recorder, endpoint: receiver.url) {
                var log = recorder.lines.makeAsyncIterator()
                #expect(await log.next()?.hasPrefix("notice Telemetry is off") == true)
                let outcome = try await choice.optIn()
                #expect(outcome.changed == [.configMap] && outcome.forgotten == [.configMap])
                #expect(await log.next() == "info Telemetry is on")
                var requests = receiver.requests.makeAsyncIterator()
                #expect(await requests.next()?.line == "POST /")
            }
        }
        #expect(try await choice.optIn().changed.isEmpty)
        #expect(try await status(client).consent == .yes)
    }

    @Test("since v1.0 the Package has the answer; without it and the ConfigMap, the agent's own")
    func since1() async throws {
        try await withCluster { plane, client, choice in
            #expect(try await choice.optOut().changed == [.statusConfigMap])
            #expect(try await choice.optOut().changed.isEmpty)
            #expect(try await status(client).consent == .no(place: .statusConfigMap, reason: "it says no"))
            try await ClusterFixture.makeV1(plane)
            try await plane.apply(
                """
                apiVersion: cozystack.io/v1alpha1
                kind: Package
                metadata: {name: cozystack.cozystack-platform}
                spec: {components: {platform: {values: {publishing: {host: example.org}}}}}
                """
            )
            #expect(try await choice.optOut().changed == [.platformPackage])
            let disabled = "jsonpath={.spec.components.platform.values}"
            let values = try await plane.kubectl("get", "packages", "cozystack.cozystack-platform", "-o", disabled)
            #expect(values == #"{"publishing":{"host":"example.org"},"telemetry":{"disabled":true}}"#)
            let yes = try await choice.optIn()
            #expect(yes.changed == [.platformPackage, .statusConfigMap] && yes.remaining.isEmpty)
            #expect(try await status(client).consent == .yes)
        }
    }

    @Test("notice is given before the first report, as an Event and in the ConfigMap, and once")
    func notice() async throws {
        try await withCluster { plane, client, _ in
            try await TelemetryReceiver.with { receiver in
                let recorder = LogRecorder()
                try await withRunningAgent(client, recorder, endpoint: receiver.url, noticePeriod: .seconds(3_600)) {
                    var log = recorder.lines.makeAsyncIterator()
                    #expect(await log.next() == "info Telemetry is on")
                    let given = "notice Notice was given in the cluster; nothing is sent before its period is over"
                    #expect(await log.next()?.hasPrefix(given) == true)
                    let events = ["get", "events", "-n", AgentSettings.defaultNamespace, "-o"]
                    let event = try await plane.kubectl(events + ["jsonpath={.items[*].reason} {.items[*].message}"])
                    #expect(event.hasPrefix("TelemetryNotice This cluster will report non-personal usage figures to"))
                    let status = try await status(client)
                    #expect(status.noticeAt != nil && status.deliveries.isEmpty)
                }
                // The same notice again is none; a period that is over is over.
                try await withRunningAgent(client, LogRecorder(), endpoint: receiver.url) {
                    var requests = receiver.requests.makeAsyncIterator()
                    #expect(await requests.next()?.line == "POST /")
                }
                let count = try await plane.kubectl(
                    ["get", "events", "-n", AgentSettings.defaultNamespace, "-o", "name"]
                )
                #expect(count.split(separator: "\n").count == 1)
            }
        }
    }

    @Test("where notice cannot be given, nothing is sent")
    func noNotice() async throws {
        try await ControlPlane.with { plane in
            let sources = KubernetesConfigurationSources(kubeconfig: plane.kubeconfig, environment: [:])
            try await KubernetesClient.withClient(configuration: .load(from: sources)) { client in
                // The namespace does not exist, so neither can the Event.
                let recorder = LogRecorder()
                try await TelemetryReceiver.with { receiver in
                    try await withRunningAgent(client, recorder, endpoint: receiver.url) {
                        let warning = "warning Nothing is sent: notice could not be given in the cluster"
                        var log = recorder.lines.makeAsyncIterator()
                        while let line = await log.next(), !line.hasPrefix(warning) {}
                        try await plane.kubectl("create", "namespace", AgentSettings.defaultNamespace)
                        var requests = receiver.requests.makeAsyncIterator()
                        #expect(await requests.next()?.line == "POST /")
                    }
                }
                let status = try await status(client)
                #expect(status.noticeAt != nil)
            }
        }
    }
}

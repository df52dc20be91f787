// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Kubernetes
import TelemetryTesting

@testable import TelemetryAgent

/// An agent as it runs in a pod; it reports every second, unless told otherwise.
struct RunningAgent {
    var endpoint: String
    var namespace = AgentSettings.defaultNamespace
    var interval = Duration.seconds(1)
    var noticePeriod = Duration.zero
    var deliveryLimit = Duration.seconds(30)
    /// Where its reports wait; nil for one that nobody looks at.
    var outbox: Outbox?
    /// The times of its election; nil for one that is alone.
    var election: LeaseTimes?

    /// Runs a body while it runs; it is stopped afterwards.
    func run(_ client: KubernetesClient, _ recorder: LogRecorder, _ body: () async throws -> Void) async throws {
        let settings = try AgentSettings(
            endpoint: endpoint,
            interval: interval,
            namespace: namespace,
            noticePeriod: noticePeriod,
            environment: [:]
        )
        let logger = recorder.logger
        let election = election.map { times in
            LeaderElection(
                client: client,
                namespace: namespace,
                lease: "cozy-telemetry",
                candidate: "agent",
                times: times,
                logger: logger
            )
        }
        try await HTTPClient.withHTTPClient(configuration: TelemetryAgent.httpClientConfiguration) { http in
            let agent = try TelemetryAgent(
                settings: settings,
                client: client,
                httpClient: http,
                outbox: outbox ?? Outbox(logger: logger),
                election: election,
                deliveryLimit: deliveryLimit,
                logger: logger
            )
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await agent.run() }
                try await body()
                group.cancelAll()
                try await group.waitForAll()
            }
        }
    }

    /// Runs a body while it runs with a client of its own, whose calls may take for ever as far as that is concerned.
    func run(
        _ configuration: KubernetesConfiguration,
        _ recorder: LogRecorder,
        _ body: () async throws -> Void
    ) async throws {
        try await KubernetesClient.withClient(configuration: configuration, limits: .init(call: .seconds(3_600))) {
            client in
            try await run(client, recorder, body)
        }
    }
}

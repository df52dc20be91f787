// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Kubernetes
import Logging
import ServiceLifecycle
import TelemetryTesting
import Testing

@testable import TelemetryAgent

@Suite("The schedule", .timeLimit(.minutes(1)))
struct ScheduleTests {
    @Test("an agent that cannot ask anybody sends nothing, says so, and ends when the service is shut down")
    func shutdown() async throws {
        let recorder = LogRecorder()
        let limits = KubernetesClient.Limits(connect: .milliseconds(50), call: .milliseconds(100))
        try await TelemetryReceiver.with { receiver in
            let settings = try AgentSettings(endpoint: receiver.url, environment: [:])
            // Nothing is served under this address, as in a cluster whose API server is down.
            let cluster = KubernetesConfiguration(server: "http://127.0.0.1:1")
            try await KubernetesClient.withClient(configuration: cluster, limits: limits) { client in
                try await HTTPClient.withHTTPClient(configuration: TelemetryAgent.httpClientConfiguration) { http in
                    let logger = recorder.logger
                    let agent = try TelemetryAgent(
                        settings: settings,
                        client: client,
                        httpClient: http,
                        outbox: Outbox(logger: logger),
                        logger: logger
                    )
                    let services = ServiceGroup(services: [agent], logger: .init(label: "services"))
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        group.addTask { try await services.run() }
                        var log = recorder.lines.makeAsyncIterator()
                        let place = "telemetry-enabled in the ConfigMap cozy-system/cozystack"
                        let off =
                            "warning Nothing is sent: whether the owner said no could not be read place=\(place) reason="
                        #expect(await log.next()?.hasPrefix(off) == true)
                        await services.triggerGracefulShutdown()
                        try await group.waitForAll()
                    }
                }
            }
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import TelemetryTesting
import Testing

@testable import Kubernetes
@testable import TelemetryAgent

@Suite(
    "A real cluster whose APIs come and go",
    .enabled(if: ControlPlane.isAvailable, Comment(rawValue: ControlPlane.requirements)),
    .timeLimit(.minutes(3))
)
struct ChangingClusterTests {
    @Test("one agent reports what is there: before the kinds are defined, while their API is down, and once it works")
    func changes() async throws {
        try await ControlPlane.with { plane in
            let recorder = LogRecorder()
            try await withAgent(plane, recorder) { agent in
                let empty = try await agent.preview().requests.map(\.text)
                #expect(empty.count == 1 && empty.first?.contains("cozy_tenants_count 0\n") == true)

                try await plane.install([.packages, .applicationDefinitions])
                let group = (name: "helm.toolkit.fluxcd.io", version: "v2")
                try await plane.addUnavailableAPI(group: group.name, version: group.version)
                try await plane.apply(Self.objects)
                for _ in 0..<2 {
                    let down = try await agent.preview().requests.map(\.text)
                    #expect(
                        down.count == 1 && down.first?.contains("cozy_package_info{name=\"cozystack.core\"") == true
                    )
                }

                try await plane.kubectl("delete", "apiservice", "\(group.version).\(group.name)")
                try await plane.install([.helmReleases])
                try await plane.apply(Self.release)
                let whole = try await agent.preview().requests.map(\.text)
                #expect(whole.count == 2 && whole.last == "cozy_application_count{kind=\"Redis\"} 1\n")
            }
            let lines = recorder.recorded.filter { $0.contains("part of the report") }
            let expected = [
                "warning A part of the report is left out part=workloads reason=does not exist (404)",
                "info A part of the report is there again part=workloads",
                "warning A part of the report is left out part=applications reason=the API server answered 503",
                "info A part of the report is there again part=applications",
            ]
            #expect(lines == expected)
        }
    }

    /// Runs a body with an agent that does not wait before it asks again.
    private func withAgent(
        _ plane: ControlPlane,
        _ recorder: LogRecorder,
        _ body: (TelemetryAgent) async throws -> Void
    ) async throws {
        var client = try plane.client()
        client.transport.pause = { _ in }
        let http = HTTPClient(configuration: TelemetryAgent.httpClientConfiguration)
        let settings = try AgentSettings(environment: [:])
        do {
            try await body(
                try TelemetryAgent(
                    settings: settings,
                    client: client,
                    httpClient: http,
                    outbox: Outbox(logger: recorder.logger),
                    logger: recorder.logger
                )
            )
        } catch {
            try await http.shutdown()
            try await client.shutdown()
            throw error
        }
        try await http.shutdown()
        try await client.shutdown()
    }

    private static let objects = """
        apiVersion: cozystack.io/v1alpha1
        kind: Package
        metadata: {name: cozystack.core}
        spec: {}
        ---
        apiVersion: cozystack.io/v1alpha1
        kind: ApplicationDefinition
        metadata: {name: redis}
        spec: {application: {kind: Redis}}
        """

    private static let release = """
        apiVersion: helm.toolkit.fluxcd.io/v2
        kind: HelmRelease
        metadata: {name: a, namespace: default, labels: {apps.cozystack.io/application.kind: Redis}}
        """
}

extension TelemetryRequest {
    /// The body as text.
    fileprivate var text: String { String(decoding: body, as: UTF8.self) }
}

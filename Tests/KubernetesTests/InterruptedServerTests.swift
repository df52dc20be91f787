// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TelemetryTesting
import Testing

@testable import Kubernetes

@Suite(
    "A real API server that forgets and restarts in the middle of a list",
    .enabled(if: ControlPlane.isAvailable, Comment(rawValue: ControlPlane.requirements)),
    .timeLimit(.minutes(3))
)
struct InterruptedServerTests {
    @Test("every object comes once, although the snapshot is compacted away and the server is killed meanwhile")
    func interrupted() async throws {
        try await ControlPlane.with { plane in
            let names = (0..<5).map { "n\($0)" }
            let objects = names.map { "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: \($0)}" }
            try await plane.create(objects.joined(separator: "\n---\n"))
            let sources = KubernetesConfigurationSources(kubeconfig: plane.kubeconfig, environment: [:])
            try await KubernetesClient.withClient(configuration: .load(from: sources)) { client in
                var client = client
                let waits = Counter()
                client.transport.pause = { _ in
                    waits.increment()
                    try await plane.waitUntilReady()
                }
                let expired = try await list(client, after: 2) {
                    // The new object shows that the rest of the list is of another snapshot.
                    try await plane.kubectl("create", "configmap", "n9")
                    try await plane.compact()
                }
                #expect(expired == names + ["n9"] && waits.count == 0)
                let restarted = try await list(client, after: 2) { try await plane.restartServer() }
                #expect(restarted == names + ["n9"] && waits.count > 0)
            }
        }
    }

    /// The names of all objects in pages of one, with something that happens after a page.
    private func list(
        _ client: KubernetesClient,
        after count: Int,
        _ event: () async throws -> Void
    ) async throws -> [String] {
        var names: [String] = []
        for try await page in client.list(.configMaps, .init(namespace: "default"), pageSize: 1) {
            names += page.items.map(\.metadata.name).filter { $0.hasPrefix("n") }
            if names.count == count { try await event() }
        }
        return names
    }
}

/// Counts what happens.
private final class Counter: Sendable {
    private let value = Mutex(0)

    var count: Int { value.withLock { $0 } }

    func increment() { value.withLock { $0 += 1 } }
}

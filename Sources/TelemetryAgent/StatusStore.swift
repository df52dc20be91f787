// SPDX-License-Identifier: Apache-2.0

import Kubernetes

/// The ConfigMap in the agent's namespace that holds what it remembers, and what anyone who may read it can know.
struct StatusStore: Sendable {
    /// The name of the ConfigMap.
    static let name = "cozy-telemetry-status"

    let client: KubernetesClient
    let namespace: String

    /// Changes some values, and makes the ConfigMap where it does not exist.
    ///
    /// - Parameter changes: Values by key; nil for one to be removed.
    /// - Throws: `KubernetesError`.
    func write(_ changes: [String: String?]) async throws {
        guard !changes.isEmpty else { return }
        let data = JSONValue.object(changes.mapValues { $0.map { .string($0) } ?? .null })
        do {
            try await patch(data)
        } catch KubernetesError.notFound {
            do {
                try await create(changes.compactMapValues { $0 })
            } catch KubernetesError.conflict {
                // Somebody else made it meanwhile.
                try await patch(data)
            }
        }
    }

    /// Changes some values where that is possible, and says once where it is not.
    ///
    /// - Returns: Whether they were changed.
    @discardableResult
    func tryWriting(_ changes: [String: String?], _ journal: AgentJournal) async -> Bool {
        guard !changes.isEmpty else { return true }
        do {
            try await write(changes)
            journal.noteWriting(nil)
            return true
        } catch {
            journal.noteWriting(error)
            return false
        }
    }

    /// What the ConfigMap holds; nothing where it does not exist.
    func read() async throws -> StatusRecord {
        do {
            let map = try await client.get(.configMaps, namespace: namespace, name: Self.name)
            return StatusRecord(data: map.data)
        } catch KubernetesError.notFound {
            return StatusRecord(data: [:])
        }
    }

    private func patch(_ data: JSONValue) async throws {
        try await client.patch(.configMaps, namespace: namespace, name: Self.name, merge: ["data": data])
    }

    private func create(_ data: [String: String]) async throws {
        try await client.create(
            .configMaps,
            namespace: namespace,
            [
                "apiVersion": "v1", "kind": "ConfigMap",
                "metadata": ["name": .string(Self.name), "labels": ["app.kubernetes.io/name": "cozy-telemetry"]],
                "data": .object(data.mapValues { .string($0) }),
            ]
        )
    }
}

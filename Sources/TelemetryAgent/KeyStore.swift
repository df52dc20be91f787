// SPDX-License-Identifier: Apache-2.0

public import Kubernetes
public import TelemetryModel

/// The cluster's key, in a Secret of the agent's namespace.
public struct KeyStore: Sendable {
    /// The name of the Secret.
    public static let secretName = "cozy-telemetry-identity"
    /// The field of the Secret that has the 32 bytes of the key's seed.
    public static let field = "ed25519-seed"

    private let client: KubernetesClient
    let namespace: String

    /// A store in a namespace.
    ///
    /// - Parameters:
    ///   - client: Reaches the cluster; the caller shuts it down.
    ///   - namespace: The agent's namespace.
    public init(client: KubernetesClient, namespace: String) {
        self.client = client
        self.namespace = namespace
    }

    /// The Secret as people write it, `NAMESPACE/NAME`.
    public var name: String { "\(namespace)/\(Self.secretName)" }

    /// What came of making the key anew.
    public struct Reset: Sendable {
        /// The id until now; nil where there was none, or the Secret held no key.
        public let former: ClusterID?
        /// The id from now on.
        public let current: ClusterID
    }

    /// The key; nil where there is no Secret.
    ///
    /// - Throws: `AgentError.damagedKey` where the Secret holds no key, or `KubernetesError`.
    public func key() async throws -> ClusterKey? {
        guard let secret = try await secret() else { return nil }
        guard let key = Self.key(in: secret) else { throw AgentError.damagedKey(secret: name) }
        return key
    }

    /// Makes a key, or gives the one that somebody else made meanwhile.
    ///
    /// - Throws: `AgentError.damagedKey` where the Secret holds no key, or `KubernetesError`.
    func create() async throws -> ClusterKey {
        let key = ClusterKey()
        do {
            try await create(key)
            return key
        } catch let conflict as KubernetesError {
            guard case .conflict = conflict, let key = try await self.key() else { throw conflict }
            return key
        }
    }

    /// Makes a new key, which takes the place of the one there is; a damaged one, too.
    ///
    /// - Throws: `KubernetesError`; a conflict where somebody else changed the Secret at the same time.
    public func reset() async throws -> Reset {
        let key = ClusterKey()
        guard let secret = try await secret() else {
            try await create(key)
            return Reset(former: nil, current: key.clusterID)
        }
        let change: JSONValue = [
            "metadata": ["resourceVersion": .string(secret.metadata.resourceVersion)],
            "data": Secret.value(of: [Self.field: key.seed]),
        ]
        try await client.patch(.secrets, namespace: namespace, name: Self.secretName, merge: change)
        return Reset(former: Self.key(in: secret)?.clusterID, current: key.clusterID)
    }

    private func secret() async throws -> Secret? {
        do {
            return try await client.get(.secrets, namespace: namespace, name: Self.secretName)
        } catch KubernetesError.notFound {
            return nil
        }
    }

    private func create(_ key: ClusterKey) async throws {
        let labels = ["app.kubernetes.io/name": "cozy-telemetry"]
        let manifest = Secret.manifest(name: Self.secretName, labels: labels, data: [Self.field: key.seed])
        try await client.create(.secrets, namespace: namespace, manifest)
    }

    private static func key(in secret: Secret) -> ClusterKey? {
        secret.data[field].flatMap(ClusterKey.init(seed:))
    }
}

// SPDX-License-Identifier: Apache-2.0

public import Kubernetes
import Synchronization
import TelemetryModel

/// Finds out who the cluster is, anew for every report, so that a new key is used at once.
///
/// What cannot be read for a passing reason is an error: a cluster does not report under one id now and another one then.
public final class IdentitySource: Sendable {
    private let mode: IdentityMode
    private let store: KeyStore
    private let reader: ClusterReader
    private let status: StatusStore
    /// Whether this process had the key, after which no other kind of identity will do.
    private let hadKey = Mutex(false)

    /// A source for the cluster of a client.
    ///
    /// - Parameters:
    ///   - mode: How the cluster is to be called.
    ///   - client: Reaches the cluster; the caller shuts it down.
    ///   - namespace: The agent's namespace, in which its key is kept.
    public init(mode: IdentityMode, client: KubernetesClient, namespace: String) {
        self.mode = mode
        store = KeyStore(client: client, namespace: namespace)
        reader = ClusterReader(client: client)
        status = StatusStore(client: client, namespace: namespace)
    }

    /// The identity to report under; the key is made where there is none.
    ///
    /// - Throws: `AgentError.damagedKey`, `.keyWithdrawn` or `.noClusterID`, or `KubernetesError`.
    public func identity() async throws -> AgentIdentity {
        if let existing = try await existing() { return existing }
        do {
            return signing(try await store.create())
        } catch KubernetesError.forbidden {
            return try await unsigned("the agent may not make the Secret \(store.name) (403)")
        } catch KubernetesError.notFound {
            return try await unsigned("there is no namespace \(store.namespace) to keep a key in")
        }
    }

    /// The identity as it is, without making anything; nil where the key is still to be made.
    ///
    /// - Throws: `AgentError.damagedKey`, `.keyWithdrawn` or `.noClusterID`, or `KubernetesError`.
    public func existing() async throws -> AgentIdentity? {
        guard mode == .key else { return .uid(try await reader.clusterID(), reason: nil) }
        do {
            return try await store.key().map(signing)
        } catch KubernetesError.forbidden {
            return try await unsigned("the agent may not read the Secret \(store.name) (403)")
        }
    }

    private func signing(_ key: ClusterKey) -> AgentIdentity {
        hadKey.withLock { $0 = true }
        return .key(key)
    }

    /// The identity without a key, unless there was one before, of this process or of one before it.
    private func unsigned(_ reason: String) async throws -> AgentIdentity {
        let hadKey = if hadKey.withLock({ $0 }) { true } else { try await hadKeyBefore() }
        guard !hadKey else { throw AgentError.keyWithdrawn(reason: reason) }
        return .uid(try await reader.clusterID(), reason: reason)
    }

    /// Whether the cluster reported under a key, as far as this may be known.
    private func hadKeyBefore() async throws -> Bool {
        do {
            return try await status.read().clusterID?.isVersion8 == true
        } catch KubernetesError.forbidden {
            // An agent without its ConfigMap cannot give notice and sends only by a person's order.
            return false
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import Kubernetes
import TelemetryModel
import TelemetryTesting
import Testing

@testable import TelemetryAgent

@Suite(
    "Who a real cluster is",
    .enabled(if: ControlPlane.isAvailable, Comment(rawValue: ControlPlane.requirements)),
    .timeLimit(.minutes(3))
)
struct IdentityTests {
    private func source(_ client: KubernetesClient, _ namespace: String, _ mode: IdentityMode = .key) -> IdentitySource
    {
        IdentitySource(mode: mode, client: client, namespace: namespace)
    }

    /// The key of an identity that has one.
    private func key(_ identity: AgentIdentity?) throws -> ClusterKey {
        guard case .key(let key) = identity else {
            throw Unexpected()
        }
        return key
    }

    private struct Unexpected: Error {}

    /// Runs a body as a service account that is granted something, in a namespace of its own.
    private func asServiceAccount(
        _ name: String,
        granted verbs: String?,
        _ body: (_ agent: KubernetesClient, _ admin: KubernetesClient, _ plane: ControlPlane) async throws -> Void
    ) async throws {
        try await ControlPlane.withSharedClient { admin, plane in
            let namespace = try await plane.namespace(name)
            let token = try await plane.serviceAccount("agent", in: namespace)
            try await plane.grant(
                "kube-system-reader-\(name)",
                ["get"],
                "namespaces",
                to: "agent",
                of: namespace,
                everywhere: true
            )
            if let verbs { try await plane.grant("keys", [verbs], "secrets", to: "agent", of: namespace) }
            try await ControlPlane.withSharedClient({ $0.token = .text(token) }) { agent, _ in
                try await body(agent, admin, plane)
            }
        }
    }

    @Test("the key is made once by all that begin at the same time, and kept")
    func concurrentStart() async throws {
        try await ControlPlane.withSharedClient { client, plane in
            let namespace = try await plane.namespace("identity-start")
            #expect(try await source(client, namespace).existing() == nil)
            let ids = try await withThrowingTaskGroup(of: AgentIdentity.self) { group in
                for _ in 0..<12 { group.addTask { try await source(client, namespace).identity() } }
                var ids: Set<ClusterID> = []
                for try await identity in group { ids.insert(try key(identity).clusterID) }
                return ids
            }
            #expect(ids.count == 1)
            let later = try await source(client, namespace).identity()
            let shown = try await source(client, namespace).existing()
            #expect(ids == [later.clusterID] && shown?.clusterID == later.clusterID && later.clusterID.isVersion8)
            let secret = try await client.get(.secrets, namespace: namespace, name: "cozy-telemetry-identity")
            let seed = try key(later).seed
            #expect(secret.type == "Opaque" && secret.data == ["ed25519-seed": seed])
        }
    }

    @Test("what is sent is signed anew each time, so that the backend takes it as this cluster's")
    func signature() async throws {
        let body = Array("cozy_tenants_count 2\n".utf8)
        let key = ClusterKey()
        let identity = AgentIdentity.key(key)
        var nonces: Set<String> = []
        for tag in [MessageSignature.Tag.report, .report, .bundle] {
            let fields = try identity.headers(path: "/in", body: body, tag: tag)
            #expect(fields.map(\.name) == ["X-Cluster-ID", "Content-Digest", "Signature-Input", "Signature"])
            #expect(fields[0].value == key.clusterID.text)
            let signature = try MessageSignature(
                contentDigest: fields[1].value,
                signatureInput: fields[2].value,
                signature: fields[3].value
            )
            #expect(signature.tag == tag)
            nonces.insert(signature.nonce)
            try signature.verify(method: "POST", path: "/in", body: body, cluster: key.clusterID, at: .now())
            #expect(throws: SignatureError.otherBody) {
                try signature.verify(method: "POST", path: "/in", body: [], cluster: key.clusterID, at: .now())
            }
        }
        #expect(nonces.count == 3)
        let id = try #require(ClusterID("00000000-0000-4000-8000-000000000000"))
        let unsigned = try AgentIdentity.uid(id, reason: nil).headers(path: "/", body: body)
        #expect(unsigned.map(\.name) == ["X-Cluster-ID"] && unsigned.first?.value == id.text)
    }

    @Test("by the UID of kube-system where that is asked for: no key is made")
    func uid() async throws {
        try await ControlPlane.withSharedClient { client, plane in
            let namespace = try await plane.namespace("identity-uid")
            let uid = try await client.get(.namespaces, name: "kube-system").metadata.uid
            let identity = try await source(client, namespace, .uid).identity()
            guard case .uid(let id, nil) = identity else { throw Unexpected() }
            #expect(id.text == uid && identity.clusterID == id)
            #expect(try await KeyStore(client: client, namespace: namespace).key() == nil)
        }
    }

    @Test("an agent that may not have a key reports by the UID and says why", arguments: [nil, "get"])
    func forbidden(granted: String?) async throws {
        let name = "identity-\(granted ?? "nothing")"
        try await asServiceAccount(name, granted: granted) { agent, admin, _ in
            let uid = try await admin.get(.namespaces, name: "kube-system").metadata.uid
            let identity = try await source(agent, name).identity()
            guard case .uid(let id, let reason?) = identity else { throw Unexpected() }
            #expect(id.text == uid)
            let verb = granted == nil ? "read" : "make"
            #expect(reason == "the agent may not \(verb) the Secret \(name)/cozy-telemetry-identity (403)")
        }
        try await ControlPlane.withSharedClient { client, _ in
            guard case .uid(_, let reason?) = try await source(client, "nowhere").identity() else { throw Unexpected() }
            #expect(reason == "there is no namespace nowhere to keep a key in")
        }
    }

    @Test("an agent that had its key does not report by the UID when it is taken away")
    func withdrawn() async throws {
        let name = "identity-withdrawn"
        try await asServiceAccount(name, granted: "get,create") { agent, admin, plane in
            try await plane.grant("status", ["get"], "configmaps", to: "agent", of: name)
            let source = source(agent, name)
            let key = try key(try await source.identity())
            let status = StatusStore(client: admin, namespace: name)
            try await status.write(StatusRecord.changes(recording: .key(key), next: nil))
            try await plane.kubectl("delete", "rolebinding", "keys", "-n", name)
            // Nothing tells when the server knows of it.
            var error: AgentError?
            while error == nil {
                do { _ = try await source.identity() } catch let thrown as AgentError { error = thrown }
            }
            guard case .keyWithdrawn? = error, let error else { throw Unexpected() }
            // Nor does the next process, which never had it.
            await #expect(throws: error) { try await self.source(agent, name).identity() }
        }
    }

    @Test("an API server that cannot be reached, or answers 503, is an error, and no id")
    func unreachable() async throws {
        let unreachable = KubernetesConfiguration(server: "http://127.0.0.1:9")
        try await KubernetesClient.withClient(configuration: unreachable) { client in
            for source in [source(client, "n"), source(client, "n", .uid)] {
                await #expect(throws: KubernetesError.self) { _ = try await source.identity() }
                await #expect(throws: KubernetesError.self) { _ = try await source.existing() }
            }
        }
        let answer = ControlPlaneStandIn.json(#"{"code":503}"#, status: "503 Service Unavailable")
        try await ControlPlaneStandIn.with([answer]) { server in
            try await KubernetesClient.withClient(configuration: .init(server: server.url)) { client in
                await #expect(throws: KubernetesError.self) { _ = try await source(client, "n").identity() }
                #expect(server.requests.count == 1)
            }
        }
    }

    @Test(
        "a Secret that holds no key is an error that says so, and is left alone",
        arguments: ["short", "other", "empty"]
    )
    func damaged(kind: String) async throws {
        try await ControlPlane.withSharedClient { client, plane in
            let namespace = try await plane.namespace("identity-\(kind)")
            let data: [String: [String: [UInt8]]] = [
                "short": ["ed25519-seed": [1, 2, 3]], "other": ["seed": Array(repeating: 1, count: 32)], "empty": [:],
            ]
            let manifest = Secret.manifest(name: KeyStore.secretName, data: data[kind] ?? [:])
            let secret = try await client.create(.secrets, namespace: namespace, manifest)
            let expected = AgentError.damagedKey(secret: "\(namespace)/cozy-telemetry-identity")
            await #expect(throws: expected) { _ = try await source(client, namespace).identity() }
            await #expect(throws: expected) { _ = try await source(client, namespace).existing() }
            #expect(try await client.get(.secrets, namespace: namespace, name: KeyStore.secretName) == secret)
            #expect(expected.description.contains("identity reset"))

            let reset = try await KeyStore(client: client, namespace: namespace).reset()
            #expect(reset.former == nil)
            #expect(try await source(client, namespace).identity().clusterID == reset.current)
        }
    }

    @Test("a new key takes the place of the old one, and an agent that runs uses it for its next report")
    func reset() async throws {
        try await ControlPlane.withSharedClient { client, plane in
            let namespace = try await plane.namespace("identity-reset")
            let store = KeyStore(client: client, namespace: namespace)
            let first = try await store.reset()
            #expect(first.former == nil)
            let source = source(client, namespace)
            #expect(try await source.identity().clusterID == first.current)
            try await plane.kubectl("label", "secret", KeyStore.secretName, "kept=yes", "-n", namespace)
            let second = try await store.reset()
            #expect(second.former == first.current && second.current != first.current)
            #expect(try await source.identity().clusterID == second.current)
            let secret = try await client.get(.secrets, namespace: namespace, name: KeyStore.secretName)
            #expect(secret.data.count == 1 && secret.metadata.labels["kept"] == "yes")
        }
    }
}

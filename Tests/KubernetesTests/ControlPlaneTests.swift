// SPDX-License-Identifier: Apache-2.0

import Kubernetes
import TelemetryTesting
import Testing

@Suite(
    "A real API server",
    .enabled(if: ControlPlane.isAvailable, Comment(rawValue: ControlPlane.requirements)),
    .timeLimit(.minutes(3))
)
struct ControlPlaneTests {
    @Test("a token and a client certificate are accepted", arguments: [false, true])
    func credentials(certificate: Bool) async throws {
        let path = certificate ? \ControlPlane.clientCertificateKubeconfig : \ControlPlane.kubeconfig
        try await ControlPlane.withSharedClient(kubeconfig: path) { client, _ in
            let version = try await client.version()
            #expect(version.hasPrefix("v1."))
            let namespace = try await client.get(.namespaces, name: "kube-system")
            #expect(namespace.metadata.uid.count == 36)
        }
    }

    @Test("a wrong token is unauthorized")
    func wrongToken() async throws {
        try await ControlPlane.withSharedClient({ $0.token = .text("guess") }) { client, _ in
            await #expect(throws: KubernetesError.unauthorized(path: "/api/v1/namespaces/default")) {
                _ = try await client.get(.namespaces, name: "default")
            }
        }
    }

    @Test("the server's certificate is verified against the authority and the name that are configured")
    func serverCertificate() async throws {
        try await ControlPlane.withSharedClient({ $0.tlsServerName = "kubernetes.default.svc" }) { client, _ in
            let version = try await client.version()
            #expect(version.hasPrefix("v1."))
        }
        try await ControlPlane.withSharedClient({ $0.certificateAuthority = .unchecked }) { client, _ in
            let version = try await client.version()
            #expect(version.hasPrefix("v1."))
        }
        let changes: [(inout KubernetesConfiguration) -> Void] = [
            { $0.tlsServerName = "foreign.test" }, { $0.certificateAuthority = .system },
        ]
        for change in changes {
            try await ControlPlane.withSharedClient(change, limits: .init(connect: .milliseconds(500))) {
                client,
                plane in
                let error = await #expect(throws: KubernetesError.self) { _ = try await client.version() }
                guard case .unreachable(plane.server, _) = error else {
                    Issue.record("\(String(describing: error))")
                    return
                }
            }
        }
    }

    @Test("1,203 objects come in pages of 500")
    func pages() async throws {
        try await ControlPlane.withSharedClient { client, plane in
            let namespace = try await plane.namespace("pages")
            let objects = (0..<1_203).map { number in
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: n\(number), namespace: \(namespace)}"
            }
            // kubectl slows down after some 300 requests; several of it do not.
            try await withThrowingTaskGroup(of: Void.self) { group in
                for start in stride(from: 0, to: objects.count, by: 250) {
                    let part = objects[start..<min(start + 250, objects.count)].joined(separator: "\n---\n")
                    group.addTask { try await plane.create(part) }
                }
                try await group.waitForAll()
            }
            var (sizes, names) = ([Int](), Set<String>())
            for try await page in client.list(.configMaps, .init(namespace: namespace)) {
                sizes.append(page.items.count)
                names.formUnion(page.items.map(\.metadata.name))
            }
            #expect(sizes == [500, 500, 203])
            #expect(names.count == 1_203)
        }
    }

    @Test("label and field selectors choose, and metadata alone can be asked for")
    func selections() async throws {
        try await ControlPlane.withSharedClient { client, plane in
            let namespace = try await plane.namespace("selections")
            try await plane.apply(
                """
                apiVersion: v1
                kind: ConfigMap
                metadata: {name: a, namespace: \(namespace), labels: {app: one}}
                ---
                apiVersion: v1
                kind: ConfigMap
                metadata: {name: b, namespace: \(namespace), labels: {app: two}}
                """
            )
            let maps = Resource<ConfigMap>.configMaps.metadataOnly
            for selection in [
                Selection(namespace: namespace, labels: "app in (two)"),
                Selection(namespace: namespace, fields: "metadata.name=b"),
            ] {
                var names: [String] = []
                for try await page in client.list(maps, selection) { names += page.items.map(\.metadata.name) }
                #expect(names == ["b"])
            }
            #expect(try await client.get(maps, namespace: namespace, name: "a").metadata.labels == ["app": "one"])
        }
    }

    @Test("what does not exist is not found; what is not granted is forbidden")
    func typedErrors() async throws {
        try await ControlPlane.withSharedClient { client, plane in
            let namespace = try await plane.namespace("errors")
            let path = "/api/v1/namespaces/\(namespace)/configmaps/absent"
            await #expect(throws: KubernetesError.notFound(path: path)) {
                _ = try await client.get(.configMaps, namespace: namespace, name: "absent")
            }
            let token = try await plane.serviceAccount("reader", in: namespace)
            try await plane.grant("reader", ["get"], "configmaps", to: "reader", of: namespace)
            try await ControlPlane.withSharedClient({ $0.token = .text(token) }) { reader, _ in
                await #expect(throws: KubernetesError.notFound(path: path)) {
                    _ = try await reader.get(.configMaps, namespace: namespace, name: "absent")
                }
                await #expect(throws: KubernetesError.forbidden(path: "/api/v1/nodes")) {
                    for try await _ in reader.list(.nodes) {}
                }
            }
        }
    }

    @Test("a watch tells of additions, changes and deletions as they happen")
    func watch() async throws {
        try await ControlPlane.withSharedClient { client, plane in
            let selection = Selection(namespace: try await plane.namespace("watched"))
            var version = ""
            for try await page in client.list(.configMaps, selection) { version = page.resourceVersion }
            var events = client.watch(.configMaps, selection, from: version).makeAsyncIterator()
            try await plane.kubectl("create", "configmap", "one", "--from-literal=a=1", "-n", "watched")
            #expect(try await next(&events) == "added one 1")
            try await plane.kubectl("patch", "configmap", "one", "-n", "watched", "-p", #"{"data":{"a":"2"}}"#)
            #expect(try await next(&events) == "modified one 2")
            try await plane.kubectl("delete", "configmap", "one", "-n", "watched")
            #expect(try await next(&events) == "deleted one 2")
        }
    }

    /// The next event that is not a bookmark, in words.
    private func next(_ events: inout WatchEvents<ConfigMap>.Iterator) async throws -> String {
        while true {
            switch try await events.next() {
            case .bookmark: continue
            case .added(let map): return "added \(map.metadata.name) \(map.data["a", default: ""])"
            case .modified(let map): return "modified \(map.metadata.name) \(map.data["a", default: ""])"
            case .deleted(let map): return "deleted \(map.metadata.name) \(map.data["a", default: ""])"
            case nil: return "the end"
            }
        }
    }

    @Test("kinds are discovered once they are defined; a watch from before that is gone")
    func discovery() async throws {
        try await ControlPlane.withSharedClient { client, plane in
            let (nodes, deployments) = (try await client.serves(.nodes), try await client.serves(.deployments))
            let before = try await client.serves(.helmReleases)
            try await plane.install([.helmReleases])
            let after = try await client.serves(.helmReleases)
            #expect(nodes && deployments && !before && after)
            await #expect(throws: KubernetesError.gone(path: "/apis/helm.toolkit.fluxcd.io/v2/helmreleases")) {
                for try await _ in client.watch(.helmReleases, from: "1") {}
            }
        }
    }

    @Test("a merge patch changes what it names, and null removes")
    func patch() async throws {
        try await ControlPlane.withSharedClient { client, plane in
            let namespace = try await plane.namespace("patched")
            try await plane.kubectl(
                "create",
                "configmap",
                "one",
                "--from-literal=a=1",
                "--from-literal=b=2",
                "-n",
                namespace
            )
            let change: JSONValue = .object(["data": .object(["a": .string("3"), "b": .null])])
            let patched = try await client.patch(.configMaps, namespace: namespace, name: "one", merge: change)
            #expect(patched.data == ["a": "3"])
            #expect(try await client.get(.configMaps, namespace: namespace, name: "one").data == ["a": "3"])
        }
    }
}

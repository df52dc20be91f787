// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import TelemetryTesting
import Testing

@testable import Kubernetes

@Suite(
    "Writing to a real API server",
    .enabled(if: ControlPlane.isAvailable, Comment(rawValue: ControlPlane.requirements)),
    .timeLimit(.minutes(3))
)
struct WritingTests {
    private static func map(_ name: String, _ data: [String: String]) -> JSONValue {
        [
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": .string(name)],
            "data": .object(data.mapValues(JSONValue.string)),
        ]
    }

    @Test("an object is created once, and its text is kept to the byte")
    func create() async throws {
        try await ControlPlane.withSharedClient { client, plane in
            let namespace = try await plane.namespace("created")
            let data = [
                "empty": "", "plain": "a", "yaml": "a: 1\nb: \"2\"\n", "blanks": "  \t\r\n ", "quotes": #"\"'\n/<&>"#,
                "unicode": "Grüße, 世界 🙂 e\u{301} \u{2028}", "control": "\u{1}\u{7f}", "number": "1e400",
            ]
            let created = try await client.create(.configMaps, namespace: namespace, Self.map("one", data))
            #expect(created.data == data && created.metadata.uid.count == 36)
            let path = "/api/v1/namespaces/\(namespace)/configmaps"
            await #expect(throws: KubernetesError.conflict(path: path)) {
                try await client.create(.configMaps, namespace: namespace, Self.map("one", [:]))
            }
            let kept = try await client.get(.configMaps, namespace: namespace, name: "one")
            #expect(kept == created)
            // Unicode text is equal where its bytes differ.
            #expect(kept.data["unicode"].map { Array($0.utf8) } == data["unicode"].map { Array($0.utf8) })
        }
    }

    @Test("only the version that was read is patched")
    func versions() async throws {
        try await ControlPlane.withSharedClient { client, plane in
            let namespace = try await plane.namespace("versioned")
            let first = try await client.create(.configMaps, namespace: namespace, Self.map("one", ["a": "1"]))
            func patch(_ version: String, _ value: String) -> JSONValue {
                ["metadata": ["resourceVersion": .string(version)], "data": ["b": .string(value)]]
            }
            let current = patch(first.metadata.resourceVersion, "2")
            let second = try await client.patch(.configMaps, namespace: namespace, name: "one", merge: current)
            #expect(second.data == ["a": "1", "b": "2"])
            let old = patch(first.metadata.resourceVersion, "3")
            let conflict = KubernetesError.conflict(path: "/api/v1/namespaces/\(namespace)/configmaps/one")
            await #expect(throws: conflict) {
                try await client.patch(.configMaps, namespace: namespace, name: "one", merge: old)
            }
        }
    }

    @Test("what the server does not take is an error with its status")
    func refused() async throws {
        try await ControlPlane.withSharedClient { client, plane in
            let namespace = try await plane.namespace("refused")
            let path = "/api/v1/namespaces/\(namespace)/configmaps"
            await #expect(throws: KubernetesError.status(code: 422, reason: "Invalid", path: path)) {
                try await client.create(.configMaps, namespace: namespace, Self.map("No Name", [:]))
            }
            await #expect(throws: KubernetesError.notFound(path: "/api/v1/namespaces/absent/configmaps")) {
                try await client.create(.configMaps, namespace: "absent", Self.map("one", [:]))
            }
            let unsendable: JSONValue = ["data": .number(.infinity)]
            let error = await #expect(throws: KubernetesError.self) {
                try await client.create(.configMaps, namespace: namespace, unsendable)
            }
            guard case .invalidResponse(path, _) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
        }
    }

    @Test("the bytes of a secret are kept, and are in no description")
    func secret() async throws {
        try await ControlPlane.withSharedClient { client, plane in
            let namespace = try await plane.namespace("secrets")
            let bytes = [UInt8](0...255)
            let manifest = Secret.manifest(name: "one", labels: ["a": "b"], data: ["all": bytes, "none": []])
            try await client.create(.secrets, namespace: namespace, manifest)
            let secret = try await client.get(.secrets, namespace: namespace, name: "one")
            #expect(secret.data == ["all": bytes, "none": []])
            #expect(secret.type == "Opaque" && secret.metadata.labels == ["a": "b"])
            var dumped = ""
            dump(secret, to: &dumped)
            #expect("\(secret)" == "Secret one" && !dumped.contains("255"))
        }
    }

    @Test("an event is shown by kubectl with what it is about")
    func event() async throws {
        try await ControlPlane.withSharedClient { client, plane in
            let namespace = try await plane.namespace("events")
            let event = Event.manifest(
                about: .init(kind: "ConfigMap", name: "one"),
                namespace: namespace,
                .warning,
                reason: "Tested",
                message: "It was tested.",
                by: "cozy-telemetry",
                at: Date(timeIntervalSince1970: 1_772_323_200)
            )
            let created = try await client.create(.events, namespace: namespace, event)
            #expect(created.metadata.name.hasPrefix("one."))
            #expect((created.type, created.reason, created.message) == ("Warning", "Tested", "It was tested."))
            let columns = "{.items[*]['involvedObject.kind','involvedObject.name','lastTimestamp','source.component']}"
            let shown = try await plane.kubectl("get", "events", "-n", namespace, "-o", "jsonpath=\(columns)")
            #expect(shown == "ConfigMap one 2026-03-01T00:00:00Z cozy-telemetry")
        }
    }

    @Test("a lease is kept, and a patch of its claim leaves the rest alone")
    func lease() async throws {
        try await ControlPlane.withSharedClient { client, plane in
            let namespace = try await plane.namespace("leases")
            let time = Lease.time(Date(timeIntervalSince1970: 1_772_323_200.25))
            #expect(time == "2026-03-01T00:00:00.250000Z")
            #expect(Lease.time(Date(timeIntervalSince1970: 1_772_323_200.9996)).hasPrefix("2026-03-01T00:00:00.999"))
            #expect(Lease.time(Date(timeIntervalSince1970: 1_772_323_200)) == "2026-03-01T00:00:00.000000Z")
            var claim = Lease.Claim(holder: "a", seconds: 20, acquired: time, renewed: time, transitions: 0)
            let manifest = Lease.manifest(name: "one", claim)
            let created = try await client.create(.leases, namespace: namespace, manifest)
            #expect(created.claim == claim)
            try await plane.kubectl("label", "lease", "one", "kept=yes", "-n", namespace)
            (claim.holder, claim.transitions) = ("", 1)
            let patch: JSONValue = ["spec": Lease.value(of: claim)]
            let patched = try await client.patch(.leases, namespace: namespace, name: "one", merge: patch)
            #expect(patched.claim == claim && patched.metadata.labels == ["kept": "yes"])
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import Foundation
import Kubernetes
import Testing

/// One verb on one resource, of one name where there is a name.
struct Permission: Hashable, CustomStringConvertible {
    let verb: String
    let group: String
    let resource: String
    let name: String?

    /// `list nodes`, `get packages.cozystack.io/NAME`.
    var description: String {
        "\(verb) \(resource)\(group.isEmpty ? "" : ".\(group)")\(name.map { "/\($0)" } ?? "")"
    }

    fileprivate var rule: JSONValue {
        [
            "verbs": [.string(verb)], "apiGroups": [.string(group)], "resources": [.string(resource)],
            "resourceNames": .array(name.map { [.string($0)] } ?? []),
        ]
    }
}

/// A Role or a ClusterRole of `deploy/agent-rbac.yaml`, its rules taken apart.
struct AgentRole {
    let namespace: String?
    let name: String
    let permissions: [Permission]

    /// The text of the manifest.
    static func manifest() throws -> String {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return try String(contentsOf: root.appending(path: "deploy/agent-rbac.yaml"), encoding: .utf8)
    }

    /// All roles of the manifest.
    static func all() throws -> [AgentRole] {
        try manifest().components(separatedBy: "\n---\n").compactMap { text in
            let document = try #require(JSONValue(yaml: text))
            guard let rules = document["rules"]?.elements else { return nil }
            return AgentRole(
                namespace: document["metadata"]?["namespace"]?.text,
                name: try #require(document["metadata"]?["name"]?.text),
                permissions: rules.flatMap(Self.permissions)
            )
        }
    }

    private static func permissions(of rule: JSONValue) -> [Permission] {
        func texts(_ key: String) -> [String] { rule[key]?.elements?.compactMap(\.text) ?? [] }
        let names: [String?] = rule["resourceNames"] == nil ? [nil] : texts("resourceNames")
        return texts("apiGroups").flatMap { group in
            texts("resources").flatMap { resource in
                names.flatMap { name in
                    texts("verbs").map { Permission(verb: $0, group: group, resource: resource, name: name) }
                }
            }
        }
    }

    /// Sets the role in a cluster, with all of its permissions or with one less.
    func set(_ client: KubernetesClient, without permission: Permission? = nil) async throws {
        let resource = Resource<ObjectMetadata>(
            group: "rbac.authorization.k8s.io",
            version: "v1",
            plural: namespace == nil ? "clusterroles" : "roles",
            isNamespaced: namespace != nil
        )
        let rules = permissions.filter { $0 != permission }.map(\.rule)
        try await client.patch(resource, namespace: namespace, name: name, merge: ["rules": .array(rules)])
    }
}

extension JSONValue {
    fileprivate var elements: [JSONValue]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }

    fileprivate var text: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }
}

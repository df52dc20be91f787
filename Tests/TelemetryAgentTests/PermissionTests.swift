// SPDX-License-Identifier: Apache-2.0

import Kubernetes
import TelemetryTesting
import Testing

@testable import TelemetryAgent

@Suite(
    "deploy/agent-rbac.yaml",
    .enabled(if: ControlPlane.isAvailable, Comment(rawValue: ControlPlane.requirements)),
    .timeLimit(.minutes(3))
)
struct PermissionTests {
    @Test("is all that the agent needs, and no permission in it can be left out")
    func permissions() async throws {
        try await ControlPlane.with { plane in
            try await withWork(plane) { work in
                let roles = try AgentRole.all()
                let granted = roles.flatMap(\.permissions).map(\.description)
                #expect(Set(granted) == Set(AgentWork.parts.keys) && granted.count == AgentWork.parts.count)
                for role in roles {
                    for permission in role.permissions {
                        let part = try #require(AgentWork.parts[permission.description])
                        #expect(try await works(part, work, becoming: true), "\(permission) does not suffice")
                        try await role.set(work.admin, without: permission)
                        #expect(try await works(part, work, becoming: false), "\(permission) is not needed")
                        try await role.set(work.admin)
                    }
                }
                try await isRefused(work)
            }
        }
    }

    /// What is near to what is granted, and is not.
    private func isRefused(_ work: AgentWork) async throws {
        let (agent, own) = (work.agent, AgentWork.namespace)
        let map: JSONValue = ["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "one"]]
        let calls: [(String, () async throws -> Void)] = [
            ("other secrets", { _ = try await agent.get(.secrets, namespace: own, name: "other") }),
            ("all secrets", { for try await _ in agent.list(.secrets, Selection(namespace: own)) {} }),
            (
                "its key to be changed",
                { try await agent.patch(.secrets, namespace: own, name: KeyStore.secretName, merge: [:]) }
            ),
            (
                "secrets elsewhere",
                { _ = try await agent.get(.secrets, namespace: "kube-system", name: KeyStore.secretName) }
            ),
            (
                "configuration to be changed",
                { try await agent.patch(.configMaps, namespace: "cozy-system", name: "cozystack", merge: [:]) }
            ),
            (
                "other configuration",
                { for try await _ in agent.list(.configMaps, Selection(namespace: "cozy-system")) {} }
            ),
            ("configuration elsewhere", { try await agent.create(.configMaps, namespace: "cozy-system", map) }),
            ("other leases", { _ = try await agent.get(.leases, namespace: own, name: "other") }),
            ("other deployments", { for try await _ in agent.list(.deployments) {} }),
            (
                "packages to be changed",
                { try await agent.patch(.packages, name: "cozystack.cozystack-platform", merge: [:]) }
            ),
        ]
        await #expect {
            let account = "--as=system:serviceaccount:\(own):cozy-telemetry-agent"
            try await work.plane.kubectl("delete", "lease", AgentWork.lease, "-n", own, account)
        } throws: {
            "\($0)".contains("(Forbidden)")
        }
        for (what, call) in calls {
            do {
                try await call()
                Issue.record("\(what): allowed")
            } catch KubernetesError.forbidden {
                continue
            } catch {
                Issue.record("\(what): \(error)")
            }
        }
    }

    /// Whether a part works, or does not, within 10 s.
    private func works(_ part: AgentWork.Part, _ work: AgentWork, becoming expected: Bool) async throws -> Bool {
        let end = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < end {
            do {
                if try await part(work) == expected { return true }
            } catch KubernetesError.forbidden {
                if !expected { return true }
            }
            // Nothing tells when the server knows of a change of a role.
            try await Task.sleep(for: .milliseconds(10))
        }
        return false
    }

    /// Runs a body in a cluster that has everything which the agent reads.
    private func withWork(_ plane: ControlPlane, _ body: (AgentWork) async throws -> Void) async throws {
        try await ClusterFixture.makeV1(plane)
        try await plane.apply(Self.objects)
        try await plane.apply(try AgentRole.manifest())
        var configuration = try KubernetesConfiguration.load(
            from: .init(kubeconfig: plane.kubeconfig, environment: [:])
        )
        try await KubernetesClient.withClient(configuration: configuration) { admin in
            let token = try await plane.token(of: "cozy-telemetry-agent", in: AgentWork.namespace)
            configuration.token = .text(token)
            try await KubernetesClient.withClient(configuration: configuration) { agent in
                try await body(AgentWork(agent: agent, admin: admin, plane: plane))
            }
        }
    }

    private static let objects =
        (["cozystack-operator", "cozystack-controller"].map { name in
            """
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: \(name), namespace: cozy-system}
            spec:
              selector: {matchLabels: {app: \(name)}}
              template: {metadata: {labels: {app: \(name)}}, spec: {containers: [{name: one, image: one}]}}
            """
        }
        + ["platform", "engine"].map { name in
            "apiVersion: cozystack.io/v1alpha1\nkind: Package\nmetadata: {name: cozystack.cozystack-\(name)}\nspec: {}"
        }
        + ["apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cozystack, namespace: cozy-system}"])
        .joined(separator: "\n---\n")
}

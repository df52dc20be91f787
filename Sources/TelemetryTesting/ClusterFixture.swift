// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Objects such that a cluster reports what the fixtures of the same names hold.
package enum ClusterFixture {
    /// The lines of a fixture as a server of another version and with other identities reports them.
    package static func payload(_ name: String, kubernetesVersion: String) throws -> String {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Tests/Fixtures/\(name).prom")
        return withoutIdentities(try String(contentsOf: file, encoding: .utf8))
            .replacing("kubernetes_version=\"v1.31.4\"", with: "kubernetes_version=\"\(kubernetesVersion)\"")
    }

    /// A payload with the server's identities of workloads taken out.
    package static func withoutIdentities(_ payload: String) -> String {
        payload.replacing(/uid="[0-9a-f-]{36}"/, with: "uid=\"UID\"")
    }

    /// A cluster of v0.22.
    package static func makeV0(_ plane: ControlPlane) async throws {
        try await plane.install([.workloadMonitors])
        let monitors = [
            ("etcd", "etcd", "2.4.0", 3), ("ingress", "controller", "1.4.0", 2),
            ("kubernetes", "control-plane", "0.15.0", 2), ("kubernetes", "worker", "0.15.0", 10),
            ("postgres", "postgres", "0.8.0", 2),
        ]
        let configuration = """
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: cozystack, namespace: cozy-system}
            data: {oidc-enabled: "true", bundle-name: paas-full}
            """
        try await plane.apply(
            documents(
                ["cozy-system", "cozy-telemetry", "tenant-root", "tenant-test", "tenants"].map(namespace) + [
                    configuration
                ]
                    + nodes(capacity: Array(repeating: "{}", count: 3)) + [loadBalancer]
                    + volumes([("5Gi", 7), ("10Gi", 6), ("25Gi", 2)])
            )
        )
        // Made in the reverse order of the report, so that the order is the agent's own.
        try await plane.apply(documents(monitors.reversed().map { monitor($0.0, $0.1, $0.2, nil) }))
        try await plane.applyStatus(documents(monitors.map { monitor($0.0, $0.1, $0.2, $0.3) }))
    }

    /// A cluster of v1.0, which keeps a WorkloadMonitor.
    package static func makeV1(_ plane: ControlPlane) async throws {
        try await plane.install(CozystackDefinition.allCases)
        let capacity = ["270340003157", "270340003157", "270340003158"].map { memory in
            "{cpu: 55500m, memory: \"\(memory)\", nvidia.com/TU104GL_TESLA_T4: \"1\", pods: \"110\"}"
        }
        let kinds = [("Tenant", 2), ("Postgres", 5), ("Redis", 3), ("Kubernetes", 2), ("VirtualMachine", 0)]
        let releases = kinds.flatMap { kind, count in (0..<count).map { release(kind: kind, number: $0) } }
        let objects =
            ["cozy-system", "cozy-telemetry", "tenant-root"].map(namespace) + nodes(capacity: capacity) + [loadBalancer]
            + volumes([("5Gi", 7), ("10Gi", 6)])
            + [
                package("core", "{}"), package("storage", "{variant: linstor}"),
                package("monitoring", "{variant: \"\"}"),
            ]
            + kinds.map { definition(kind: $0.0) } + releases + [release(kind: nil, number: 0)]
            + [monitor("etcd", "etcd", "2.4.0", nil)]
        try await plane.apply(documents(objects))
    }

    private static func documents(_ objects: [String]) -> String { objects.joined(separator: "\n---\n") + "\n" }

    private static func namespace(_ name: String) -> String {
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: \(name)}"
    }

    private static func nodes(capacity: [String]) -> [String] {
        capacity.enumerated().map { number, capacity in
            """
            apiVersion: v1
            kind: Node
            metadata: {name: node-\(number)}
            status:
              capacity: \(capacity)
              nodeInfo:
                {operatingSystem: linux, osImage: Talos (v1.8.4), kernelVersion: 6.6.64-talos, architecture: amd64,
                bootID: b, containerRuntimeVersion: c, kubeProxyVersion: v1, kubeletVersion: v1, machineID: m, systemUUID: s}
            """
        }
    }

    private static let loadBalancer = """
        apiVersion: v1
        kind: Service
        metadata: {name: balancer, namespace: default}
        spec: {type: LoadBalancer, ports: [{port: 80}]}
        """

    private static func volumes(_ groups: [(size: String, count: Int)]) -> [String] {
        groups.flatMap { size, count in
            (0..<count).map { number in
                """
                apiVersion: v1
                kind: PersistentVolume
                metadata: {name: "volume-\(size.lowercased())-\(number)"}
                spec:
                  capacity: {storage: \(size)}
                  accessModes: [ReadWriteOnce]
                  csi: {driver: linstor.csi.linbit.com, volumeHandle: "\(size)-\(number)"}
                """
            }
        }
    }

    private static func monitor(_ kind: String, _ type: String, _ version: String, _ replicas: Int?) -> String {
        """
        apiVersion: cozystack.io/v1alpha1
        kind: WorkloadMonitor
        metadata: {name: \(kind)-\(type), namespace: tenant-root}
        \(replicas.map { "status: {observedReplicas: \($0)}" } ?? "spec: {kind: \(kind), type: \(type), version: \(version)}")
        """
    }

    private static func package(_ name: String, _ spec: String) -> String {
        "apiVersion: cozystack.io/v1alpha1\nkind: Package\nmetadata: {name: cozystack.\(name)}\nspec: \(spec)"
    }

    private static func definition(kind: String) -> String {
        """
        apiVersion: cozystack.io/v1alpha1
        kind: ApplicationDefinition
        metadata: {name: \(kind.lowercased())}
        spec: {application: {kind: \(kind)}}
        """
    }

    private static func release(kind: String?, number: Int) -> String {
        """
        apiVersion: helm.toolkit.fluxcd.io/v2
        kind: HelmRelease
        metadata:
          name: \(kind?.lowercased() ?? "other")-\(number)
          namespace: tenant-root
          labels: {\(kind.map { "apps.cozystack.io/application.kind: \($0)" } ?? "")}
        """
    }
}

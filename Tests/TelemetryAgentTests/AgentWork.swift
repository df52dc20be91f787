// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import TelemetryModel
import TelemetryTesting

@testable import Kubernetes
@testable import TelemetryAgent

/// What the agent does in a cluster, part by part, so that it can be seen which part needs what.
struct AgentWork {
    /// Reaches the cluster as the agent.
    let agent: KubernetesClient
    /// Reaches it as an administrator, to make things ready and to look.
    let admin: KubernetesClient
    /// Where both are.
    let plane: ControlPlane

    static let namespace = AgentSettings.defaultNamespace
    static let lease = "cozy-telemetry"
    static let status = StatusStore.name

    /// Whether a part of the work can be done.
    typealias Part = @Sendable (AgentWork) async throws -> Bool

    /// The parts, by the permission without which they cannot be done.
    static let parts: [String: Part] = [
        "list nodes": collecting(.nodes),
        "list services": collecting(.loadBalancers),
        "list persistentvolumes": collecting(.volumes),
        "list namespaces": collecting(.tenants),
        "list workloadmonitors.cozystack.io": collecting(.workloads),
        "list packages.cozystack.io": collecting(.packages),
        "list applicationdefinitions.cozystack.io": collecting(.applications),
        "list helmreleases.helm.toolkit.fluxcd.io": collecting(.applications),
        "get namespaces/kube-system": {
            _ = try await ClusterReader(client: $0.agent).clusterID(); return true
        },

        "get configmaps/cozystack": consent { $0.configMap.object != nil },
        "get packages.cozystack.io/cozystack.cozystack-platform": consent { $0.platformPackage.object != nil },
        "get packages.cozystack.io/cozystack.cozystack-engine": consent { $0.enginePackage.object != nil },
        "get deployments.apps/cozystack-operator": consent { $0.operatorDeployment.object != nil },
        "get deployments.apps/cozystack-controller": consent { $0.controllerDeployment.object != nil },
        "watch configmaps/cozystack": watching(.configMaps, "cozy-system", "cozystack"),
        "watch packages.cozystack.io/cozystack.cozystack-platform":
            watching(.packages, nil, "cozystack.cozystack-platform"),
        "watch packages.cozystack.io/cozystack.cozystack-engine":
            watching(.packages, nil, "cozystack.cozystack-engine"),
        "watch deployments.apps/cozystack-operator": watching(.deployments, "cozy-system", "cozystack-operator"),
        "watch deployments.apps/cozystack-controller": watching(.deployments, "cozy-system", "cozystack-controller"),

        "create leases.coordination.k8s.io": {
            try await $0.delete(.leases, lease)
            return try await $0.leads()
        },
        "patch leases.coordination.k8s.io/cozy-telemetry": {
            try await $0.prepare(.leases, freeLease)
            return try await $0.leads()
        },
        "get leases.coordination.k8s.io/cozy-telemetry": {
            try await $0.prepare(.leases, freeLease)
            return try await $0.leadsAndReleases()
        },
        "watch leases.coordination.k8s.io/cozy-telemetry": {
            try await $0.prepare(.leases, freeLease)
            return try await watching(.leases, namespace, lease)($0)
        },

        "create secrets": {
            try await $0.delete(.secrets, KeyStore.secretName)
            return try await $0.hasKey()
        },
        "get secrets/cozy-telemetry-identity": {
            try await $0.prepare(
                .secrets,
                Secret.manifest(name: KeyStore.secretName, data: [KeyStore.field: ClusterKey().seed])
            )
            return try await $0.hasKey()
        },

        "create configmaps": {
            try await $0.delete(.configMaps, status)
            try await $0.store.write(["a": "b"])
            return true
        },
        "get configmaps/cozy-telemetry-status": {
            try await $0.prepare(.configMaps, emptyStatus)
            return try await consent { $0.statusConfigMap.object != nil }($0)
        },
        "watch configmaps/cozy-telemetry-status": {
            try await $0.prepare(.configMaps, emptyStatus)
            return try await watching(.configMaps, namespace, status)($0)
        },
        "patch configmaps/cozy-telemetry-status": {
            try await $0.prepare(.configMaps, emptyStatus)
            try await $0.store.write(["a": "b"])
            return true
        },
        "create events": {
            try await $0.delete(.configMaps, status)
            _ = try await $0.board.give()
            return true
        },
    ]

    private static let emptyStatus: JSONValue = [
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": .string(status)],
    ]

    private static let freeLease = Lease.manifest(
        name: lease,
        Lease.Claim(of: "", at: Lease.time(.now), LeaseTimes())
    )

    /// Makes an object as the administrator, unless it is there.
    private func prepare<Object>(_ resource: Resource<Object>, _ manifest: JSONValue) async throws {
        do {
            try await admin.create(resource, namespace: Self.namespace, manifest)
        } catch KubernetesError.conflict {
            return
        }
    }

    /// Deletes an object as the administrator, where it is there.
    private func delete<Object>(_ resource: Resource<Object>, _ name: String) async throws {
        try await plane.kubectl("delete", resource.plural, name, "-n", Self.namespace, "--ignore-not-found")
    }

    /// A part of the reports of either generation.
    private static func collecting(_ part: ReportPart) -> Part {
        { work in
            for isV1 in [false, true] {
                let plan = ReportPlan(servesPackages: isV1, servesApplicationDefinitions: isV1)
                let collection = try await ClusterReader(client: work.agent).collect(plan)
                if collection.omissions[part] != nil { return false }
            }
            return true
        }
    }

    /// A place where the owner can say no.
    private static func consent(_ isReadable: @escaping @Sendable (PlatformObjects) -> Bool) -> Part {
        { isReadable(await ClusterReader(client: $0.agent).platformObjects(statusIn: namespace)) }
    }

    /// The changes of one object by its name.
    private static func watching<Object>(_ resource: Resource<Object>, _ namespace: String?, _ name: String) -> Part {
        { work in
            let selection = Selection(namespace: namespace, fields: "metadata.name=\(name)")
            var events = work.agent.watch(resource, selection).makeAsyncIterator()
            return try await events.next() != nil
        }
    }

    private var store: StatusStore { StatusStore(client: agent, namespace: Self.namespace) }

    private var board: NoticeBoard {
        let notice = Notice(endpoint: "https://reports.example", interval: .seconds(900), namespace: Self.namespace)
        return NoticeBoard(client: agent, status: store, notice: notice, period: .seconds(60), now: UTCInstant.now)
    }

    /// Whether the agent comes to lead.
    private func leads() async throws -> Bool {
        let election = LeaderElection(
            client: agent,
            namespace: Self.namespace,
            lease: Self.lease,
            candidate: "agent",
            logger: LogRecorder().logger
        )
        return try await withDeadline(.seconds(2)) { try await election.whileLeading {} } != nil
    }

    /// Whether the lease is nobody's after that.
    private func leadsAndReleases() async throws -> Bool {
        guard try await leads() else { return false }
        let isFree = try await admin.get(.leases, namespace: Self.namespace, name: Self.lease).claim.holder.isEmpty
        // Nobody has to wait for it in the next part.
        if !isFree { try await delete(.leases, Self.lease) }
        return isFree
    }

    private func hasKey() async throws -> Bool {
        let source = IdentitySource(mode: .key, client: agent, namespace: Self.namespace)
        guard case .key = try await source.identity() else { return false }
        return true
    }
}

// SPDX-License-Identifier: Apache-2.0

import Kubernetes
import TelemetryModel

/// A part of a report that is read from a resource of its own, and left out where that cannot be read.
enum ReportPart: String, CaseIterable, Sendable {
    case kubernetesVersion = "the version of Kubernetes"
    case nodes
    case loadBalancers = "load balancers"
    case tenants
    case volumes
    case workloads
    case packages
    case applications
}

/// Why a part is left out.
enum Omission: String, Sendable {
    case forbidden = "not allowed (403)"
    case missing = "does not exist (404)"
}

/// What was collected from a cluster.
struct CollectedFacts: Sendable {
    var facts = ClusterFacts()
    var omissions: [ReportPart: Omission] = [:]
}

/// Reads from a cluster what consent and reports are made of.
struct ClusterReader: Sendable {
    let client: KubernetesClient

    /// The objects where the owner can say no.
    ///
    /// What cannot be read is in the result, it is no error.
    func platformObjects() async -> PlatformObjects {
        let namespace = "cozy-system"
        async let configMap = read(.configMaps, namespace, "cozystack")
        async let platform = read(.packages, nil, "cozystack.cozystack-platform")
        async let engine = read(.packages, nil, "cozystack.cozystack-engine")
        async let `operator` = read(.deployments, namespace, "cozystack-operator")
        async let controller = read(.deployments, namespace, "cozystack-controller")
        return await PlatformObjects(
            configMap: configMap,
            platformPackage: platform,
            enginePackage: engine,
            operatorDeployment: `operator`,
            controllerDeployment: controller
        )
    }

    /// The cluster's identity: the UID of the namespace kube-system.
    func clusterID() async throws -> ClusterID {
        let namespace = try await client.get(.namespaces, name: "kube-system")
        guard let id = ClusterID(namespace.metadata.uid) else { throw AgentError.noClusterID }
        return id
    }

    /// Which parts this cluster reports.
    func plan() async throws -> ReportPlan {
        async let packages = client.serves(.packages)
        async let definitions = client.serves(.applicationDefinitions)
        return try await ReportPlan(servesPackages: packages, servesApplicationDefinitions: definitions)
    }

    /// Counts what a plan asks for, one resource after the other to be easy on the API server.
    func collect(_ plan: ReportPlan) async throws -> CollectedFacts {
        var collection = CollectedFacts()
        collection.facts.kubernetesVersion =
            try await part(.kubernetesVersion, &collection) { try await client.version() } ?? ""
        collection.facts.nodes = try await count(.nodes, .nodes, &collection)
        collection.facts.loadBalancers = try await count(.services, .loadBalancers, &collection)
        collection.facts.volumes = try await count(.persistentVolumes, .volumes, &collection)
        if plan.facts == .v1 {
            collection.facts.packages = try await count(.packages, .packages, &collection)
        }
        switch plan.applications {
        case .v0:
            collection.facts.tenants = try await count(.namespaces, .tenants, &collection)
            collection.facts.workloads = try await count(.workloadMonitors, .workloads, &collection)
        case .v1:
            collection.facts.applications = try await applications(&collection)
        }
        return collection
    }

    private func applications(_ collection: inout CollectedFacts) async throws -> ApplicationTally? {
        let kinds: KindTally? = try await count(.applicationDefinitions, .applications, &collection)
        guard let kinds else { return nil }
        let releases: ReleaseTally? = try await count(
            Resource<HelmRelease>.helmReleases.metadataOnly,
            .applications,
            &collection,
            selecting: Selection(labels: ReleaseTally.kindLabel)
        )
        return releases.map { ApplicationTally(defined: kinds, running: $0) }
    }

    /// Counts the objects of a resource page by page; nil where they may not be read or do not exist.
    private func count<Count: Tally>(
        _ resource: Resource<Count.Object>,
        _ part: ReportPart,
        _ collection: inout CollectedFacts,
        selecting selection: Selection = Selection()
    ) async throws -> Count? {
        try await self.part(part, &collection) {
            var tally = Count()
            for try await page in client.list(resource, selection) {
                for object in page.items { tally.add(object) }
            }
            return tally
        }
    }

    /// Reads a part; where it is not there to be read, it is noted as left out.
    private func part<Value>(
        _ part: ReportPart,
        _ collection: inout CollectedFacts,
        _ read: () async throws -> Value
    ) async throws -> Value? {
        do {
            return try await read()
        } catch KubernetesError.forbidden {
            collection.omissions[part] = .forbidden
        } catch KubernetesError.notFound {
            collection.omissions[part] = .missing
        }
        return nil
    }

    private func read<Object>(
        _ resource: Resource<Object>,
        _ namespace: String?,
        _ name: String
    ) async -> Reading<Object> {
        do {
            return .found(try await client.get(resource, namespace: namespace, name: name))
        } catch KubernetesError.notFound {
            return .missing
        } catch {
            return .unreadable(reason: Self.reason(of: error))
        }
    }

    /// Why something could not be read, without addresses.
    private static func reason(of error: any Error) -> String {
        switch error as? KubernetesError {
        case .forbidden: "not allowed (403)"
        case .unauthorized: "the credentials are not accepted (401)"
        case .deadlineExceeded: "no answer in time"
        case .unreachable: "the API server cannot be reached"
        case .tokenUnreadable: "the token cannot be read"
        case .status(let code, _, _): "the API server answered \(code)"
        case .tooManyRequests: "the API server is busy (429)"
        default: "the answer could not be used"
        }
    }
}

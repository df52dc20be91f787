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

/// What was collected from a cluster.
struct CollectedFacts: Sendable {
    var facts = ClusterFacts()
    var omissions: [ReportPart: Omission] = [:]
}

/// Reads from a cluster what consent and reports are made of.
struct ClusterReader: Sendable {
    let client: KubernetesClient

    /// The objects where the owner can say no, asked for at once.
    ///
    /// What cannot be read is in the result, it is no error.
    ///
    /// - Parameters:
    ///   - statusNamespace: The agent's namespace.
    ///   - limit: How long each may take; one that takes longer is unreadable.
    ///   - isEnough: Whether what was read so far is all that is wanted; the rest is not waited for then.
    /// - Returns: What was read of each.
    func platformObjects(
        statusIn statusNamespace: String,
        within limit: Duration = .seconds(30),
        until isEnough: (PlatformObjects) -> Bool = { _ in false }
    ) async -> PlatformObjects {
        typealias Arrival = @Sendable (inout PlatformObjects) -> Void
        let namespace = "cozy-system"
        let readings: [@Sendable () async -> Arrival] = [
            {
                let found = await read(.configMaps, statusNamespace, StatusStore.name, limit)
                return { $0.statusConfigMap = found }
            },
            {
                let found = await read(.configMaps, namespace, "cozystack", limit)
                return { $0.configMap = found }
            },
            {
                let found = await read(.packages, nil, "cozystack.cozystack-platform", limit)
                return { $0.platformPackage = found }
            },
            {
                let found = await read(.packages, nil, "cozystack.cozystack-engine", limit)
                return { $0.enginePackage = found }
            },
            {
                let found = await read(.deployments, namespace, "cozystack-operator", limit)
                return { $0.operatorDeployment = found }
            },
            {
                let found = await read(.deployments, namespace, "cozystack-controller", limit)
                return { $0.controllerDeployment = found }
            },
        ]
        return await withTaskGroup(of: Arrival.self) { group in
            for reading in readings { group.addTask(operation: reading) }
            var objects = PlatformObjects.unread
            for await arrival in group {
                arrival(&objects)
                if isEnough(objects) { break }
            }
            group.cancelAll()
            return objects
        }
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
        collection.facts.loadBalancers = try await loadBalancers(&collection)
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

    /// Load balancers, chosen by the server where it can, which is since 1.31.
    private func loadBalancers(_ collection: inout CollectedFacts) async throws -> LoadBalancerTally? {
        try await part(.loadBalancers, &collection) {
            do {
                return try await tally(.services, Selection(fields: "spec.type=LoadBalancer"))
            } catch KubernetesError.status(code: 400, _, _) {
                return try await tally(.services)
            }
        }
    }

    /// Counts the objects of a resource; nil where that fails.
    private func count<Count: Tally>(
        _ resource: Resource<Count.Object>,
        _ part: ReportPart,
        _ collection: inout CollectedFacts,
        selecting selection: Selection = Selection()
    ) async throws -> Count? {
        try await self.part(part, &collection) { try await tally(resource, selection) }
    }

    /// Counts the objects of a resource page by page; anew where the server forgot the list on the way.
    private func tally<Count: Tally>(
        _ resource: Resource<Count.Object>,
        _ selection: Selection = Selection(),
        attemptsLeft: Int = 2
    ) async throws -> Count {
        var tally = Count()
        do {
            for try await page in client.list(resource, selection) {
                for object in page.items { tally.add(object) }
            }
            return tally
        } catch KubernetesError.gone where attemptsLeft > 1 {
            return try await self.tally(resource, selection, attemptsLeft: attemptsLeft - 1)
        }
    }

    /// Reads a part; where that fails, it is noted as left out.
    ///
    /// - Throws: Where the cluster has nothing to say at all.
    private func part<Value>(
        _ part: ReportPart,
        _ collection: inout CollectedFacts,
        _ read: () async throws -> Value
    ) async throws -> Value? {
        do {
            return try await read()
        } catch let error as KubernetesError {
            collection.omissions[part] = Omission(error)
            // What fails for everything is no failure of a part.
            if case .forbidden = error {} else if case .notFound = error {} else { _ = try await clusterID() }
            return nil
        }
    }

    private func read<Object>(
        _ resource: Resource<Object>,
        _ namespace: String?,
        _ name: String,
        _ limit: Duration
    ) async -> Reading<Object> {
        do {
            let object = try await withDeadline(limit) {
                try await client.get(resource, namespace: namespace, name: name)
            }
            guard let object else { throw KubernetesError.deadlineExceeded(path: name) }
            return .found(object)
        } catch KubernetesError.notFound {
            return .missing
        } catch {
            return .unreadable(reason: Omission(error).rawValue)
        }
    }
}

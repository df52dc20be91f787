// SPDX-License-Identifier: Apache-2.0

import Kubernetes
import TelemetryModel

/// What was counted in a cluster.
///
/// A part that is nil was not asked for, may not be read, or does not exist.
struct ClusterFacts: Equatable, Sendable {
    /// `gitVersion` of the API server; empty where it is unknown.
    var kubernetesVersion = ""
    /// The version of Cozystack; empty where it is unknown.
    var cozystackVersion = ""
    /// The configuration of v0; nil in v1.
    var bundle: Bundle?
    var nodes: NodeTally?
    var loadBalancers: LoadBalancerTally?
    var tenants: TenantTally?
    var volumes: VolumeTally?
    var workloads: WorkloadTally?
    var packages: PackageTally?
    var applications: ApplicationTally?

    /// Which bundle is installed, and what was changed of it, as the ConfigMap says it.
    struct Bundle: Equatable, Sendable {
        var isOIDCEnabled = ""
        var name = ""
        var enabled = ""
        var disabled = ""

        /// Reads the keys of the ConfigMap; those that it does not have are empty.
        init(_ data: [String: String]) {
            isOIDCEnabled = data["oidc-enabled"] ?? ""
            name = data["bundle-name"] ?? ""
            enabled = data["bundle-enable"] ?? ""
            disabled = data["bundle-disable"] ?? ""
        }
    }
}

/// A count that grows object by object, so that no more than a page of them is ever held.
protocol Tally: Equatable, Sendable {
    associatedtype Object: KubernetesObject

    init()

    /// Counts one more.
    mutating func add(_ object: Object)
}

/// Nodes by system and kernel, and what they have together.
struct NodeTally: Tally {
    /// Nodes that look the same.
    struct Group: Hashable {
        let system: String
        let kernel: String
    }

    private(set) var groups: [Group: Int64] = [:]
    /// Whole cores, bytes and devices by resource.
    private(set) var capacity: [String: Int64] = [:]

    mutating func add(_ node: Node) {
        let system = "\(node.operatingSystem) (\(node.osImage))"
        groups[Group(system: system, kernel: node.kernelVersion), default: 0] += 1
        for (resource, amount) in node.capacity where Self.isReported(resource) {
            let units = Quantity(amount)?.roundedUp ?? 0
            let (sum, overflow) = capacity[resource, default: 0].addingReportingOverflow(max(units, 0))
            capacity[resource] = overflow ? .max : sum
        }
    }

    private static func isReported(_ resource: String) -> Bool {
        resource == "cpu" || resource == "memory" || resource.hasPrefix("nvidia.com/")
    }
}

/// Services of type LoadBalancer.
struct LoadBalancerTally: Tally {
    private(set) var count: Int64 = 0

    mutating func add(_ service: Service) {
        if service.type == "LoadBalancer" { count += 1 }
    }
}

/// Namespaces of tenants.
struct TenantTally: Tally {
    private(set) var count: Int64 = 0

    mutating func add(_ namespace: ObjectMetadata) {
        if namespace.metadata.name.hasPrefix("tenant-") { count += 1 }
    }
}

/// Volumes by driver and size group.
struct VolumeTally: Tally {
    /// Volumes that look the same.
    struct Group: Hashable {
        let driver: String
        let size: SizeGroup
    }

    private(set) var groups: [Group: Int64] = [:]

    mutating func add(_ volume: PersistentVolume) {
        let driver =
            switch volume.source {
            case .csi(let driver): driver
            case .hostPath: "hostpath"
            case .nfs: "nfs"
            case .other: "unknown"
            }
        guard let capacity = Quantity(volume.storage ?? "0") else { return }
        groups[Group(driver: driver, size: SizeGroup(capacity: capacity)), default: 0] += 1
    }
}

/// Each monitored workload with its replicas.
struct WorkloadTally: Tally {
    /// What is reported of a workload, so that nothing else of it is kept.
    struct Workload: Equatable {
        let uid: String
        let kind: String
        let type: String
        let version: String
        let replicas: Int64
    }

    private(set) var workloads: [Workload] = []

    mutating func add(_ monitor: WorkloadMonitor) {
        workloads.append(
            Workload(
                uid: monitor.metadata.uid,
                kind: monitor.kind,
                type: monitor.type,
                version: monitor.version,
                replicas: monitor.observedReplicas
            )
        )
    }
}

/// Installed packages with their variants.
struct PackageTally: Tally {
    private(set) var variants: [String: String] = [:]

    mutating func add(_ package: Package) {
        variants[package.metadata.name] = package.variant ?? "default"
    }
}

/// Applications by kind.
struct ApplicationTally: Equatable, Sendable {
    /// Every kind that there is, with 0 where none runs.
    private(set) var counts: [String: Int64]

    /// Joins the kinds that are defined with what runs; nothing is known where no kind is defined.
    init(defined: KindTally, running: ReleaseTally) {
        let zeros = Dictionary(uniqueKeysWithValues: defined.kinds.map { ($0, Int64(0)) })
        counts = zeros.isEmpty ? [:] : zeros.merging(running.counts) { $0 + $1 }
    }
}

/// The kinds of applications that are defined.
struct KindTally: Tally {
    private(set) var kinds: Set<String> = []

    mutating func add(_ definition: ApplicationDefinition) {
        if let kind = definition.kind { kinds.insert(kind) }
    }
}

/// Releases of applications by kind.
struct ReleaseTally: Tally {
    /// The label that says of which kind a release is.
    static let kindLabel = "apps.cozystack.io/application.kind"

    private(set) var counts: [String: Int64] = [:]

    mutating func add(_ release: ObjectMetadata) {
        guard let kind = release.metadata.labels[Self.kindLabel], !kind.isEmpty else { return }
        counts[kind, default: 0] += 1
    }
}

// SPDX-License-Identifier: Apache-2.0

import TelemetryModel

/// A cluster that grows, shrinks, gets new kernels and versions, and moves from v0 to v1 one day.
struct SimulatedCluster {
    /// One monitored workload of v0.
    private struct Workload {
        let uid: String
        let kind: String
        let type: String
        let version: String
        var replicas: Int64
    }

    let id: ClusterID
    private var isV1: Bool
    private var cozystackVersion: Int
    private var kubernetesVersion: Int
    private let bundle: String
    private let oidc: Bool
    /// Nodes by position in `Catalogue.systems`.
    private var nodes: [Int: Int64]
    private var loadBalancers: Int64
    private var tenants: Int64
    private var volumes: [SizeGroup: Int64]
    private var workloads: [Workload] = []
    private var applications: [String: Int64] = [:]
    /// Where a device plugin runs; 0 where it finds none.
    private let gpus: Int64?
    private var packages: Set<Int>

    init?(using random: inout SeededGenerator) {
        guard let id = ClusterID(random.uuid()) else { return nil }
        self.id = id
        isV1 = random.happens(0.5)
        cozystackVersion = isV1 ? Catalogue.firstV1 : Int.random(in: 0..<Catalogue.firstV1, using: &random)
        kubernetesVersion = Int.random(in: Catalogue.kubernetes.indices, using: &random)
        bundle = Catalogue.bundles.randomElement(using: &random) ?? ""
        oidc = random.happens(0.4)
        nodes = [Int.random(in: Catalogue.systems.indices, using: &random): Int64.random(in: 1...12, using: &random)]
        loadBalancers = Int64.random(in: 0...5, using: &random)
        tenants = Int64.random(in: 0...8, using: &random)
        volumes = [:]
        gpus = random.happens(0.1) ? Int64.random(in: 0...8, using: &random) : nil
        packages = [0]
        for _ in 0..<Int.random(in: 0...20, using: &random) { addVolume(using: &random) }
        for _ in 0..<Int.random(in: 0...12, using: &random) { addApplication(using: &random) }
    }

    /// Lets one thing change.
    mutating func change(using random: inout SeededGenerator) {
        switch Int.random(in: 0..<10, using: &random) {
        case 0: nodes[newestSystem, default: 0] += 1
        case 1: removeNode()
        case 2: renewKernel(using: &random)
        case 3: upgrade()
        case 4: kubernetesVersion = min(kubernetesVersion + 1, Catalogue.kubernetes.count - 1)
        case 5: loadBalancers = max(0, loadBalancers + Int64.random(in: -1...1, using: &random))
        case 6: tenants = max(0, tenants + Int64.random(in: -1...2, using: &random))
        case 7: addVolume(using: &random)
        case 8: addApplication(using: &random)
        default: removeApplication(using: &random)
        }
    }

    /// What the cluster's clients report now: one report of v0, two of v1.
    var reports: [Report] { isV1 ? [operatorReport, controllerReport] : [v0Report] }

    private var newestSystem: Int { nodes.keys.max() ?? 0 }

    private mutating func removeNode() {
        guard nodes.values.reduce(0, +) > 1, let system = nodes.keys.min(), let count = nodes[system] else { return }
        nodes[system] = count == 1 ? nil : count - 1
    }

    /// Some nodes, or all, start again with the next system and kernel.
    private mutating func renewKernel(using random: inout SeededGenerator) {
        guard let oldest = nodes.keys.min(), let count = nodes[oldest], oldest + 1 < Catalogue.systems.count else {
            return
        }
        let moved = Int64.random(in: 1...count, using: &random)
        nodes[oldest] = moved == count ? nil : count - moved
        nodes[oldest + 1, default: 0] += moved
    }

    private mutating func upgrade() {
        guard cozystackVersion + 1 < Catalogue.cozystack.count else { return }
        cozystackVersion += 1
        isV1 = cozystackVersion >= Catalogue.firstV1
    }

    private mutating func addVolume(using random: inout SeededGenerator) {
        volumes[SizeGroup.allCases.randomElement(using: &random) ?? .upTo5Gi, default: 0] += 1
    }

    private mutating func addApplication(using random: inout SeededGenerator) {
        guard let kind = Catalogue.applications.randomElement(using: &random) else { return }
        applications[kind, default: 0] += 1
        workloads.append(
            Workload(
                uid: random.uuid(),
                kind: kind.lowercased(),
                type: Bool.random(using: &random) ? kind.lowercased() : "worker",
                version: "0.\(Int.random(in: 1...9, using: &random)).0",
                replicas: Int64.random(in: 1...5, using: &random)
            )
        )
        packages.insert(Int.random(in: Catalogue.packages.indices, using: &random))
    }

    private mutating func removeApplication(using random: inout SeededGenerator) {
        if let kind = applications.keys.sorted().randomElement(using: &random), let count = applications[kind] {
            applications[kind] = max(0, count - 1)
        }
        if let index = workloads.indices.randomElement(using: &random) { workloads.remove(at: index) }
    }
}

// MARK: - Reports

extension SimulatedCluster {
    private var versions: [String] { [Catalogue.cozystack[cozystackVersion], Catalogue.kubernetes[kubernetesVersion]] }

    private var v0Report: Report {
        let info = versions + [oidc ? "true" : "false", bundle, "", ""]
        let workloads = workloads.map {
            Report.Sample(Series(.workloadsCount, [$0.uid, $0.kind, $0.type, $0.version]), $0.replicas)
        }
        let tenants = Report.Sample(Series(.tenantsCount), tenants)
        return Report([Report.Sample(Series(.clusterInfo, info), 1), tenants] + commonSamples + workloads)
    }

    private var operatorReport: Report {
        let count = nodes.values.reduce(0, +)
        var samples = [Report.Sample(Series(.clusterInfo, versions), 1)] + commonSamples
        samples.append(.init(Series(.clusterCapacity, ["cpu"]), count * 16))
        samples.append(.init(Series(.clusterCapacity, ["memory"]), count * 68_719_476_736))
        if let gpus { samples.append(.init(Series(.clusterCapacity, ["nvidia.com/TU104GL_TESLA_T4"]), gpus)) }
        for package in packages { samples.append(.init(Series(.packageInfo, Catalogue.packages[package]), 1)) }
        return Report(samples)
    }

    private var controllerReport: Report {
        var counts = applications
        counts["Tenant"] = tenants
        for kind in Catalogue.applications { counts[kind, default: 0] += 0 }
        return Report(counts.map { Report.Sample(Series(.applicationCount, [$0.key]), $0.value) })
    }

    /// Nodes, load balancers and volumes, which both generations send.
    private var commonSamples: [Report.Sample] {
        let systems = nodes.map { system, count in
            Report.Sample(Series(.nodesCount, Catalogue.systems[system]), count)
        }
        let sizes = volumes.map { size, count in
            Report.Sample(Series(.volumesCount, ["linstor.csi.linbit.com", size.rawValue]), count)
        }
        return systems + sizes + [Report.Sample(Series(.loadBalancersCount), loadBalancers)]
    }
}

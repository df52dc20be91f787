// SPDX-License-Identifier: Apache-2.0

/// Something that is counted: per report a value, per cluster and window the highest of them (its *peak*), per window
/// the sum of the clusters' peaks.
public enum Figure: Hashable, Sendable {
    /// 1 for every report, so that the sum of the peaks is the number of clusters.
    case clusters
    /// Nodes, all groups of operating system and kernel added up.
    case nodes
    /// Tenants, of whichever metric the generation sends.
    case tenants
    /// Services of type LoadBalancer.
    case loadBalancers
    /// PersistentVolumes of all drivers and sizes.
    case volumes
    /// The capacity of a resource in base units, of those reports that have any of it.
    case capacity(resource: String)
    /// Applications of a kind as it was sent; of v0, the distinct workloads of the kind.
    case application(kind: String)
    /// Applications of a kind of the public vocabulary by its canonical name, all aliases of one report added up.
    case canonicalApplication(name: String)
    /// 1 where a kind that is not in the public vocabulary runs, so that the sum of the peaks is the number of clusters
    /// that have it: what decides whether the kind is published.
    case clustersWithApplication(kind: String)
}

extension Report {
    /// The value of each figure that this report says something of.
    public var figures: [Figure: Int64] {
        var figures: [Figure: Int64] = [.clusters: 1]
        var workloads: [String: Set<String>] = [:]
        let hasApplicationCounts = samples.contains { $0.series.metric == .applicationCount }
        for sample in samples {
            switch sample.series.metric {
            case .clusterInfo, .packageInfo: break
            case .nodesCount: figures[.nodes, default: 0] += sample.value
            case .loadBalancersCount: figures[.loadBalancers, default: 0] += sample.value
            case .volumesCount: figures[.volumes, default: 0] += sample.value
            case .tenantsCount: figures[.tenants] = max(figures[.tenants] ?? 0, sample.value)
            case .clusterCapacity where sample.value == 0: break
            case .clusterCapacity:
                figures[.capacity(resource: sample.series[0] ?? DataDictionary.other), default: 0] += sample.value
            case .workloadsCount:
                let kind = sample.series[WorkloadLabel.kind] ?? DataDictionary.other
                workloads[kind, default: []].insert(sample.series[WorkloadLabel.uid] ?? "")
            case .applicationCount:
                let kind = sample.series[0] ?? DataDictionary.other
                figures[.application(kind: kind), default: 0] += sample.value
                if kind == "Tenant" { figures[.tenants] = max(figures[.tenants] ?? 0, sample.value) }
            }
        }
        if !hasApplicationCounts {
            for (kind, uids) in workloads { figures[.application(kind: kind)] = Int64(uids.count) }
        }
        for case (.application(let kind), let value) in figures {
            if let name = ApplicationName.canonical(of: kind) {
                figures[.canonicalApplication(name: name), default: 0] += value
            } else {
                figures[.clustersWithApplication(kind: kind)] = min(value, 1)
            }
        }
        return figures
    }

    /// Applications by canonical name, what has no canonical name by the name it was sent under.
    ///
    /// Aliases within one report are added up here, before any peak is taken.
    public var canonicalApplications: [String: Int64] {
        var counts: [String: Int64] = [:]
        for case (.application(let kind), let value) in figures {
            counts[ApplicationName.canonical(of: kind) ?? kind, default: 0] += value
        }
        return counts
    }
}

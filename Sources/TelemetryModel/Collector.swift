// SPDX-License-Identifier: Apache-2.0

/// Which of a cluster's clients sent a report.
///
/// Each sends a part of what is known, or all of it.
///
/// The raw values are stored.
public enum Collector: UInt8, CaseIterable, Hashable, Sendable {
    /// v0.22 to v0.41, and clusters between the generations: one report with everything.
    case v0 = 0
    /// v1.0 and later: facts of the cluster, its nodes, volumes and packages.
    case v1Operator = 1
    /// v1.0 and later: counts of applications.
    case v1Controller = 2

    /// Whether this collector's last report is the one that tells what a cluster has of a metric: it sends the metric, or
    /// it is the one that sends everything and the report has samples of it.
    public func speaks(of metric: Metric, in metrics: some Sequence<Metric>) -> Bool {
        metric.definition.collectors.contains(self) || self == .v0 && metrics.contains(metric)
    }
}

extension Report {
    /// The collector that sent this, told from its content as `docs/figures.md` defines it.
    ///
    /// v0 where tenants, workloads or bundle labels are present, the v1 controller where there is nothing but
    /// application counts, else the v1 operator.
    public var collector: Collector {
        let isV0 = samples.contains { sample in
            switch sample.series.metric {
            case .tenantsCount, .workloadsCount: true
            case .clusterInfo: ClusterInfoLabel.bundle.contains { sample.series[$0] != nil }
            default: false
            }
        }
        if isV0 { return .v0 }
        return samples.allSatisfy { $0.series.metric == .applicationCount } ? .v1Controller : .v1Operator
    }
}

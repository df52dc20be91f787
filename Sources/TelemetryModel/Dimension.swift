// SPDX-License-Identifier: Apache-2.0

/// How many clusters have a value of a dimension.
public struct Breakdown: Hashable, Sendable {
    /// Distinct clusters that reported the value in the window.
    public var clusters = 0
    /// Clusters whose last report of the window, from the collector that sends the metric, has it.
    public var clustersAtEnd = 0

    /// Counts of a value.
    public init(clusters: Int = 0, clustersAtEnd: Int = 0) {
        self.clusters = clusters
        self.clustersAtEnd = clustersAtEnd
    }
}

/// Something that the fleet can be broken down by.
public enum Dimension: String, CaseIterable, Hashable, Sendable {
    case cozystackVersion = "cozystack_version"
    case kubernetesVersion = "kubernetes_version"
    case oidc
    case bundle
    case bundleEnabled = "bundle_enabled"
    case bundleDisabled = "bundle_disabled"
    case operatingSystem = "os"
    case kernel
    case driver
    case sizeGroup = "size"
    case package
    case packageVariant = "package_variant"
    case application
    case workloadKind = "workload_kind"
    case workloadType = "workload_type"
    case workloadVersion = "workload_version"

    /// The metric that says it.
    public var metric: Metric {
        switch self {
        case .cozystackVersion, .kubernetesVersion, .oidc, .bundle, .bundleEnabled, .bundleDisabled: .clusterInfo
        case .operatingSystem, .kernel: .nodesCount
        case .driver, .sizeGroup: .volumesCount
        case .package, .packageVariant: .packageInfo
        case .application: .applicationCount
        case .workloadKind, .workloadType, .workloadVersion: .workloadsCount
        }
    }

    /// The values that a report has; an empty label is no value, and neither is a sample of 0.
    public func values(in report: Report) -> [String] {
        report.samples.filter { $0.value > 0 }.flatMap { values(of: $0.series) }
    }

    /// The values that a series stands for where its value is above 0; none of a series of another metric.
    public func values(of series: Series) -> [String] {
        series.metric == metric ? labels(of: series).filter { !$0.isEmpty } : []
    }

    /// The last report of those that say something of this dimension, out of reports in order of acceptance.
    ///
    /// Of each collector only the last report counts, and a v0 report is retired by a later one of v1.
    package func lastReport(among reports: [Report]) -> Report? {
        var last: [Collector: Int] = [:]
        for (position, report) in reports.enumerated() { last[report.collector] = position }
        let lastOfV1 = max(last[.v1Operator] ?? -1, last[.v1Controller] ?? -1)
        return
            last
            .filter { $0.key != .v0 || $0.value > lastOfV1 }
            .filter { collector, position in
                collector.speaks(of: metric, in: reports[position].samples.lazy.map(\.series.metric))
            }
            .map(\.value).max().map { reports[$0] }
    }

    private func labels(of series: Series) -> [String] {
        switch self {
        case .cozystackVersion: [series[ClusterInfoLabel.cozystackVersion] ?? ""]
        case .kubernetesVersion: [series[ClusterInfoLabel.kubernetesVersion] ?? ""]
        case .oidc: [series[ClusterInfoLabel.oidcEnabled] ?? ""]
        case .bundle: [series[ClusterInfoLabel.bundleName] ?? ""]
        case .bundleEnabled: Self.elements(of: series[ClusterInfoLabel.bundleEnable])
        case .bundleDisabled: Self.elements(of: series[ClusterInfoLabel.bundleDisable])
        case .operatingSystem, .driver, .package, .application: [series[0] ?? ""]
        case .kernel, .sizeGroup: [series[1] ?? ""]
        case .packageVariant: ["\(series[0] ?? "")/\(series[1] ?? "")"]
        case .workloadKind: [series[WorkloadLabel.kind] ?? ""]
        case .workloadType: [series[WorkloadLabel.type] ?? ""]
        case .workloadVersion: [series[WorkloadLabel.version] ?? ""]
        }
    }

    /// The elements of a comma-separated list, blanks around them left out.
    private static func elements(of list: String?) -> [String] {
        (list ?? "").split(separator: ",").map {
            String($0.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import TelemetryModel

/// A cluster that sends the typical report of v0.22: the same series as all others, with identifiers and counts of its own.
struct TypicalCluster {
    let id: ClusterID
    private var samples: [Report.Sample]

    init?(using random: inout SeededGenerator) {
        guard let id = ClusterID(random.uuid()) else { return nil }
        self.id = id
        let workloads = [
            ("etcd", "etcd", "2.4.0"), ("ingress", "controller", "1.4.0"), ("kubernetes", "control-plane", "0.15.0"),
            ("kubernetes", "worker", "0.15.0"), ("postgres", "postgres", "0.8.0"),
        ]
        var series = [
            Series(.nodesCount, ["linux (Talos (v1.8.4))", "6.6.64-talos"]), Series(.loadBalancersCount),
            Series(.tenantsCount),
        ]
        for size in ["5Gi", "10Gi", "25Gi"] { series.append(Series(.volumesCount, ["linstor.csi.linbit.com", size])) }
        for (kind, type, version) in workloads {
            series.append(Series(.workloadsCount, [random.uuid(), kind, type, version]))
        }
        let info = Series(.clusterInfo, ["v0.22.0", "v1.31.4", "true", "paas-full", "", ""])
        samples = series.map { Report.Sample($0, Int64.random(in: 1...9, using: &random)) } + [.init(info, 1)]
    }

    /// What it sends.
    var report: Report { Report(samples) }

    /// Lets one count change.
    mutating func change(using random: inout SeededGenerator) {
        let position = Int.random(in: 0..<samples.count - 1, using: &random)
        let sample = samples[position]
        samples[position] = Report.Sample(sample.series, sample.value + 1)
    }
}

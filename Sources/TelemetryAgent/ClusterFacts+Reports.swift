// SPDX-License-Identifier: Apache-2.0

import Kubernetes
import TelemetryModel

extension ClusterFacts {
    /// The reports that a cluster sends by its plan, those without a sample left out.
    ///
    /// - Throws: `ReportError` where the facts contradict themselves.
    func reports(_ plan: ReportPlan) throws(ReportError) -> [Report] {
        var facts = ReportBuilder()
        var applications = ReportBuilder()
        addClusterFacts(to: &facts)
        if plan.isSplit {
            addApplications(to: &applications)
        } else {
            addApplications(to: &facts)
        }
        let reports = [try facts.report(), try applications.report()]
        return reports.filter { !$0.samples.isEmpty }
    }

    private func addClusterFacts(to report: inout ReportBuilder) {
        var labels = [cozystackVersion, kubernetesVersion]
        if let bundle { labels += [bundle.isOIDCEnabled, bundle.name, bundle.enabled, bundle.disabled] }
        report.add(.clusterInfo, labels, value: 1)
        for (group, count) in nodes?.groups ?? [:] {
            report.addCapped(.nodesCount, [group.system, group.kernel], count)
        }
        // Capacity is what v1 reports; v0 has no such metric.
        if bundle == nil {
            for (resource, amount) in nodes?.capacity ?? [:] { report.addCapped(.clusterCapacity, [resource], amount) }
        }
        if let loadBalancers { report.addCapped(.loadBalancersCount, [], loadBalancers.count) }
        for (group, count) in volumes?.groups ?? [:] {
            report.addCapped(.volumesCount, [group.driver, group.size.rawValue], count)
        }
        for (name, variant) in packages?.variants ?? [:] { report.add(.packageInfo, [name, variant], value: 1) }
    }

    private func addApplications(to report: inout ReportBuilder) {
        if let tenants { report.addCapped(.tenantsCount, [], tenants.count) }
        for workload in workloads?.workloads ?? [] {
            let labels = [workload.uid, workload.kind, workload.type, workload.version]
            report.addCapped(.workloadsCount, labels, workload.replicas)
        }
        for (kind, count) in applications?.counts ?? [:] { report.addCapped(.applicationCount, [kind], count) }
    }
}

extension ReportBuilder {
    /// Adds a sample with the nearest value that its metric allows.
    fileprivate mutating func addCapped(_ metric: Metric, _ labels: [String], _ value: Int64) {
        add(metric, labels, value: min(max(value, 0), metric.definition.largestValue))
    }
}

// SPDX-License-Identifier: Apache-2.0

import TelemetryModel
import Testing

@Suite("The data dictionary")
struct DataDictionaryTests {
    /// What the deployed clients send, in the order of the wire.
    private static let wire: [(metric: Metric, name: String, labels: [String], collectors: Set<Collector>)] = [
        (
            .clusterInfo, "cozy_cluster_info",
            [
                "cozystack_version", "kubernetes_version", "oidc_enabled", "bundle_name", "bunde_enable",
                "bunde_disable",
            ],
            [.v0, .v1Operator]
        ),
        (.nodesCount, "cozy_nodes_count", ["os", "kernel"], [.v0, .v1Operator]),
        (.clusterCapacity, "cozy_cluster_capacity", ["resource"], [.v1Operator]),
        (.loadBalancersCount, "cozy_loadbalancers_count", [], [.v0, .v1Operator]),
        (.tenantsCount, "cozy_tenants_count", [], [.v0]),
        (.volumesCount, "cozy_pvs_count", ["driver", "size"], [.v0, .v1Operator]),
        (.workloadsCount, "cozy_workloads_count", ["uid", "kind", "type", "version"], [.v0]),
        (.packageInfo, "cozy_package_info", ["name", "variant"], [.v1Operator]),
        (.applicationCount, "cozy_application_count", ["kind"], [.v1Controller]),
    ]

    @Test("every metric and label of the wire is there, in the order of the wire, and nothing else is")
    func contents() {
        #expect(DataDictionary.metrics.map(\.name) == Self.wire.map(\.name))
        for (definition, expected) in zip(DataDictionary.metrics, Self.wire) {
            #expect(definition.metric == expected.metric)
            #expect(definition.labels.map(\.name) == expected.labels, "\(expected.name)")
            #expect(Set(definition.collectors) == expected.collectors, "\(expected.name)")
        }
    }

    @Test("a metric stands at the position of its stored value", arguments: Metric.allCases)
    func positions(metric: Metric) {
        #expect(DataDictionary.metrics[Int(metric.rawValue)].metric == metric)
        #expect(metric.definition.metric == metric)
        #expect(DataDictionary.metric(named: metric.definition.name) == metric)
    }

    @Test("the numbers that are stored stay what they are")
    func storedNumbers() {
        #expect(Metric.allCases.map(\.rawValue) == Array(0...8))
        #expect(Collector.allCases.map(\.rawValue) == [0, 1, 2])
    }

    @Test("positions of labels by name are those of the dictionary")
    func labelPositions() {
        let info = Metric.clusterInfo.definition
        #expect(info.label(named: "cozystack_version") == ClusterInfoLabel.cozystackVersion)
        #expect(info.label(named: "kubernetes_version") == ClusterInfoLabel.kubernetesVersion)
        #expect(info.label(named: "oidc_enabled") == ClusterInfoLabel.oidcEnabled)
        #expect(info.label(named: "bundle_name") == ClusterInfoLabel.bundleName)
        #expect(info.label(named: "bunde_enable") == ClusterInfoLabel.bundleEnable)
        #expect(info.label(named: "bunde_disable") == ClusterInfoLabel.bundleDisable)
        let workloads = Metric.workloadsCount.definition
        #expect(workloads.label(named: "uid") == WorkloadLabel.uid)
        #expect(workloads.label(named: "kind") == WorkloadLabel.kind)
        #expect(workloads.label(named: "type") == WorkloadLabel.type)
        #expect(workloads.label(named: "version") == WorkloadLabel.version)
        #expect(workloads.label(named: "bundle_name") == nil)
    }

    @Test("every example has the form of its label, and every entry says what it means", arguments: Metric.allCases)
    func examples(metric: Metric) {
        let definition = metric.definition
        #expect(definition.meaning.hasSuffix("."))
        #expect(!definition.unit.isEmpty)
        for label in definition.labels {
            #expect(label.form.accepts(label.example), "\(label.name)")
            #expect(label.meaning.hasSuffix("."), "\(label.name)")
        }
    }

    @Test("since says with which generation a metric and its labels came", arguments: Metric.allCases)
    func since(metric: Metric) {
        let definition = metric.definition
        let generation = definition.collectors.contains(.v0) ? "v0.22" : "v1.0"
        #expect(definition.since == generation)
        #expect(definition.labels.allSatisfy { $0.since == generation })
    }

    @Test("only the UID of a workload is an identifier")
    func identifiers() {
        let identifiers = DataDictionary.metrics.flatMap(\.labels).filter(\.isIdentifier).map(\.name)
        #expect(identifiers == ["uid"])
    }

    @Test(
        "names that are nearly in the dictionary are not",
        arguments: ["", "cozy_nodes_count ", "COZY_NODES_COUNT", "cozy_nodes", "cozy_nodes_count\u{301}", "up"]
    )
    func unknownNames(name: String) {
        #expect(DataDictionary.metric(named: name) == nil)
    }
}

// SPDX-License-Identifier: Apache-2.0

/// The only list of what is sent, taken, stored and counted: every metric and every label there is.
public enum DataDictionary {
    /// The value that takes the place of one that does not have its label's form.
    public static let other = "other"

    /// The metric of a name on the wire, or nil where there is none.
    public static func metric(named name: some StringProtocol) -> Metric? {
        metrics.first { $0.name == name }?.metric
    }

    /// All metrics, in the order of a report.
    public static let metrics: [MetricDefinition] = [
        MetricDefinition(
            metric: .clusterInfo,
            name: "cozy_cluster_info",
            meaning: "The versions and the configuration of the cluster.",
            kind: .info,
            unit: "always 1",
            labels: [
                label("cozystack_version", "The installed version of Cozystack.", .version, "v0.22.0"),
                label(
                    "kubernetes_version",
                    "The version that the API server gives as gitVersion.",
                    .version,
                    "v1.31.4"
                ),
                label("oidc_enabled", "Whether OIDC is switched on; until v0.41.", .boolean, "true"),
                label("bundle_name", "The bundle that is installed; until v0.41.", .name, "paas-full"),
                label(
                    "bunde_enable",
                    "Components switched on beside the bundle; until v0.41.",
                    .nameList,
                    "nfs-driver"
                ),
                label("bunde_disable", "Components of the bundle switched off; until v0.41.", .nameList, "dashboard"),
            ],
            collectors: [.v0, .v1Operator],
            since: "v0.22"
        ),
        MetricDefinition(
            metric: .nodesCount,
            name: "cozy_nodes_count",
            meaning: "Nodes, counted by operating system and kernel.",
            kind: .count,
            unit: "nodes",
            labels: [
                label("os", "The operating system and its image.", .operatingSystem, "linux (Talos (v1.8.4))"),
                label("kernel", "The version of the kernel.", .version, "6.6.64-talos"),
            ],
            collectors: [.v0, .v1Operator],
            since: "v0.22"
        ),
        MetricDefinition(
            metric: .clusterCapacity,
            name: "cozy_cluster_capacity",
            meaning: "What the nodes have together; CPU is rounded up to whole cores per node.",
            kind: .capacity,
            unit: "cores, bytes or devices",
            labels: [label("resource", "The resource.", .resource, "cpu", since: "v1.0")],
            collectors: [.v1Operator],
            since: "v1.0"
        ),
        MetricDefinition(
            metric: .loadBalancersCount,
            name: "cozy_loadbalancers_count",
            meaning: "Services of type LoadBalancer.",
            kind: .count,
            unit: "services",
            labels: [],
            collectors: [.v0, .v1Operator],
            since: "v0.22"
        ),
        MetricDefinition(
            metric: .tenantsCount,
            name: "cozy_tenants_count",
            meaning: "Namespaces of tenants.",
            kind: .count,
            unit: "tenants",
            labels: [],
            collectors: [.v0],
            since: "v0.22"
        ),
        MetricDefinition(
            metric: .volumesCount,
            name: "cozy_pvs_count",
            meaning: "PersistentVolumes, counted by driver and size group.",
            kind: .count,
            unit: "volumes",
            labels: [
                label("driver", "The CSI driver, or hostpath, nfs or unknown.", .dottedName, "linstor.csi.linbit.com"),
                label("size", "The size group that the capacity falls in.", .sizeGroup, "5Gi"),
            ],
            collectors: [.v0, .v1Operator],
            since: "v0.22"
        ),
        MetricDefinition(
            metric: .workloadsCount,
            name: "cozy_workloads_count",
            meaning: "Observed replicas of each monitored workload; until v0.41.",
            kind: .count,
            unit: "replicas",
            labels: [
                label("uid", "The UID of the WorkloadMonitor.", .identifier, "6099a6ff-87bd-463b-9deb-6b8dcdc7c47b"),
                label("kind", "The kind of application.", .name, "postgres"),
                label("type", "The part of the application.", .name, "postgres"),
                label("version", "The version of the application's package.", .version, "0.8.0"),
            ],
            collectors: [.v0],
            since: "v0.22"
        ),
        MetricDefinition(
            metric: .packageInfo,
            name: "cozy_package_info",
            meaning: "An installed package and its variant.",
            kind: .info,
            unit: "always 1",
            labels: [
                label("name", "The package.", .dottedName, "cozystack.core", since: "v1.0"),
                label("variant", "Its variant.", .dottedName, "default", since: "v1.0"),
            ],
            collectors: [.v1Operator],
            since: "v1.0"
        ),
        MetricDefinition(
            metric: .applicationCount,
            name: "cozy_application_count",
            meaning: "Running applications, counted by kind; 0 where none runs.",
            kind: .count,
            unit: "applications",
            labels: [label("kind", "The kind of application.", .name, "Postgres", since: "v1.0")],
            collectors: [.v1Controller],
            since: "v1.0"
        ),
    ]

    private static func label(
        _ name: String,
        _ meaning: String,
        _ form: LabelForm,
        _ example: String,
        since: String = "v0.22"
    ) -> LabelDefinition {
        LabelDefinition(name: name, meaning: meaning, form: form, example: example, since: since)
    }
}

/// Positions of the labels of `cozy_cluster_info`.
public enum ClusterInfoLabel {
    /// The position of `cozystack_version`.
    public static let cozystackVersion = 0
    /// The position of `kubernetes_version`.
    public static let kubernetesVersion = 1
    /// The position of `oidc_enabled`.
    public static let oidcEnabled = 2
    /// The position of `bundle_name`.
    public static let bundleName = 3
    /// The position of `bunde_enable`, spelled so on the wire.
    public static let bundleEnable = 4
    /// The position of `bunde_disable`, spelled so on the wire.
    public static let bundleDisable = 5

    /// The labels that only v0 sends.
    public static let bundle = oidcEnabled...bundleDisable
}

/// Positions of the labels of `cozy_workloads_count`.
public enum WorkloadLabel {
    /// The position of `uid`.
    public static let uid = 0
    /// The position of `kind`.
    public static let kind = 1
    /// The position of `type`.
    public static let type = 2
    /// The position of `version`.
    public static let version = 3
}

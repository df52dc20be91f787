// SPDX-License-Identifier: Apache-2.0

import TelemetryModel
import Testing

@testable import Kubernetes
@testable import TelemetryAgent

@Suite("From what is counted to reports")
struct ReportsTests {
    @Test(
        "the parts are chosen by what the API server has",
        arguments: [
            (false, false, ReportPlan.Generation.v0, ReportPlan.Generation.v0, false), (true, true, .v1, .v1, true),
            (true, false, .v1, .v0, false), (false, true, .v0, .v1, false),
        ]
    )
    func plans(
        packages: Bool,
        definitions: Bool,
        facts: ReportPlan.Generation,
        applications: ReportPlan.Generation,
        isSplit: Bool
    ) {
        let plan = ReportPlan(servesPackages: packages, servesApplicationDefinitions: definitions)
        #expect(plan.facts == facts && plan.applications == applications && plan.isSplit == isSplit)
    }

    @Test("a cluster between the generations sends one report with each part once, as v0")
    func between() throws {
        let packagesOnly = ReportPlan(servesPackages: true, servesApplicationDefinitions: false)
        var facts = ClusterFacts()
        facts.tenants = tally([ObjectMetadata(metadata: meta("tenant-a"))])
        facts.packages = tally([Package(metadata: meta("cozystack.core"), variant: nil, components: nil)])
        let first = try facts.reports(packagesOnly)
        #expect(
            lines(first) == [
                [
                    #"cozy_cluster_info{cozystack_version="",kubernetes_version=""} 1"#, "cozy_tenants_count 1",
                    #"cozy_package_info{name="cozystack.core",variant="default"} 1"#,
                ]
            ]
        )
        #expect(first.map(\.collector) == [.v0])
        let definitionsOnly = ReportPlan(servesPackages: false, servesApplicationDefinitions: true)
        facts = ClusterFacts()
        facts.bundle = .init(["bundle-name": "paas-full"])
        facts.applications = ApplicationTally(defined: tally([definition("Redis")]), running: tally([]))
        let second = try facts.reports(definitionsOnly)
        #expect(
            lines(second) == [
                [
                    "cozy_cluster_info{cozystack_version=\"\",kubernetes_version=\"\",oidc_enabled=\"\","
                        + "bundle_name=\"paas-full\",bunde_enable=\"\",bunde_disable=\"\"} 1",
                    #"cozy_application_count{kind="Redis"} 0"#,
                ]
            ]
        )
        #expect(second.map(\.collector) == [.v0])
    }

    @Test("the controller's report is not sent where no kind is known")
    func noKinds() throws {
        var facts = ClusterFacts()
        facts.applications = ApplicationTally(defined: tally([]), running: tally([release("Redis")]))
        let reports = try facts.reports(ReportPlan(servesPackages: true, servesApplicationDefinitions: true))
        #expect(reports.map(\.collector) == [.v1Operator])
    }

    @Test("nodes are counted by system and kernel; CPU is rounded up for each node")
    func nodes() {
        let nodes: NodeTally = tally([
            node("Talos (v1.8.4)", "6.6", ["cpu": "3500m", "memory": "1Ki", "pods": "110", "nvidia.com/T4": "1"]),
            node("Talos (v1.8.4)", "6.6", ["cpu": "1", "memory": "24", "nvidia.com/T4": "2"]),
            node("Talos (v1.8.4)", "6.7", ["cpu": "junk"]), node("Ubuntu 24.04 LTS", "6.6", [:]),
        ])
        #expect(
            nodes.groups == [
                .init(system: "linux (Talos (v1.8.4))", kernel: "6.6"): 2,
                .init(system: "linux (Talos (v1.8.4))", kernel: "6.7"): 1,
                .init(system: "linux (Ubuntu 24.04 LTS)", kernel: "6.6"): 1,
            ]
        )
        #expect(nodes.capacity == ["cpu": 5, "memory": 1_048, "nvidia.com/T4": 3])
    }

    @Test(
        "volumes are grouped by what is behind them and by size",
        arguments: [
            (PersistentVolume.Source.csi(driver: "linstor.csi.linbit.com"), "5Gi", "linstor.csi.linbit.com", "5Gi"),
            (.hostPath, "6Gi", "hostpath", "10Gi"), (.nfs, "1e12", "nfs", "1Ti"), (.other, "1", "unknown", "1Gi"),
            (.other, nil, "unknown", "1Gi"),
        ] as [(PersistentVolume.Source, String?, String, String)]
    )
    func volumes(source: PersistentVolume.Source, storage: String?, driver: String, size: String) {
        let tally: VolumeTally = tally([PersistentVolume(metadata: meta("v"), source: source, storage: storage)])
        #expect(tally.groups.map { [$0.key.driver, $0.key.size.rawValue] } == [[driver, size]])
    }

    @Test("only namespaces of tenants, only load balancers and only labelled releases count")
    func filters() {
        let tenants: TenantTally = tally(
            ["tenant-a", "tenant-root", "tenants", "kube-system"].map { ObjectMetadata(metadata: meta($0)) }
        )
        #expect(tenants.count == 2)
        let services = ["LoadBalancer", "ClusterIP", "NodePort"].map { Service(metadata: meta("s"), type: $0) }
        let balancers: LoadBalancerTally = tally(services)
        #expect(balancers.count == 1)
        let releases: ReleaseTally = tally([release("Redis"), release(nil), release("Redis"), release("")])
        #expect(releases.counts == ["Redis": 2])
    }

    @Test("values that the dictionary does not allow never leave: labels become other, numbers the nearest that is")
    func dictionary() throws {
        var facts = ClusterFacts()
        facts.kubernetesVersion = "https://admin:secret@10.0.0.1"
        facts.workloads = tally([
            WorkloadMonitor(metadata: meta("w", uid: "u"), kind: "k", type: "t t", version: "1", observedReplicas: -3)
        ])
        facts.nodes = tally([node("x", "10.0.0.1", ["nvidia.com/a b": "1", "memory": "1e30"])])
        let plan = ReportPlan(servesPackages: true, servesApplicationDefinitions: false)
        let reports = lines(try facts.reports(plan))
        #expect(
            reports == [
                [
                    #"cozy_cluster_info{cozystack_version="",kubernetes_version="other"} 1"#,
                    #"cozy_nodes_count{os="linux (x)",kernel="other"} 1"#,
                    #"cozy_cluster_capacity{resource="memory"} 1.152921504606847e+18"#,
                    #"cozy_cluster_capacity{resource="other"} 1"#,
                    #"cozy_workloads_count{uid="u",kind="k",type="other",version="1"} 0"#,
                ]
            ]
        )
    }

    @Test(
        "intervals are read as the deployed clients read them",
        arguments: [
            ("15m", 900.0), ("1h30m", 5_400), ("1.5h", 5_400), ("500ms", 0.5), ("90s", 90), ("+1m", 60), ("15", nil),
            ("", nil), ("0s", nil), ("-1m", nil), ("m", nil), ("1d", nil), ("1m junk", nil), ("1..5s", nil),
        ] as [(String, Double?)]
    )
    func intervals(text: String, seconds: Double?) {
        #expect(AgentSettings.interval(text) == seconds.map { .seconds($0) })
    }

    @Test("an endpoint has to be an address that can be posted to", arguments: ["", "host", "ftp://h", "http://a:b@h"])
    func endpoints(endpoint: String) {
        #expect(throws: AgentError.invalidEndpoint) { try AgentSettings(endpoint: endpoint, environment: [:]) }
    }

    @Test("the version of Cozystack is that of the ConfigMap, else what the deployed collectors were started with")
    func cozystackVersion() {
        var objects = PlatformObjects()
        #expect(objects.cozystackVersion == nil)
        let container = Deployment.Container(name: "c", command: [], args: ["--cozystack-version=v0.30.0"])
        objects.controllerDeployment = .found(Deployment(metadata: meta("d"), containers: [container]))
        #expect(objects.cozystackVersion == "v0.30.0")
        objects.configMap = .found(ConfigMap(metadata: meta("c"), data: ["cozystack-version": "v0.31.0"]))
        #expect(objects.cozystackVersion == "v0.31.0")
    }

    private func tally<Count: Tally>(_ objects: [Count.Object]) -> Count {
        var count = Count()
        for object in objects { count.add(object) }
        return count
    }

    private func lines(_ reports: [Report]) -> [[String]] {
        reports.map { String(decoding: $0.text, as: UTF8.self).split(separator: "\n").map(String.init) }
    }

    private func node(_ image: String, _ kernel: String, _ capacity: [String: String]) -> Node {
        Node(metadata: meta("n"), operatingSystem: "linux", osImage: image, kernelVersion: kernel, capacity: capacity)
    }

    private func definition(_ kind: String) -> ApplicationDefinition {
        ApplicationDefinition(metadata: meta("d"), kind: kind)
    }

    private func release(_ kind: String?) -> ObjectMetadata {
        let labels = kind.map { [ReleaseTally.kindLabel: $0] } ?? [:]
        return ObjectMetadata(metadata: meta("r", labels: labels))
    }
}

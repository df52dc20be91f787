// SPDX-License-Identifier: Apache-2.0

import TelemetryModel
import Testing

@Suite("Which collector sent a report")
struct CollectorTests {
    @Test(
        "it is told from the content",
        arguments: [
            ("cozy_tenants_count 0", .v0),
            ("cozy_workloads_count{uid=\"a\",kind=\"etcd\"} 0", .v0),
            ("cozy_cluster_info{cozystack_version=\"v0.22.0\",oidc_enabled=\"\"} 1", .v0),
            ("cozy_cluster_info{bundle_name=\"paas-full\"} 1", .v0),
            ("cozy_cluster_info{bunde_enable=\"\"} 1", .v0),
            ("cozy_cluster_info{bunde_disable=\"\"} 1", .v0),
            ("cozy_application_count{kind=\"Redis\"} 1\ncozy_tenants_count 1", .v0),
            ("cozy_package_info{name=\"a\",variant=\"b\"} 1\ncozy_tenants_count 1", .v0),
            ("cozy_application_count{kind=\"Redis\"} 0", .v1Controller),
            ("cozy_application_count{kind=\"Redis\"} 1\ncozy_application_count{kind=\"NATS\"} 1", .v1Controller),
            ("cozy_application_count{kind=\"Redis\"} 1\nup 1", .v1Controller),
            ("cozy_application_count{kind=\"Redis\"} 1\ncozy_loadbalancers_count 0", .v1Operator),
            ("cozy_cluster_info{cozystack_version=\"v1.0.0\",kubernetes_version=\"v1.31.4\"} 1", .v1Operator),
            ("cozy_nodes_count{os=\"linux\",kernel=\"1\"} 1", .v1Operator),
            ("cozy_pvs_count{driver=\"nfs\",size=\"5Gi\"} 1", .v1Operator),
            ("cozy_package_info{name=\"a\",variant=\"b\"} 1", .v1Operator),
            ("cozy_cluster_capacity{resource=\"cpu\"} 1", .v1Operator),
        ] as [(String, Collector)]
    )
    func classification(body: String, collector: Collector) throws {
        #expect(try report(body).collector == collector)
    }
}

@Suite("Figures of one report")
struct FigureTests {
    @Test("nodes, volumes and capacities are added up over their groups")
    func sums() throws {
        let body = """
            cozy_nodes_count{os="linux (A)",kernel="1"} 2
            cozy_nodes_count{os="linux (A)",kernel="2"} 1
            cozy_nodes_count{os="linux (B)",kernel="1"} 4
            cozy_pvs_count{driver="nfs",size="1Gi"} 8
            cozy_pvs_count{driver="nfs",size="5Gi"} 16
            cozy_cluster_capacity{resource="cpu"} 32
            cozy_cluster_capacity{resource="amd.com/gpu"} 1
            cozy_cluster_capacity{resource="intel.com/gpu"} 2
            """
        let expected: [Figure: Int64] = [
            .clusters: 1, .nodes: 7, .volumes: 24, .capacity(resource: "cpu"): 32, .capacity(resource: "other"): 3,
        ]
        #expect(try report(body).figures == expected)
    }

    @Test("what a report says nothing of has no figure, what it says to be 0 has 0, but for capacities")
    func absence() throws {
        #expect(try report("cozy_loadbalancers_count 0").figures == [.clusters: 1, .loadBalancers: 0])
        #expect(try report("cozy_cluster_capacity{resource=\"nvidia.com/gpu\"} 0").figures == [.clusters: 1])
    }

    @Test("workloads are counted by distinct UID within their kind, whatever their replicas")
    func workloads() throws {
        let body = """
            cozy_workloads_count{uid="1",kind="kubernetes",type="control-plane",version="1"} 2
            cozy_workloads_count{uid="1",kind="kubernetes",type="worker",version="1"} 3
            cozy_workloads_count{uid="2",kind="kubernetes",type="worker",version="1"} 0
            cozy_workloads_count{uid="1",kind="inhouse",type="a",version="1"} 9
            cozy_workloads_count{uid="3",kind="inhouse",type="a",version="1"} 9
            """
        let expected: [Figure: Int64] = [
            .clusters: 1, .application(kind: "kubernetes"): 2, .application(kind: "inhouse"): 2,
            .clustersWithApplication(kind: "inhouse"): 1, .canonicalApplication(name: "Kubernetes"): 2,
        ]
        #expect(try report(body).figures == expected)
    }

    @Test("application counts stand alone where both generations' metrics are in one report")
    func bothGenerations() throws {
        let body = """
            cozy_tenants_count 3
            cozy_workloads_count{uid="1",kind="redis",type="a",version="1"} 1
            cozy_application_count{kind="Redis"} 4
            cozy_application_count{kind="Tenant"} 5
            """
        let expected: [Figure: Int64] = [
            .clusters: 1, .tenants: 5, .application(kind: "Redis"): 4, .application(kind: "Tenant"): 5,
            .canonicalApplication(name: "Redis"): 4, .canonicalApplication(name: "Tenant"): 5,
        ]
        #expect(try report(body).figures == expected)
    }

    @Test("a kind outside the vocabulary counts its cluster where it runs")
    func unlistedKinds() throws {
        let body = """
            cozy_application_count{kind="InHouse"} 7
            cozy_application_count{kind="Gone"} 0
            cozy_application_count{kind="Redis"} 1
            """
        let expected: [Figure: Int64] = [
            .clusters: 1, .application(kind: "InHouse"): 7, .application(kind: "Gone"): 0,
            .application(kind: "Redis"): 1, .canonicalApplication(name: "Redis"): 1,
            .clustersWithApplication(kind: "InHouse"): 1, .clustersWithApplication(kind: "Gone"): 0,
        ]
        #expect(try report(body).figures == expected)
    }

    @Test("aliases are added up within a report under the canonical name")
    func aliases() throws {
        let body = """
            cozy_application_count{kind="Postgres"} 1
            cozy_application_count{kind="postgresql"} 2
            cozy_application_count{kind="PAX-Postgres"} 4
            cozy_application_count{kind="InHouse"} 8
            cozy_application_count{kind="Redis"} 0
            """
        #expect(try report(body).canonicalApplications == ["Postgres": 7, "InHouse": 8, "Redis": 0])
        #expect(try report(body).figures.canonicalApplications == ["Postgres": 7, "InHouse": 8, "Redis": 0])
    }
}

@Suite("Names of applications")
struct ApplicationNameTests {
    /// Every name in lower case, without `-` and `_`, with its canonical name.
    static let names: [(String, String)] = [
        ("postgres", "Postgres"), ("postgresql", "Postgres"), ("paxpostgres", "Postgres"), ("redis", "Redis"),
        ("paxredis", "Redis"), ("clickhouse", "ClickHouse"), ("paxclickhouse", "ClickHouse"),
        ("vminstance", "VMInstance"), ("paxvminstance", "VMInstance"), ("vpc", "VirtualPrivateCloud"),
        ("virtualprivatecloud", "VirtualPrivateCloud"), ("foundationdb", "FoundationDB"), ("harbor", "Harbor"),
        ("kafka", "Kafka"), ("mariadb", "MariaDB"), ("mongodb", "MongoDB"), ("nats", "NATS"), ("openbao", "OpenBAO"),
        ("opensearch", "OpenSearch"), ("qdrant", "Qdrant"), ("rabbitmq", "RabbitMQ"), ("clearml", "ClearML"),
        ("etcd", "Etcd"), ("ingress", "Ingress"), ("monitoring", "Monitoring"), ("bucket", "Bucket"),
        ("seaweedfs", "SeaweedFS"), ("nfs", "NFS"), ("httpcache", "HTTPCache"), ("tcpbalancer", "TCPBalancer"),
        ("vpn", "VPN"), ("vmdisk", "VMDisk"), ("kubernetes", "Kubernetes"), ("tenant", "Tenant"),
        ("virtualmachine", "VirtualMachine"), ("info", "Info"),
    ]

    @Test("every name leads to its canonical name, in any case and with any dashes", arguments: names)
    func canonical(name: String, canonical: String) {
        let dashed = name.map { "\($0)" }.joined(separator: "-")
        for spelling in [name, name.uppercased(), canonical, "_\(name)-", dashed] {
            #expect(ApplicationName.canonical(of: spelling) == canonical, "\(spelling)")
        }
    }

    @Test("the vocabulary is the canonical names, each once")
    func vocabulary() {
        #expect(ApplicationName.vocabulary.sorted() == Set(Self.names.map(\.1)).sorted())
    }

    @Test(
        "other names have no canonical name",
        arguments: ["", "-", "other", "post gres", "postgres1", "paxkafka", "pax"]
    )
    func unlisted(name: String) {
        #expect(ApplicationName.canonical(of: name) == nil)
    }
}

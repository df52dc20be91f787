// SPDX-License-Identifier: Apache-2.0

import FleetSimulator
import TelemetryModel
import Testing

@Suite("Breakdowns")
struct BreakdownTests {
    private static let window = Window(.month, endingWith: CalendarMonth(year: 2026, month: 3))

    /// Counts of bodies that one cluster sent in March, in their order, as `value: [in the window, at its end]`.
    private func counts(_ dimension: Dimension, _ bodies: [String]) throws -> [String: [Int]] {
        let reports = try bodies.map { try accepted(1, UTCInstant(2026, 3, 10), $0) }
        return ReferenceFigures(reports).breakdown(by: dimension, in: Self.window)
            .mapValues { [$0.clusters, $0.clustersAtEnd] }
    }

    private static let everything = """
        cozy_cluster_info{cozystack_version="v0.41.0",kubernetes_version="v1.31.4",oidc_enabled="true",\
        bundle_name="paas-full",bunde_enable="nfs-driver, gpu,,",bunde_disable=""} 1
        cozy_nodes_count{os="linux (A)",kernel="6.6"} 1
        cozy_nodes_count{os="linux (B)",kernel="6.6"} 1
        cozy_nodes_count{os="linux (C)",kernel="6.7"} 0
        cozy_pvs_count{driver="nfs",size="5Gi"} 1
        cozy_package_info{name="a",variant="default"} 1
        cozy_package_info{name="a",variant="slim"} 1
        cozy_workloads_count{uid="1",kind="redis",type="replica",version="1.0"} 1
        cozy_workloads_count{uid="2",kind="gone",type="gone",version="9"} 0
        cozy_application_count{kind="Redis"} 2
        cozy_application_count{kind="Kafka"} 0
        """

    @Test(
        "each dimension has the values of its label, without empty ones and samples of 0",
        arguments: [
            (.cozystackVersion, ["v0.41.0"]), (.kubernetesVersion, ["v1.31.4"]), (.oidc, ["true"]),
            (.bundle, ["paas-full"]), (.bundleEnabled, ["nfs-driver", "gpu"]), (.bundleDisabled, []),
            (.operatingSystem, ["linux (A)", "linux (B)"]), (.kernel, ["6.6"]), (.driver, ["nfs"]),
            (.sizeGroup, ["5Gi"]), (.package, ["a"]), (.packageVariant, ["a/default", "a/slim"]),
            (.application, ["Redis"]), (.workloadKind, ["redis"]), (.workloadType, ["replica"]),
            (.workloadVersion, ["1.0"]),
        ] as [(Dimension, Set<String>)]
    )
    func dimensions(dimension: Dimension, values: Set<String>) throws {
        #expect(Set(dimension.values(in: try report(Self.everything))) == values)
        #expect(
            try counts(dimension, [Self.everything]) == Dictionary(uniqueKeysWithValues: values.map { ($0, [1, 1]) })
        )
    }

    @Test("the table above has every dimension")
    func allDimensions() {
        #expect(Dimension.allCases.count == 16)
    }

    @Test("a value counts a cluster once in the window, and at its end where the last report has it")
    func everAndAtEnd() throws {
        let (old, new) = ("cozy_nodes_count{kernel=\"1\"} 3", "cozy_nodes_count{kernel=\"2\"} 3")
        #expect(try counts(.kernel, [old, old, new, new]) == ["1": [1, 0], "2": [1, 1]])
        #expect(try counts(.kernel, [old, new, old]) == ["1": [1, 1], "2": [1, 0]])
    }

    @Test("reports of the other v1 collector say nothing, in whatever order the two came")
    func twoCollectors() throws {
        let facts = "cozy_nodes_count{kernel=\"1\"} 3"
        let applications = "cozy_application_count{kind=\"Redis\"} 3"
        for order in [[facts, applications], [applications, facts], [facts, applications, facts, applications]] {
            #expect(try counts(.kernel, order) == ["1": [1, 1]])
            #expect(try counts(.application, order) == ["Redis": [1, 1]])
        }
    }

    @Test("a part that the last report of its collector leaves out is gone at the end")
    func partLeftOut() throws {
        let facts = "cozy_nodes_count{kernel=\"1\"} 3\ncozy_package_info{name=\"a\",variant=\"b\"} 1"
        #expect(try counts(.package, [facts, "cozy_nodes_count{kernel=\"1\"} 3"]) == ["a": [1, 0]])
        #expect(try counts(.kernel, [facts, "cozy_nodes_count{kernel=\"1\"} 3"]) == ["1": [1, 1]])
    }

    @Test("a later report of v1 retires the cluster's report of v0, an earlier one does not")
    func retirement() throws {
        let v0 = """
            cozy_cluster_info{cozystack_version="v0.41.0",bundle_name="paas-full"} 1
            cozy_workloads_count{uid="1",kind="redis"} 1
            """
        let facts = "cozy_cluster_info{cozystack_version=\"v1.0.0\"} 1"
        let applications = "cozy_application_count{kind=\"Redis\"} 3"
        for later in [[facts, applications], [applications, facts]] {
            let history = [v0] + later
            #expect(try counts(.bundle, history) == ["paas-full": [1, 0]])
            #expect(try counts(.workloadKind, history) == ["redis": [1, 0]])
            #expect(try counts(.cozystackVersion, history) == ["v0.41.0": [1, 0], "v1.0.0": [1, 1]])
            #expect(try counts(.application, history) == ["Redis": [1, 1]])
        }
        #expect(try counts(.bundle, [v0, applications]) == ["paas-full": [1, 0]])
        #expect(try counts(.cozystackVersion, [v0, applications]) == ["v0.41.0": [1, 0]])
        #expect(try counts(.bundle, [facts, applications, v0]) == ["paas-full": [1, 1]])
        let downgraded = ["v0.41.0": [1, 1], "v1.0.0": [1, 0]]
        #expect(try counts(.cozystackVersion, [facts, applications, v0]) == downgraded)
    }

    @Test("random orders of v1 reports do not matter as long as each collector's own order stays", arguments: 1...10)
    func interleaving(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let v0 = "cozy_tenants_count 1\ncozy_nodes_count{kernel=\"0\"} 3"
        let facts = (1...3).map { "cozy_nodes_count{kernel=\"\($0)\"} 3" }
        let applications = ["Redis", "Kafka", "NATS"].map { "cozy_application_count{kind=\"\($0)\"} 1" }
        var (nextFacts, nextApplications) = (facts[...], applications[...])
        var order = [v0]
        while !nextFacts.isEmpty || !nextApplications.isEmpty {
            let takesFacts = nextApplications.isEmpty || (!nextFacts.isEmpty && Bool.random(using: &random))
            if let next = takesFacts ? nextFacts.popFirst() : nextApplications.popFirst() { order.append(next) }
        }
        let kernels = ["0": [1, 0], "1": [1, 0], "2": [1, 0], "3": [1, 1]]
        #expect(try counts(.kernel, order) == kernels, "seed \(seed)")
        #expect(
            try counts(.application, order) == ["Redis": [1, 0], "Kafka": [1, 0], "NATS": [1, 1]],
            "seed \(seed)"
        )
    }

    @Test("reports before and after the window do not count, and clusters add up")
    func windowsAndClusters() throws {
        let (old, new) = ("cozy_nodes_count{kernel=\"1\"} 3", "cozy_nodes_count{kernel=\"2\"} 3")
        let figures = ReferenceFigures([
            try accepted(1, UTCInstant(2026, 2, 28), new), try accepted(1, UTCInstant(2026, 3, 1, hour: 0), old),
            try accepted(1, UTCInstant(2026, 4, 1, hour: 0), new), try accepted(2, UTCInstant(2026, 3, 5), old),
            try accepted(3, UTCInstant(2026, 3, 5), new), try accepted(4, UTCInstant(2026, 4, 5), old),
        ])
        let expected = [
            "1": Breakdown(clusters: 2, clustersAtEnd: 2), "2": Breakdown(clusters: 1, clustersAtEnd: 1),
        ]
        #expect(figures.breakdown(by: .kernel, in: Self.window) == expected)
    }

    @Test("last is by acceptance, though the clock went back")
    func clockWentBack() throws {
        let figures = ReferenceFigures([
            try accepted(1, UTCInstant(2026, 3, 9), "cozy_nodes_count{kernel=\"1\"} 3"),
            try accepted(1, UTCInstant(2026, 3, 8), "cozy_nodes_count{kernel=\"2\"} 3"),
        ])
        #expect(figures.breakdown(by: .kernel, in: Self.window)["2"]?.clustersAtEnd == 1)
        #expect(figures.breakdown(by: .kernel, in: Self.window)["1"]?.clustersAtEnd == 0)
    }
}

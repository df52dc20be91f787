// SPDX-License-Identifier: Apache-2.0

import FleetSimulator
import TelemetryModel
import Testing

@Suite("Reports in canonical order")
struct ReportTests {
    @Test("the order of lines changes neither the report nor its digest", arguments: 1...10)
    func shuffledLines(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for fixture in Fixture.allCases {
            let original = try ReportDecoder(pseudonymizer: nil).decode(fixture.bytes).report
            let lines = sortedLines(try fixture.bytes).shuffled(using: &random)
            let shuffled = try report(lines.joined(separator: "\n"))
            #expect(shuffled == original, "seed \(seed), \(fixture)")
            #expect(shuffled.text == original.text, "seed \(seed), \(fixture)")
            #expect(shuffled.digest == original.digest, "seed \(seed), \(fixture)")
        }
    }

    @Test("the order of labels, blanks and timestamps change nothing either")
    func spelling() throws {
        let plain = try report("cozy_nodes_count{os=\"linux\",kernel=\"6.6\"} 3\n")
        #expect(try report("cozy_nodes_count { kernel = \"6.6\" , os=\"linux\", } 3.0e0 1700000000000\r\n") == plain)
    }

    @Test("another value, series or label is another digest")
    func digests() throws {
        let bodies = [
            "cozy_loadbalancers_count 1", "cozy_loadbalancers_count 2", "cozy_tenants_count 1",
            "cozy_nodes_count{os=\"linux\"} 1", "cozy_nodes_count{kernel=\"1\"} 1", "cozy_nodes_count 1",
        ]
        #expect(Set(try bodies.map { try report($0).digest }).count == bodies.count)
        #expect(try report(bodies[0]).digest.count == 32)
    }

    @Test("the digest is SHA-256 of the canonical text")
    func digestVector() throws {
        // printf 'cozy_loadbalancers_count 1\n' | sha256sum
        let digest = try report("cozy_loadbalancers_count 1").digest
        #expect(digest.prefix(4) == [0x8e, 0x39, 0xb6, 0x93])
    }

    @Test("metrics are ordered as the wire has them, volumes by size, workloads by kind, type, version and uid")
    func order() throws {
        let ordered = """
            cozy_cluster_info{cozystack_version="v0.22.0"} 1
            cozy_nodes_count{os="linux (A)",kernel="2"} 1
            cozy_nodes_count{os="linux (B)",kernel="1"} 1
            cozy_cluster_capacity{resource="cpu"} 1
            cozy_loadbalancers_count 1
            cozy_tenants_count 1
            cozy_pvs_count{driver="a",size="5Gi"} 1
            cozy_pvs_count{driver="a",size="10Gi"} 1
            cozy_pvs_count{driver="a",size="1Ti"} 1
            cozy_pvs_count{driver="b",size="1Gi"} 1
            cozy_workloads_count{uid="9",kind="etcd",type="a",version="2"} 1
            cozy_workloads_count{uid="3",kind="etcd",type="b",version="1"} 1
            cozy_workloads_count{uid="2",kind="etcd",type="b",version="2"} 1
            cozy_workloads_count{uid="4",kind="etcd",type="b",version="2"} 1
            cozy_workloads_count{uid="1",kind="redis",type="a",version="1"} 1
            cozy_package_info{name="a",variant="b"} 1
            cozy_package_info{name="b",variant="a"} 1
            cozy_application_count{kind="Kafka"} 1
            cozy_application_count{kind="etcd"} 1

            """
        for seed in 1...5 as ClosedRange<UInt64> {
            var random = SeededGenerator(seed: seed)
            let body = ordered.split(separator: "\n").shuffled(using: &random).joined(separator: "\n")
            #expect(String(decoding: try report(body).text, as: UTF8.self) == ordered, "seed \(seed)")
        }
    }

    @Test("a label that was not sent stands before any value and is not written")
    func missingLabel() throws {
        let body = "cozy_nodes_count{os=\"a\",kernel=\"\"} 1\ncozy_nodes_count{os=\"a\"} 2\n"
        let text = String(decoding: try report(body).text, as: UTF8.self)
        #expect(text == "cozy_nodes_count{os=\"a\"} 2\ncozy_nodes_count{os=\"a\",kernel=\"\"} 1\n")
    }

    @Test("samples of one series are added up, up to the largest value; info stays 1")
    func addition() {
        let info = Series(.packageInfo, ["a", "b"])
        let report = Report([
            .init(Series(.tenantsCount), 2), .init(info, 1), .init(Series(.tenantsCount), 3), .init(info, 1),
            .init(Series(.loadBalancersCount), 9_999_999), .init(Series(.loadBalancersCount), 2),
        ])
        let expected: [Report.Sample] = [
            .init(Series(.loadBalancersCount), 10_000_000), .init(Series(.tenantsCount), 5), .init(info, 1),
        ]
        #expect(report.samples == expected)
    }

    @Test("a builder without a pseudonymizer makes the report that a cluster sends")
    func builder() throws {
        var builder = ReportBuilder()
        builder.add(.workloadsCount, ["a-b", "etcd", "etcd", "1.0"], value: 2)
        builder.add(.tenantsCount, value: 4)
        builder.add(.nodesCount, ["/dev/sda", "1"], value: 1)
        builder.add(.nodesCount, ["linux (ä)", "1"], value: 1)
        let text = String(decoding: try builder.report().text, as: UTF8.self)
        #expect(builder.replacedValues == 2)
        #expect(
            text == """
                cozy_nodes_count{os="other",kernel="1"} 2
                cozy_tenants_count 4
                cozy_workloads_count{uid="a-b",kind="etcd",type="etcd",version="1.0"} 2

                """
        )
    }

    @Test("names beyond the 256th of a metric become other, whatever the order they come in")
    func boundsNames() throws {
        let kinds = (0..<300).map { "Kind\($0)" }
        let reports = try [kinds, kinds.reversed(), kinds.shuffled()].map { kinds in
            var builder = ReportBuilder()
            for kind in kinds { builder.add(.applicationCount, [kind], value: 1) }
            let report = try builder.report()
            #expect(builder.replacedValues == 300 - ReportBuilder.largestNameCount)
            return report
        }
        #expect(Set(reports).count == 1)
        #expect(reports[0].samples.count == ReportBuilder.largestNameCount + 1)
        #expect(reports[0].samples.last?.series[0] == "other")
        #expect(reports[0].samples.last?.value == 44)
    }
}

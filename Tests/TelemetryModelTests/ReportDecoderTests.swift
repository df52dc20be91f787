// SPDX-License-Identifier: Apache-2.0

import Exposition
import TelemetryModel
import Testing

@Suite("Reading reports")
struct ReportDecoderTests {
    @Test("a sample that comes twice with the same value counts once")
    func equalDuplicates() throws {
        let line = "cozy_nodes_count{os=\"linux\",kernel=\"1\"} 3\n"
        let again = "cozy_nodes_count{kernel=\"1\",os=\"linux\"} 3e0 5\n"
        #expect(try report(line + again + line) == report(line))
    }

    @Test("a series with two values is an error that names both lines")
    func conflictingDuplicates() {
        let body = "cozy_tenants_count 1\n\ncozy_nodes_count{os=\"a\"} 1\ncozy_tenants_count 2\n"
        #expect(failure(body) == .conflictingSamples(line: 4, firstLine: 1))
        #expect(failure("cozy_tenants_count 2\ncozy_tenants_count 1\n") == .conflictingSamples(line: 2, firstLine: 1))
        let dropped = "cozy_tenants_count{x=\"1\"} 1\ncozy_tenants_count{x=\"1\"} 2\n"
        #expect(failure(dropped) == .conflictingSamples(line: 2, firstLine: 1))
    }

    @Test("what the dictionary does not have is left out and counted")
    func unknown() throws {
        let body = """
            # TYPE go_goroutines gauge
            go_goroutines -1.5
            cozy_tenants_count{cluster_id="x",job="y"} 2
            cozy_nodes 7
            cozy_loadbalancers_count 1
            """
        let decoded = try decoded(body)
        #expect(decoded.droppedSamples == 2)
        #expect(decoded.droppedLabels == 2)
        #expect(decoded.replacedValues == 0)
        #expect(decoded.report == Report([.init(Series(.loadBalancersCount), 1), .init(Series(.tenantsCount), 2)]))
    }

    @Test("series that become one because a label was dropped are added up, equal samples among them counted once")
    func mergedByDroppedLabel() throws {
        let body = """
            cozy_nodes_count{os="linux",kernel="1",zone="a"} 3
            cozy_nodes_count{os="linux",kernel="1",zone="b"} 3
            cozy_nodes_count{zone="b",os="linux",kernel="1"} 3
            cozy_nodes_count{os="linux",kernel="1"} 1
            cozy_package_info{name="a",variant="b",x="1"} 1
            cozy_package_info{name="a",variant="b",x="2"} 1
            """
        let nodes = Series(.nodesCount, ["linux", "1"])
        #expect(try report(body) == Report([.init(nodes, 7), .init(Series(.packageInfo, ["a", "b"]), 1)]))
        #expect(try decoded(body).droppedLabels == 5)
    }

    @Test("series that become one because a value was replaced are added up, compared by bytes")
    func mergedByReplacedValue() throws {
        let body = """
            cozy_nodes_count{os="/a",kernel="1"} 1
            cozy_nodes_count{os="/b",kernel="1"} 2
            cozy_nodes_count{os="/b",kernel="1"} 2
            cozy_nodes_count{os="\u{e9}",kernel="1"} 4
            cozy_nodes_count{os="e\u{301}",kernel="1"} 8
            cozy_nodes_count{os="other",kernel="1"} 16
            """
        let decoded = try decoded(body)
        #expect(decoded.report == Report([.init(Series(.nodesCount, ["other", "1"]), 31)]))
        #expect(decoded.replacedValues == 5)
    }

    @Test("different labels that were dropped are told apart, whatever stands in them")
    func unambiguousDuplicates() throws {
        let body = """
            cozy_tenants_count{x="a\u{0}y\u{1}b"} 1
            cozy_tenants_count{x="a",y="b"} 2
            cozy_tenants_count{x="\u{e9}"} 4
            cozy_tenants_count{x="e\u{301}"} 8
            """
        #expect(try report(body) == Report([.init(Series(.tenantsCount), 15)]))
    }

    @Test("an unclear version of a deployed client becomes other")
    func nilVersion() throws {
        let decoded = try decoded("cozy_cluster_info{cozystack_version=\"<nil>\",kubernetes_version=\"v1.31.4\"} 1")
        #expect(decoded.report == Report([.init(Series(.clusterInfo, ["other", "v1.31.4"]), 1)]))
        #expect(decoded.replacedValues == 1)
    }

    @Test("identifiers are replaced, the same one by the same one, and one that has not the form is not kept")
    func identifiers() throws {
        let pseudonymizer = try #require(Pseudonymizer(key: Array(repeating: 3, count: 32)))
        let body = """
            cozy_workloads_count{uid="u-1",kind="etcd"} 1
            cozy_workloads_count{uid="u-1",kind="redis"} 1
            cozy_workloads_count{uid="me@example.org",kind="etcd"} 1
            """
        let decoded = try ReportDecoder(pseudonymizer: pseudonymizer).decode(Array(body.utf8))
        let hash = pseudonymizer.replacement(for: "u-1")
        let kept = decoded.report.samples.map { [$0.series[WorkloadLabel.uid], $0.series[WorkloadLabel.kind]] }
        #expect(Set(kept) == [[hash, "etcd"], [hash, "redis"], ["other", "etcd"]])
        #expect(decoded.replacedValues == 1)
    }

    @Test(
        "counts are whole numbers from 0 to ten million",
        arguments: [
            ("0", 0), ("-0", 0), ("1e3", 1_000), ("10000000", 10_000_000), ("0x10p0", 16), ("-1", nil), ("1.5", nil),
            ("NaN", nil), ("+Inf", nil), ("-Inf", nil), ("1e300", nil), ("10000001", nil), ("1e-300", nil),
            ("9007199254740993", nil),
        ] as [(String, Int64?)]
    )
    func counts(text: String, value: Int64?) throws {
        let body = "cozy_tenants_count 1\n  cozy_loadbalancers_count \(text)\n"
        if let value {
            let series = Series(.loadBalancersCount)
            #expect(try report(body).samples.first { $0.series == series }?.value == value)
        } else {
            #expect(failure(body) == .valueOutOfRange(.loadBalancersCount, line: 2, column: 28))
        }
    }

    @Test(
        "a capacity goes up to 2⁶⁰",
        arguments: [
            ("811020009472", 811_020_009_472), ("1152921504606846976", 1 << 60), ("1.152921504606847e18", 1 << 60),
            ("1152921504606847232", nil), ("9223372036854775808", nil), ("1e300", nil), ("-1", nil), ("0.5", nil),
        ] as [(String, Int64?)]
    )
    func capacities(text: String, value: Int64?) throws {
        let body = "cozy_cluster_capacity{resource=\"memory\"} \(text)"
        if let value {
            #expect(try report(body).samples.map(\.value) == [value])
        } else {
            #expect(failure(body) == .valueOutOfRange(.clusterCapacity, line: 1, column: 42))
        }
    }

    @Test("an info metric is 1", arguments: ["0", "2", "-1", "NaN", "0.999"])
    func info(text: String) {
        #expect(failure("cozy_package_info{name=\"a\"} \(text)") == .valueOutOfRange(.packageInfo, line: 1, column: 29))
        #expect(failure("cozy_package_info{name=\"a\"} 1.0") == nil)
    }

    @Test("a body without a sample of the dictionary is no report")
    func empty() {
        #expect(failure("") == .empty(dropped: 0))
        #expect(failure("# HELP a b\n\n#\n") == .empty(dropped: 0))
        #expect(failure("up 1\nup 1\nfoo{a=\"b\"} NaN\n") == .empty(dropped: 3))
    }

    @Test("an escaped newline stays in its value and forges no line")
    func forgedLine() throws {
        let body = #"cozy_nodes_count{os="a\ncozy_tenants_count 9\n",kernel="1"} 2"#
        let decoded = try decoded(body)
        #expect(decoded.report == Report([.init(Series(.nodesCount, ["other", "1"]), 2)]))
        #expect(decoded.replacedValues == 1)
        let text = Report([.init(Series(.nodesCount, ["a\n\"\\", "1"]), 2)]).text
        #expect(String(decoding: text, as: UTF8.self) == #"cozy_nodes_count{os="a\n\"\\",kernel="1"} 2"# + "\n")
    }

    @Test("what is not well formed is refused whole, with the position")
    func malformed() {
        let cases: [(String, Int, Int, ExpositionError.Reason)] = [
            ("cozy_tenants_count 1\ncozy_nodes_count{os=\"a} 1\n", 2, 21, .unterminatedQuotes),
            ("cozy_nodes_count{os=\"a\",os=\"b\"} 1", 1, 25, .duplicateLabelName),
            ("cozy_tenants_count\n", 1, 19, .missingValue),
            ("up{x=\"\\q\"} 1\ncozy_tenants_count 1", 1, 7, .illegalEscape),
        ]
        for (body, line, column, reason) in cases {
            let expected = ReportError.malformed(ExpositionError(line: line, column: column, reason: reason))
            #expect(failure(body) == expected, "\(body)")
        }
    }

    @Test("limits of the caller hold")
    func limits() {
        let decoder = ReportDecoder(pseudonymizer: nil, limits: ExpositionLimits(samples: 1))
        let expected = ReportError.malformed(ExpositionError(line: 2, column: 1, reason: .tooManySamples(limit: 1)))
        #expect(throws: expected) { try decoder.decode(Array("cozy_tenants_count 1\nup 1\n".utf8)) }
    }

    @Test("errors say where and what, and repeat nothing that was sent")
    func descriptions() {
        let texts = [
            "cozy_nodes_count{os=\"secret\"} -1",
            "cozy_nodes_count{os=\"secret\"} 1\ncozy_nodes_count{os=\"secret\"} 2",
            "secret 1", "cozy_nodes_count{os=\"secret} 1", "",
        ].map { failure($0)?.description ?? "" }
        let range = "the value of cozy_nodes_count must be a whole number from 0 to 10000000"
        #expect(texts[0] == "line 1, column 31: \(range)")
        #expect(texts[1] == "line 2: the same series as in line 1 with another value")
        #expect(texts[2] == "the report has no samples of the data dictionary (1 were dropped)")
        #expect(texts[3].hasPrefix("line 1, column "))
        #expect(texts[4] == "the report has no samples")
        for text in texts { #expect(!text.contains("secret")) }
    }

    @Test(
        "a label has so many values in one report, lists fewer; what comes beyond is other, and identifiers are not bounded"
    )
    func boundsValues() throws {
        let packages = (0..<400).map { "cozy_package_info{name=\"p\($0 % 20).x\",variant=\"v\($0)\"} 1" }
        let lists = (0..<9).map { "cozy_cluster_info{bunde_enable=\"a\($0)\"} 1" }
        let workloads = (0..<900).map { "cozy_workloads_count{uid=\"u\($0)\",kind=\"k\($0 % 300)\",version=\"1\"} 1" }
        let body = (packages + lists + workloads).joined(separator: "\n")
        let decoded = try ReportDecoder(pseudonymizer: nil).decode(Array(body.utf8))
        func values(_ metric: Metric, _ label: Int) -> Set<String> {
            Set(decoded.report.samples.filter { $0.series.metric == metric }.compactMap { $0.series[label] })
        }
        #expect(values(.packageInfo, 1).count == 257)
        #expect(values(.packageInfo, 0).contains("other"))
        #expect(decoded.report.samples.filter { $0.series.metric == .packageInfo }.count <= 257)
        #expect(values(.clusterInfo, ClusterInfoLabel.bundleEnable).count == 5)
        #expect(values(.workloadsCount, WorkloadLabel.uid).count == 900)
        #expect(values(.workloadsCount, WorkloadLabel.kind).count == 257)
        #expect(decoded.replacedValues > 0)
    }
}

// SPDX-License-Identifier: Apache-2.0

import TelemetryModel
import Testing

@Suite("Reports of the deployed clients")
struct FixtureTests {
    @Test("nothing of them is dropped or replaced", arguments: Fixture.allCases)
    func complete(fixture: Fixture) throws {
        let decoded = try ReportDecoder(pseudonymizer: nil).decode(fixture.bytes)
        #expect(decoded.droppedSamples == 0)
        #expect(decoded.droppedLabels == 0)
        #expect(decoded.replacedValues == 0)
        #expect(sortedLines(decoded.report.text) == sortedLines(try fixture.bytes))
    }

    @Test("the canonical text of a report of v0.22 is what travelled, byte for byte")
    func canonicalText() throws {
        let bytes = try Fixture.v0.bytes
        #expect(try ReportDecoder(pseudonymizer: nil).decode(bytes).report.text == bytes)
    }

    @Test("UIDs are all that a pseudonymizer changes")
    func pseudonymised() throws {
        let pseudonymizer = try #require(Pseudonymizer(key: Array(repeating: 1, count: 32)))
        let decoder = ReportDecoder(pseudonymizer: pseudonymizer)
        for fixture in [Fixture.v1Operator, .v1Controller] {
            let kept = try ReportDecoder(pseudonymizer: nil).decode(fixture.bytes)
            #expect(try decoder.decode(fixture.bytes) == kept)
        }
        let report = try decoder.decode(Fixture.v0.bytes).report
        let text = String(decoding: report.text, as: UTF8.self)
        #expect(report.samples.count == 12)
        #expect(!text.contains("6099a6ff"))
        #expect(text.contains(pseudonymizer.replacement(for: "6099a6ff-87bd-463b-9deb-6b8dcdc7c47b")))
    }

    @Test("each is told to be of its collector")
    func collectors() throws {
        let expected: [Fixture: Collector] = [.v0: .v0, .v1Operator: .v1Operator, .v1Controller: .v1Controller]
        for (fixture, collector) in expected {
            #expect(try ReportDecoder(pseudonymizer: nil).decode(fixture.bytes).report.collector == collector)
        }
    }

    @Test("the figures of v0 count workloads by UID, not replicas")
    func figuresOfV0() throws {
        let report = try ReportDecoder(pseudonymizer: nil).decode(Fixture.v0.bytes).report
        let expected: [Figure: Int64] = [
            .clusters: 1, .nodes: 3, .tenants: 2, .loadBalancers: 1, .volumes: 15,
            .application(kind: "etcd"): 1, .application(kind: "ingress"): 1,
            .application(kind: "kubernetes"): 2, .application(kind: "postgres"): 1,
            .canonicalApplication(name: "Etcd"): 1, .canonicalApplication(name: "Ingress"): 1,
            .canonicalApplication(name: "Kubernetes"): 2, .canonicalApplication(name: "Postgres"): 1,
        ]
        #expect(report.figures == expected)
    }

    @Test("the figures of v1 lie in two reports")
    func figuresOfV1() throws {
        let facts = try ReportDecoder(pseudonymizer: nil).decode(Fixture.v1Operator.bytes).report
        let applications = try ReportDecoder(pseudonymizer: nil).decode(Fixture.v1Controller.bytes).report
        let expectedFacts: [Figure: Int64] = [
            .clusters: 1, .nodes: 3, .loadBalancers: 1, .volumes: 13, .capacity(resource: "cpu"): 168,
            .capacity(resource: "memory"): 811_020_009_472, .capacity(resource: "nvidia.com/TU104GL_TESLA_T4"): 3,
        ]
        let expectedApplications: [Figure: Int64] = [
            .clusters: 1, .tenants: 2, .application(kind: "Tenant"): 2, .application(kind: "Postgres"): 5,
            .application(kind: "Redis"): 3, .application(kind: "Kubernetes"): 2,
            .application(kind: "VirtualMachine"): 0, .canonicalApplication(name: "Tenant"): 2,
            .canonicalApplication(name: "Postgres"): 5, .canonicalApplication(name: "Redis"): 3,
            .canonicalApplication(name: "Kubernetes"): 2, .canonicalApplication(name: "VirtualMachine"): 0,
        ]
        #expect(facts.figures == expectedFacts)
        #expect(applications.figures == expectedApplications)
    }
}

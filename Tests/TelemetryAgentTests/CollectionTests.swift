// SPDX-License-Identifier: Apache-2.0

import TelemetryTesting
import Testing

@testable import Kubernetes
@testable import TelemetryAgent

@Suite("What is collected where the API server answers badly", .timeLimit(.minutes(1)))
struct CollectionTests {
    typealias StandIn = ControlPlaneStandIn

    private static let plan = ReportPlan(servesPackages: true, servesApplicationDefinitions: true)
    private static let version = StandIn.json(#"{"gitVersion":"v1.31.4"}"#)
    private static let identity = StandIn.json(
        #"{"metadata":{"name":"kube-system","uid":"0b5d5bd3-9a0f-4d2d-9a40-4e0f1a7a2f10"}}"#
    )
    private static let nothing = StandIn.json(#"{"items":[]}"#)
    private static let balancers = StandIn.json(
        #"{"items":[{"spec":{"type":"LoadBalancer"}},{"spec":{"type":"ClusterIP"}}]}"#
    )

    /// What a reader collects, without waits, and the targets of its requests.
    private func collect(
        _ answers: [String],
        limits: KubernetesClient.Limits = .init()
    ) async throws -> (CollectedFacts, targets: [String]) {
        try await StandIn.with(answers) { server in
            let configuration = KubernetesConfiguration(server: server.url)
            let facts = try await KubernetesClient.withClient(configuration: configuration, limits: limits) { client in
                var client = client
                client.transport.pause = { _ in }
                return try await ClusterReader(client: client).collect(Self.plan)
            }
            return (facts, server.requests.compactMap { $0.split(separator: " ").dropFirst().first.map(String.init) })
        }
    }

    @Test(
        "a part that fails is left out with the reason, and the others are collected",
        arguments: [
            ([StandIn.json("{}", status: "403 Forbidden")], "not allowed (403)"),
            ([StandIn.json("{}", status: "404 Not Found")], "does not exist (404)"),
            ([StandIn.json(#"{"items":[{]}"#)] + [identity], "the answer could not be used"),
            (
                Array(repeating: StandIn.json("{}", status: "503 Oops"), count: 6) + [identity],
                "the API server answered 503"
            ),
            (Array(repeating: StandIn.closing(""), count: 6) + [identity], "the API server cannot be reached"),
            (
                [StandIn.json("{}", status: "429 Busy", headers: ["Retry-After: 9999"]), identity],
                "the API server is busy (429)"
            ),
        ]
    )
    func degradation(failure: [String], reason: String) async throws {
        try await check(failure, reason)
    }

    @Test("a part that is not answered in time is left out like any other")
    func timeout() async throws {
        try await check(["", Self.identity], "no answer in time", limits: .init(call: .seconds(3)))
    }

    /// Lets the nodes fail and expects everything else.
    private func check(_ failure: [String], _ reason: String, limits: KubernetesClient.Limits = .init()) async throws {
        let others = [Self.balancers] + Array(repeating: Self.nothing, count: 4)
        let (collection, _) = try await collect([Self.version] + failure + others, limits: limits)
        #expect(collection.omissions == [.nodes: Omission(rawValue: reason)])
        let facts = collection.facts
        #expect(facts.nodes == nil && facts.loadBalancers?.count == 1 && facts.kubernetesVersion == "v1.31.4")
        #expect(facts.volumes != nil && facts.packages != nil && facts.applications != nil)
    }

    @Test("where the server answers nothing at all, there is no report")
    func nothingAnswers() async throws {
        await #expect(throws: KubernetesError.deadlineExceeded(path: "/api/v1/namespaces/kube-system")) {
            _ = try await collect([Self.version], limits: .init(call: .seconds(3)))
        }
    }

    @Test("the server chooses load balancers where it can, and is asked for all services where it cannot")
    func fieldSelector() async throws {
        let rest = Array(repeating: Self.nothing, count: 4)
        let chosen = "/api/v1/services?fieldSelector=spec.type%3DLoadBalancer&limit=500"
        let (able, targets) = try await collect([Self.version, Self.nothing, Self.balancers] + rest)
        #expect(able.facts.loadBalancers?.count == 1 && targets[2] == chosen)
        #expect(!targets.contains("/api/v1/services?limit=500"))
        let refusal = StandIn.json("{}", status: "400 Bad Request")
        let (unable, more) = try await collect([Self.version, Self.nothing, refusal, Self.balancers] + rest)
        #expect(unable.facts.loadBalancers?.count == 1 && unable.omissions.isEmpty)
        #expect(more[2...3] == [chosen, "/api/v1/services?limit=500"])
    }

    @Test("where the server forgot a list for good, it is counted anew, and nothing twice")
    func forgotten() async throws {
        let first = StandIn.json(#"{"metadata":{"continue":"t"},"items":[{}]}"#)
        let gone = StandIn.json("{}", status: "410 Gone")
        let again = [first, StandIn.json(#"{"items":[{}]}"#)]
        let rest = Array(repeating: Self.nothing, count: 5)
        let (collection, _) = try await collect([Self.version, first, gone] + again + rest)
        #expect(collection.facts.nodes?.groups.values.reduce(0, +) == 2 && collection.omissions.isEmpty)
        let (twice, _) = try await collect([Self.version, first, gone, first, gone, Self.identity] + rest)
        #expect(twice.omissions == [.nodes: Omission(rawValue: "it was forgotten while it was read (410)")])
    }
}

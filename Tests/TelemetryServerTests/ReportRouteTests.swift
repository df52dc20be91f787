// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import FleetSimulator
import Foundation
import Gzip
import NIOCore
import NIOHTTP1
import ReportStore
import TelemetryModel
import TelemetryTesting
import Testing

@testable import TelemetryServer

@Suite("POST /")
struct ReportRouteTests {
    private static let id = "6f1c9d2e-0000-4000-8000-000000000001"
    private let plain: HTTPHeaders = ["Content-Type": "text/plain", "X-Cluster-ID": Self.id]
    private let nodes = Array("cozy_nodes_count{os=\"linux (Talos (v1.8.4))\",kernel=\"6.6.64-talos\"} 3\n".utf8)

    private static func fixture(_ name: String) throws -> [UInt8] {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return Array(try Data(contentsOf: tests.appendingPathComponent("Fixtures/\(name)")))
    }

    @Test(
        "every deployed client's payload is taken",
        arguments: ["payload-v0.22.prom", "payload-v1-operator.prom", "payload-v1-controller.prom"]
    )
    func takesFixtures(name: String) async throws {
        let body = try Self.fixture(name)
        try await RunningTestBackend.with { backend async throws in
            #expect(try await backend.post(body, headers: plain).status == 200)
            #expect(try await backend.store.statistics().distinctReports == 1)
        }
    }

    @Test(
        "a cluster id that is missing, repeated or malformed is 400",
        arguments: [
            [], ["a", "b"], [""], ["a b"], ["a/b"], ["ä"], ["a@b"], [String(repeating: "a", count: 254)], ["a,b"],
        ]
    )
    func refusesIDs(ids: [String]) async throws {
        try await RunningTestBackend.with { backend async throws in
            var headers: HTTPHeaders = ["Content-Type": "text/plain"]
            for id in ids { headers.add(name: "X-Cluster-ID", value: id) }
            let answer = try await backend.post(nodes, headers: headers)
            #expect(answer.status == 400)
            #expect(answer.body.contains("X-Cluster-ID"))
            #expect(try await backend.store.statistics().clusters == 0)
        }
    }

    @Test(
        "content types and encodings",
        arguments: [
            (nil, nil, 200), ("text/plain", nil, 200), ("text/plain; version=0.0.4; charset=utf-8", nil, 200),
            ("TEXT/PLAIN", nil, 200), ("application/json", nil, 415), ("application/x-www-form-urlencoded", nil, 415),
            ("text/plain", "identity", 200), ("text/plain", "br", 415), ("text/plain", "gzip, gzip", 415),
            ("text/plain", "gzip", 400),
        ] as [(String?, String?, Int)]
    )
    func contentTypes(type: String?, encoding: String?, status: Int) async throws {
        try await RunningTestBackend.with { backend async throws in
            var headers: HTTPHeaders = ["X-Cluster-ID": Self.id]
            if let type { headers.add(name: "Content-Type", value: type) }
            if let encoding { headers.add(name: "Content-Encoding", value: encoding) }
            let answer = try await backend.post(nodes, headers: headers)
            #expect(answer.status == status)
            // In a 415 it says that it is the encoding that is not taken.
            let isWrongType = status == 415 && encoding == nil
            #expect(answer.headers[canonicalForm: "Accept-Encoding"] == (isWrongType ? [] : ["gzip"]))
        }
    }

    @Test("what is no report is 400 with the reason and the position, and nothing of it is stored")
    func refusesMalformed() async throws {
        try await RunningTestBackend.with { backend async throws in
            for (text, expected) in [
                ("", "no samples"),
                ("cozy_tenants_count 1\ncozy_nodes_count{os=\"linux} 3\n", "line 2, column 21"),
                ("cozy_tenants_count -1", "line 1, column 20"),
                ("cozy_tenants_count 1.5", "line 1, column 20"),
                ("cozy_tenants_count +Inf", "line 1, column 20"),
                ("cozy_tenants_count NaN", "line 1, column 20"),
                ("cozy_tenants_count 10000001", "line 1, column 20"),
                ("cozy_cluster_capacity{resource=\"cpu\"} 1152921504606847232", "line 1, column 39"),
                ("cozy_package_info{name=\"a\"} 2", "line 1, column 29"),
                ("cozy_tenants_count 1\ncozy_tenants_count 2", "line 2"),
                ("some_metric 1\nother_metric 2", "2 were dropped"),
            ] {
                let answer = try await backend.post(text)
                #expect(answer.status == 400, "\(text)")
                #expect(answer.body.contains(expected), "\(text): \(answer.body)")
                #expect(answer.headers.first(name: "Content-Type")?.hasPrefix("application/json") == true)
            }
            #expect(try await backend.store.statistics().clusters == 0)
        }
    }

    @Test("what the dictionary does not have is dropped, counted in the metrics, and in the log as a number")
    func dropsUnknown() async throws {
        try await RunningTestBackend.with { backend async throws in
            let text = """
                cozy_secret_count{password="hunter2"} 1
                cozy_loadbalancers_count{zone="a"} 1
                cozy_loadbalancers_count{zone="b"} 2
                cozy_package_info{name="cozystack.core",variant="UPPER CASE"} 1
                """
            #expect(try await backend.post(text).status == 200)
            let window = Window(.month, endingWith: backend.clock.now.month)
            #expect(try await backend.store.totals(of: [window])[window]?.all[.loadBalancers] == 3)
            let metrics = try await backend.metrics()
            #expect(metrics.contains("telemetry_dropped_samples_total 1\n"))
            #expect(metrics.contains("telemetry_dropped_labels_total 2\n"))
            #expect(metrics.contains("telemetry_replaced_label_values_total 1\n"))
            let line = try #require(backend.log.recorded.first { $0.contains("does not have") })
            #expect(line.contains("dropped_samples=1"))
            #expect(!line.contains("hunter2"))
        }
    }

    @Test("a body over the limit is 413, whether its length is announced or not")
    func refusesLargeBodies() async throws {
        let adjust: (inout BackendSettings) -> Void = { $0.largestBody = 100 }
        try await RunningTestBackend.with(adjust: adjust) { backend async throws in
            let large = Array(repeating: UInt8(ascii: "#"), count: 101)
            #expect(try await backend.post(large, headers: plain).status == 413)
            var request = HTTPClientRequest(url: backend.url)
            request.method = .POST
            request.headers = plain
            request.body = .stream(
                AsyncStream {
                    $0.yield(ByteBuffer(bytes: large)); $0.finish()
                },
                length: .unknown
            )
            #expect(try await backend.answer(to: request).status == 413)
            #expect(try await backend.post(nodes, headers: plain).status == 200)
        }
    }

    @Test("ten megabytes and a byte are 413, and the next report is taken")
    func refusesOverTenMegabytes() async throws {
        try await RunningTestBackend.with { backend async throws in
            // Announced, so that the answer comes while the body is on its way: the client at hand gives up there at times.
            try await RawConnection.with(backend) { connection in
                let count = 10 * 1024 * 1024 + 1
                try await connection.send(
                    "POST / HTTP/1.1\r\nHost: a\r\nX-Cluster-ID: a\r\nContent-Length: \(count)\r\n\r\n"
                )
                try await connection.send(String(repeating: "\n", count: count))
                let answer = try #require(try await connection.answer())
                #expect(answer.status == 413)
                #expect(answer.headers["connection"] == "close")
            }
            #expect(try await backend.post(nodes, headers: plain).status == 200)
        }
    }

    @Test("gzip bodies are unpacked, up to a limit on what comes out")
    func unpacksGzip() async throws {
        let adjust: (inout BackendSettings) -> Void = { $0.largestUnpackedBody = 50_000 }
        try await RunningTestBackend.with(adjust: adjust) { backend async throws in
            var headers = plain
            headers.add(name: "Content-Encoding", value: "gzip")
            let packed = try #require(GzipEncoder.encode(Self.fixture("payload-v0.22.prom")))
            #expect(try await backend.post(packed, headers: headers).status == 200)
            #expect(try await backend.post(Array(packed.dropLast(9)), headers: headers).status == 400)
            let bomb = try #require(GzipEncoder.encode(Array(repeating: UInt8(ascii: "\n"), count: 50_001)))
            #expect(bomb.count < 200)
            #expect(try await backend.post(bomb, headers: headers).status == 413)
            let twoMembers =
                try #require(GzipEncoder.encode(nodes)) + #require(
                    GzipEncoder.encode(Array("cozy_tenants_count 2\n".utf8))
                )
            #expect(try await backend.post(twoMembers, headers: headers).status == 200)
            #expect(try await backend.store.statistics().distinctReports == 2)
        }
    }

    @Test("a packed body may unpack to so many times its size, and to 64 KiB however small it is")
    func boundsRatio() async throws {
        try await RunningTestBackend.with(adjust: { $0.largestUnpackingRatio = 20 }) { backend async throws in
            var headers = plain
            headers.add(name: "Content-Encoding", value: "gzip")
            let room = UnpackingLimit.alwaysTaken - nodes.count
            for (count, status) in [(room, 200), (room + 1, 413), (1_000_000, 413)] {
                let body = Array(repeating: UInt8(ascii: "\n"), count: count) + nodes
                let answer = try await backend.post(try #require(GzipEncoder.encode(body)), headers: headers)
                #expect(answer.status == status)
                #expect(answer.body.contains("20 times") == (status == 413))
            }
        }
    }

    @Test("more samples than a report may have are 400 that says how many it may have, also where they are unknown")
    func boundsSamples() async throws {
        try await RunningTestBackend.with(adjust: { $0.largestSampleCount = 3 }) { backend async throws in
            for name in ["cozy_tenants_count", "unknown"] {
                let lines = (1...4).map { "\(name){a=\"\($0)\"} 1\n" }
                let answer = try await backend.post(lines.joined())
                #expect(answer.status == 400)
                #expect(answer.body.contains("more than 3 samples"))
            }
            let lines = (1...3).map { "cozy_tenants_count{a=\"\($0)\"} 1\n" }
            #expect(try await backend.post(lines.joined()).status == 200)
        }
        try await RunningTestBackend.with { backend async throws in
            let flood = (1...100_000).map { "cozy_package_info{name=\"p\($0)\"} 1\n" }.joined()
            let answer = try await backend.post(flood)
            #expect(answer.status == 400)
            #expect(answer.body.contains("more than 50000 samples"))
        }
    }

    @Test("other methods are 405 with Allow, other paths 404")
    func methodsAndPaths() async throws {
        try await RunningTestBackend.with { backend async throws in
            for method in [HTTPMethod.PUT, .DELETE, .PATCH, .OPTIONS] {
                let answer = try await backend.get("/", method: method)
                #expect(answer.status == 405, "\(method)")
                #expect(answer.headers.first(name: "Allow") == "GET, HEAD, POST")
            }
            #expect(try await backend.get("/api/overview", method: .POST).headers.first(name: "Allow") == "GET, HEAD")
            #expect(try await backend.get("/metrics").status == 404)
            #expect(try await backend.post(nodes, headers: plain, path: "/other").status == 404)
        }
    }

    @Test("a full queue is 503 with Retry-After at once")
    func refusesWhenFull() async throws {
        let adjust: (inout BackendSettings) -> Void = { $0.largestQueue = 0 }
        try await RunningTestBackend.with(adjust: adjust) { backend async throws in
            let answer = try await backend.post(nodes, headers: plain)
            #expect(answer.status == 503)
            #expect(answer.headers.first(name: "Retry-After") == "30")
        }
    }

    @Test("no cluster id, uid, address or body is logged at any level")
    func logsNothingOfReports() async throws {
        try await RunningTestBackend.with { backend async throws in
            _ = try await backend.post(Self.fixture("payload-v0.22.prom"), headers: plain)
            _ = try await backend.post("broken{uid=\"canary-value\" 1")
            let log = backend.log.recorded.joined(separator: "\n")
            for canary in [Self.id, "6099a6ff", "canary-value", "paas-full"] { #expect(!log.contains(canary)) }
        }
    }

    @Test("ten thousand reports in shuffled order by a thousand clusters are as many rows as there are states")
    func storesDistinctStates() async throws {
        try await RunningTestBackend.with { backend async throws in
            let plan = Simulation.Plan(endpoint: backend.url, clusters: 1_000, rounds: 7, connections: 16, seed: 42)
            let client = HTTPClient(
                eventLoopGroupProvider: .singleton,
                configuration: Simulation.clientConfiguration(connections: plan.connections)
            )
            let result = await Simulation(plan: plan, client: client, now: { backend.clock.now }).run()
            try await client.shutdown()
            #expect(result.sent >= 10_000)
            #expect(result.failed == 0)
            #expect(result.distinctReports < result.sent / 5)
            #expect(try await backend.store.statistics().distinctReports == result.distinctReports)
        }
    }
}

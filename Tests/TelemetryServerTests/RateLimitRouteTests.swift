// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHTTP1
import ReportStore
import TelemetryModel
import TelemetryTesting
import Testing

@testable import TelemetryServer

@Suite("Who sends too much")
struct RateLimitRouteTests {
    private let report = "cozy_tenants_count 2\n"

    private func with(
        _ adjust: (inout RateLimits) -> Void,
        flagged: Int = 0,
        _ body: (RunningTestBackend) async throws -> Void
    ) async throws {
        var limits = RateLimits()
        adjust(&limits)
        try await RunningTestBackend.with(
            adjust: {
                $0.rateLimits = limits
                $0.newClustersFlagged = flagged
            },
            body
        )
    }

    @Test("a cluster that sends too often is 429 with Retry-After, others are taken")
    func clusters() async throws {
        try await with({ _ in }) { backend async throws in
            for _ in 1...10 { #expect(try await backend.post(report, as: "a").status == 200) }
            let answer = try await backend.post(report, as: "a")
            #expect(answer.status == 429)
            #expect(answer.body == "{\"error\":\"this cluster sends too often; try again later\"}")
            #expect(answer.headers.first(name: "Retry-After").flatMap { Int($0) }.map { (1...30).contains($0) } == true)
            #expect(try await backend.post(report, as: "b").status == 200)
            let metrics = try await backend.metrics()
            #expect(metrics.contains("telemetry_rate_limited_total{limit=\"cluster\"} 1\n"))
            #expect(metrics.contains("telemetry_reports_refused_total{status=\"429\"} 1\n"))
        }
    }

    @Test("who asks for figures too often is 429, too; how the process is may always be asked")
    func readers() async throws {
        let adjust: (inout RateLimits) -> Void = {
            $0.reportsPerNetwork = 1
            $0.burstPerNetwork = 2
        }
        try await with(adjust) { backend async throws in
            for status in [200, 200, 429] {
                #expect(try await backend.get("/api/overview?year=2026&month=3").status == status)
                #expect(try await backend.get("/healthz").status == 200)
                #expect(try await backend.get("/readyz").status == 200)
            }
            let refused = try await backend.get("/api/overview?year=2026&month=3")
            #expect(refused.headers["Access-Control-Allow-Origin"] == ["*"])
            #expect(refused.headers["Cross-Origin-Resource-Policy"] == [])
            let erasure = try await backend.get("/v1/cluster", method: .DELETE)
            #expect(erasure.status == 429)
            #expect(erasure.headers.first(name: "Retry-After") != nil)
        }
    }

    @Test("nobody uses up the reports of a cluster that signs")
    func signedClusters() async throws {
        try await with({ $0.burstPerCluster = 1 }) { backend async throws in
            let sender = SignedSender()
            let body = Array(report.utf8)
            for _ in 1...3 {
                #expect(try await backend.post(report, as: sender.key.clusterID.text).status == 401)
            }
            for status in [200, 429] {
                let headers = try sender.headers(body, at: backend.clock.now)
                #expect(try await backend.post(body, headers: headers).status == status)
            }
        }
    }

    @Test("ids never seen before are limited by network, those that are known go on")
    func newClusters() async throws {
        try await with({ $0.newClusterBurstPerNetwork = 3 }) { backend async throws in
            for cluster in 1...3 { #expect(try await backend.post(report, as: "a\(cluster)").status == 200) }
            let answer = try await backend.post(report, as: "a4")
            #expect(answer.status == 429)
            #expect(answer.body.contains("too many new clusters come from this network"))
            #expect(answer.headers.first(name: "Retry-After").flatMap { Int($0) }.map { (1...30).contains($0) } == true)
            for cluster in 1...3 {
                #expect(try await backend.post("cozy_tenants_count 3\n", as: "a\(cluster)").status == 200)
            }
            #expect(try await backend.store.statistics().clusters == 3)
            #expect(try await backend.metrics().contains("telemetry_rate_limited_total{limit=\"new_cluster\"} 1\n"))
        }
    }

    @Test("without limits as many are taken as come")
    func off() async throws {
        try await RunningTestBackend.with { backend async throws in
            for _ in 1...50 { #expect(try await backend.post(report, as: "a").status == 200) }
        }
    }

    @Test(
        "many new clusters from one network are counted and said once a day, without the address, and stay in the figures"
    )
    func flags() async throws {
        try await with({ _ in }, flagged: 3) { backend async throws in
            for cluster in 1...5 {
                #expect(try await backend.post(report, as: "a\(cluster)").status == 200)
                #expect(try await backend.post("nonsense", as: "b\(cluster)").status == 400)
            }
            let lines = backend.log.recorded.filter { $0.contains("many new clusters came from one network today") }
            #expect(lines.count == 1)
            #expect(lines.first?.contains("clusters=3") == true)
            #expect(lines.first?.contains("127.0.0.1") == false)
            #expect(try await backend.metrics().contains("telemetry_new_cluster_bursts_total 1\n"))
            #expect(try await backend.store.statistics().clusters == 5)
        }
    }
}

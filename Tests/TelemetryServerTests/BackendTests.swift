// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import CoreMetrics
import NIOCore
import NIOHTTP1
import ReportStore
import ServiceLifecycle
import TelemetryModel
import TelemetryTesting
import Testing

@testable import TelemetryServer

@Suite("The backend")
struct BackendTests {
    @Test("both listeners say that they live and are ready; HEAD is GET without the body")
    func health() async throws {
        try await RunningTestBackend.with { backend async throws in
            for path in ["/healthz", "/readyz"] {
                #expect(try await backend.get(path).status == 200)
                #expect(try await backend.get(path, method: .HEAD).body.isEmpty)
                #expect(try await backend.answer(to: HTTPClientRequest(url: backend.adminURL + path)).status == 200)
            }
            #expect(try await backend.answer(to: HTTPClientRequest(url: backend.adminURL + "/nothing")).status == 404)
        }
    }

    @Test("graceful shutdown answers the report that is under way")
    func finishesWhatItTook() async throws {
        try await RunningTestBackend.with { backend async throws in
            let (body, send) = AsyncStream.makeStream(of: ByteBuffer.self)
            send.yield(ByteBuffer(string: "cozy_tenants_count 2\n"))
            var request = HTTPClientRequest(url: backend.url)
            request.method = .POST
            request.headers = ["Content-Type": "text/plain", "X-Cluster-ID": "a"]
            request.body = .stream(body, length: .unknown)
            async let answer = backend.answer(to: request)
            while try await !backend.metrics().contains("telemetry_reports_in_flight 1\n") { await Task.yield() }
            await backend.group.triggerGracefulShutdown()
            send.yield(ByteBuffer(string: "cozy_loadbalancers_count 1\n"))
            send.finish()
            #expect(try await answer.status == 200)
            #expect(try await backend.store.statistics().distinctReports == 1)
        }
    }

    @Test(
        "listen addresses",
        arguments: [
            (":8081", "0.0.0.0:8081"), ("127.0.0.1:0", "127.0.0.1:0"), ("[::1]:80", "[::1]:80"),
            ("telemetry.example:65535", "telemetry.example:65535"), ("8081", nil), (":", nil), (":x", nil),
            (":65536", nil), ("::1:80", nil), ("", nil),
        ] as [(String, String?)]
    )
    func listenAddresses(text: String, expected: String?) {
        #expect(ListenAddress(text).map { "\($0)" } == expected)
    }

    @Test("the registry writes what was counted, in order, with types")
    func registry() {
        let registry = MetricsRegistry()
        registry.makeCounter(label: "b.count", dimensions: [("k", "2")]).increment(by: 2)
        registry.makeCounter(label: "b.count", dimensions: [("k", "1")]).increment(by: 1)
        registry.makeMeter(label: "a", dimensions: []).set(1.5 as Double)
        registry.makeTimer(label: "t_seconds", dimensions: []).recordNanoseconds(3_000_000)
        let text = registry.text()
        #expect(text.hasPrefix("# TYPE a gauge\na 1.5\n# TYPE b_count_total counter\n"))
        #expect(text.contains("b_count_total{k=\"1\"} 1\nb_count_total{k=\"2\"} 2\n"))
        #expect(text.contains("t_seconds_bucket{le=\"0.0025\"} 0\nt_seconds_bucket{le=\"0.005\"} 1\n"))
        #expect(text.contains("t_seconds_bucket{le=\"+Inf\"} 1\nt_seconds_sum 0.003\nt_seconds_count 1\n"))
    }
}

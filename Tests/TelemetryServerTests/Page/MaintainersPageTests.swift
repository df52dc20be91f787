// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import ServiceLifecycle
import TelemetryModel
import TelemetryTesting
import Testing

@testable import TelemetryServer

@Suite("The maintainers' view")
struct MaintainersPageTests {
    /// A line of `/v1/live`, as the page reads it.
    private struct Line: Decodable, Equatable {
        let clusters: Int?
        let nodes: Int?
        let tenants: Int?
        let accepted: Int
        let changed: Int
        let refused: Int
    }

    private func lines(_ backend: RunningTestBackend, _ body: (inout Lines) async throws -> Void) async throws {
        var request = HTTPClientRequest(url: backend.adminURL + "/v1/live")
        request.headers = ["Authorization": "Bearer \(try backend.token(.viewer))"]
        let response = try await backend.client.execute(request, timeout: .seconds(60))
        #expect(response.status == .ok)
        var lines = Lines(parts: response.body.makeAsyncIterator())
        try await body(&lines)
    }

    /// The lines of an answer.
    private struct Lines {
        var parts: HTTPClientResponse.Body.AsyncIterator
        var rest = ""

        mutating func next() async throws -> Line? {
            while true {
                if let end = rest.firstIndex(of: "\n") {
                    let line = Data(rest[..<end].utf8)
                    rest = String(rest[rest.index(after: end)...])
                    return try JSONDecoder().decode(Line.self, from: line)
                }
                guard let part = try await parts.next() else { return nil }
                rest += String(buffer: part)
            }
        }
    }

    @Test("its page has no figures, asks the backend and the issuer alone, and is not on the public listener")
    func page() async throws {
        let issuer = IssuerSettings(url: "https://keycloak.example:8443/realms/a", audience: "b", clientID: "c<\"")
        try await RunningTestBackend.with(adjust: { $0.issuer = issuer }) { backend async throws in
            #expect(try await backend.post("cozy_tenants_count 2\n").status == 200)
            let answer = try await backend.answer(to: HTTPClientRequest(url: backend.adminURL + "/"))
            #expect(answer.status == 200)
            let policy = answer.headers.first(name: "Content-Security-Policy") ?? ""
            #expect(policy.hasSuffix("; connect-src 'self' https://keycloak.example:8443"))
            #expect(policy.contains("default-src 'none'; script-src 'self';") && !policy.contains("unsafe"))
            #expect(answer.body.contains("data-client=\"c&lt;&quot;\""))
            for script in ["maintainers.js", "session.js"] {
                let path = answer.body.firstMatch(of: /\/assets\/[0-9a-f]+/).map { "\($0.0)/\(script)" } ?? ""
                #expect(try await backend.answer(to: HTTPClientRequest(url: backend.adminURL + path)).status == 200)
            }
            #expect(try await !backend.get("/").body.contains("Sign in"))
        }
    }

    @Test("what moves comes as a line: reports that are taken, say something new, or are refused")
    func live() async throws {
        try await RunningTestBackend.with { backend async throws in
            #expect(try await backend.answer(to: HTTPClientRequest(url: backend.adminURL + "/v1/live")).status == 401)
            try await lines(backend) { lines in
                var last = try await lines.next()
                #expect(last == Line(clusters: 0, nodes: 0, tenants: 0, accepted: 0, changed: 0, refused: 0))
                for _ in 1...2 { #expect(try await backend.post("cozy_tenants_count 2\n").status == 200) }
                while let line = last, line.accepted < 2 { last = try await lines.next() }
                #expect(last == Line(clusters: 1, nodes: 0, tenants: 2, accepted: 2, changed: 1, refused: 0))
                #expect(try await backend.post("nonsense").status == 400)
                last = try await lines.next()
                #expect(last == Line(clusters: 1, nodes: 0, tenants: 2, accepted: 2, changed: 1, refused: 1))
            }
            #expect(try backend.audit.lines().filter { $0.contains("\"operation\":\"live.read\"") }.count == 1)
        }
    }

    @Test("it ends with the backend, which does not wait for it")
    func stops() async throws {
        try await RunningTestBackend.with { backend async throws in
            try await lines(backend) { lines in
                _ = try await lines.next()
                await backend.group.triggerGracefulShutdown()
                while try await lines.next() != nil {}
            }
        }
    }

    @Test("so many may listen and no more, and there is room for others on the listener")
    func listeners() async throws {
        try await RunningTestBackend.with { backend async throws in
            var request = HTTPClientRequest(url: backend.adminURL + "/v1/live")
            request.headers = ["Authorization": "Bearer \(try backend.token(.viewer))"]
            var configuration = HTTPClient.Configuration()
            configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 2 * LiveFeed.mostListeners
            try await HTTPClient.withHTTPClient(configuration: configuration) { [request] client in
                func listen() async throws -> (HTTPResponseStatus, HTTPClientResponse.Body.AsyncIterator) {
                    let response = try await client.execute(request, timeout: .seconds(60))
                    var parts = response.body.makeAsyncIterator()
                    _ = try await parts.next()
                    return (response.status, parts)
                }
                var open: [HTTPClientResponse.Body.AsyncIterator] = []
                for _ in 0..<LiveFeed.mostListeners {
                    let (status, parts) = try await listen()
                    #expect(status == .ok)
                    open.append(parts)
                }
                #expect(try await listen().0 == .tooManyRequests)
                #expect(try await backend.metrics().contains("telemetry_access_decisions"))
            }
        }
    }

    @Test("where nothing moves there is a sign of life, and an end; a backend that only sends on has counters")
    func quiet() async throws {
        let registry = MetricsRegistry()
        var feed = LiveFeed(
            figures: nil,
            registry: registry,
            now: { UTCInstant(startOf: UTCDay(daysSinceEpoch: 20_000)) }
        )
        (feed.pause, feed.looksUntilSignOfLife, feed.looks) = (.milliseconds(1), 3, 7)
        var lines: [LiveFeed.Line] = []
        try await feed.run { lines.append($0) }
        let line = LiveFeed.Line(at: "2024-10-04T00:00:00Z", accepted: 0, changed: 0, refused: 0)
        #expect(lines == Array(repeating: line, count: 3))
    }
}

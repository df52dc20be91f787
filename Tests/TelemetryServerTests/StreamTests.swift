// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOSSL
import ReportStore
import ServiceLifecycle
import TelemetryModel
import Testing

@testable import TelemetryServer

@Suite("Streams of HTTP/2", .timeLimit(.minutes(1)))
struct StreamTests {
    private let files: ServerCertificates
    private let report = "cozy_tenants_count 2\n"

    init() async throws { files = try await ServerCertificates() }

    /// Has a backend that speaks TLS, and a client that asks it for HTTP/2.
    private func with(
        adjust: (inout BackendSettings) -> Void = { _ in },
        http version: HTTPClient.Configuration.HTTPVersion = .automatic,
        _ body: (RunningTestBackend, HTTPClient) async throws -> Void
    ) async throws {
        var configuration = HTTPClient.Configuration(tlsConfiguration: files.client())
        configuration.httpVersion = version
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        try await RunningTestBackend.with {
            $0.tls = files.server()
            adjust(&$0)
        } _: { backend async throws in
            let result = await Result { try await body(backend, client) }
            try await client.shutdown()
            try result.get()
        }
    }

    private typealias Answer = (status: Int, headers: HTTPHeaders, body: String, version: HTTPVersion)

    private func send(
        _ method: HTTPMethod,
        _ path: String,
        to backend: RunningTestBackend,
        over client: HTTPClient,
        headers: HTTPHeaders = [:],
        body: HTTPClientRequest.Body? = nil
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: backend.url.replacing("http://", with: "https://") + path)
        (request.method, request.headers, request.body) = (method, headers, body)
        let response = try await client.execute(request, timeout: .seconds(20))
        let bytes = try await response.body.collect(upTo: 1 << 20)
        return (Int(response.status.code), response.headers, String(buffer: bytes), response.version)
    }

    /// Sends a report.
    private func post(
        _ body: HTTPClientRequest.Body,
        to backend: RunningTestBackend,
        over client: HTTPClient,
        as cluster: String = "a"
    ) async throws -> Answer {
        try await send(.POST, "/", to: backend, over: client, headers: ["X-Cluster-ID": cluster], body: body)
    }

    @Test("reports are answered as on HTTP/1.1, which is spoken with those who do not ask for more")
    func answers() async throws {
        for version in [HTTPClient.Configuration.HTTPVersion.automatic, .http1Only] {
            try await with(adjust: { $0.largestBody = 1_000 }, http: version) { backend, client async throws in
                let isOne = version == .http1Only
                for _ in 1...2 {
                    let answer = try await post(.bytes(ByteBuffer(string: report)), to: backend, over: client)
                    #expect(answer.status == 200 && answer.body.isEmpty)
                    #expect(answer.version == (isOne ? .http1_1 : .http2))
                    #expect(answer.headers["accept-encoding"] == ["gzip"] && answer.headers["date"].count == 1)
                }
                let wrong = try await post(.bytes(ByteBuffer(string: "wrong\n")), to: backend, over: client)
                #expect(wrong.status == 400 && wrong.body.contains("error"))
                let long = String(repeating: "#", count: 2_000)
                let large = try await post(.bytes(ByteBuffer(string: long)), to: backend, over: client)
                #expect(large.status == 413 && large.body == "{\"error\":\"the body is over 1000 bytes\"}")
                #expect(large.headers["connection"] == (isOne ? ["close"] : []))
                let health = try await send(.GET, "/healthz", to: backend, over: client)
                #expect(health.status == 200 && health.body == "ok\n")
                let nothing = try await send(.PUT, "/nowhere", to: backend, over: client)
                #expect(nothing.status == 404)
            }
        }
    }

    @Test("many streams at once are each committed and answered, on one connection")
    func manyAtOnce() async throws {
        try await with { backend, client async throws in
            try await withThrowingTaskGroup(of: Int.self) { tasks in
                for number in 1...300 {
                    tasks.addTask {
                        let body = HTTPClientRequest.Body.bytes(ByteBuffer(string: report))
                        return try await post(body, to: backend, over: client, as: "cluster-\(number)").status
                    }
                }
                for try await status in tasks { #expect(status == 200) }
            }
            #expect(backend.store.clusterCount == 300)
            #expect(try await backend.metrics().contains("telemetry_connections 1\n"))
        }
    }

    @Test("a body that does not come in its time is 408, and other streams go on")
    func slowBody() async throws {
        try await with(adjust: { $0.connections.bodyTimeoutSeconds = 1 }) { backend, client async throws in
            let (parts, part) = AsyncStream.makeStream(of: ByteBuffer.self)
            part.yield(ByteBuffer(string: "cozy"))
            async let slow = post(.stream(parts, length: .unknown), to: backend, over: client)
            let quick = try await post(.bytes(ByteBuffer(string: report)), to: backend, over: client, as: "b")
            #expect(quick.status == 200)
            #expect(try await slow.status == 408)
            part.finish()
        }
    }

    @Test("after so many requests, or without any for long, the connection ends; no request is lost by that")
    func connectionEnds() async throws {
        try await with(adjust: { $0.connections.largestRequestCount = 3 }) { backend, client async throws in
            for number in 1...10 {
                let body = HTTPClientRequest.Body.bytes(ByteBuffer(string: report))
                #expect(try await post(body, to: backend, over: client, as: "\(number)").status == 200)
                guard number.isMultiple(of: 3) else { continue }
                while try await !backend.metrics().contains("telemetry_connections 0\n") { await Task.yield() }
            }
            #expect(backend.store.clusterCount == 10)
        }
        try await with(adjust: { $0.connections.idleTimeoutSeconds = 1 }) { backend, client async throws in
            #expect(try await send(.GET, "/healthz", to: backend, over: client).status == 200)
            while try await !backend.metrics().contains("telemetry_connections 0\n") { await Task.yield() }
        }
    }

    @Test("a report under way when the backend stops is still committed and answered")
    func stops() async throws {
        try await with { backend, client async throws in
            let (parts, part) = AsyncStream.makeStream(of: ByteBuffer.self)
            part.yield(ByteBuffer(string: report))
            async let answer = post(.stream(parts, length: .unknown), to: backend, over: client)
            while try await !backend.metrics().contains("telemetry_reports_in_flight 1\n") { await Task.yield() }
            await backend.group.triggerGracefulShutdown()
            // Nobody listens any more, so that the connection has heard of it, too.
            while (try? await RawConnection.with(backend) { _ in }) != nil { await Task.yield() }
            part.finish()
            #expect(try await answer.status == 200)
            #expect(backend.store.clusterCount == 1)
        }
    }

    @Test("who does not get through the handshake has the time of a head")
    func silentHandshake() async throws {
        try await with(adjust: { $0.connections.headTimeoutSeconds = 1 }) { backend, _ async throws in
            try await RawConnection.with(backend) { connection async throws in
                #expect(try await connection.isClosed())
            }
            #expect(try await backend.metrics().contains("telemetry_connections 0\n"))
        }
    }

    @Test("a trusted proxy says before TLS for whom it speaks, and connections for one address are bounded")
    func proxied() async throws {
        let block = try #require(AddressBlock("127.0.0.0/8"))
        let adjust: (inout BackendSettings) -> Void = {
            $0.trustedProxies = [block]
            $0.connections.largestCountPerAddress = 1
        }
        let tls = try NIOSSLContext(configuration: files.client())
        func header(_ address: String) -> String { "PROXY TCP4 \(address) 198.51.100.1 4711 443\r\n" }
        try await with(adjust: adjust) { backend, client async throws in
            try await RawConnection.with(backend, after: header("192.0.2.1"), tls: tls) { first in
                try await first.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(try await first.answer()?.status == 200)
                await #expect(throws: (any Error).self) {
                    try await RawConnection.with(backend, after: header("192.0.2.1"), tls: tls) {
                        try await $0.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
                        try #require(try await $0.answer() != nil)
                    }
                }
                try await RawConnection.with(backend, after: header("192.0.2.2"), tls: tls) { other in
                    try await other.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
                    #expect(try await other.answer()?.status == 200)
                }
            }
            // A proxy need not say so.
            #expect(try await send(.GET, "/healthz", to: backend, over: client).status == 200)
        }
    }
}

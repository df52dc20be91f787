// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOSSL
import ReportStore
import TelemetryModel
import TelemetryTesting
import Testing

@testable import TelemetryServer

@Suite("TLS")
struct TLSTests {
    private let files: ServerCertificates

    init() async throws { files = try await ServerCertificates() }

    /// What a client trusts and shows, upTo a version of TLS.
    private func client(
        trusting authority: String = "one",
        as name: String? = nil,
        upTo latest: TLSVersion = .tlsv13,
        http version: HTTPClient.Configuration.HTTPVersion = .automatic
    ) throws -> HTTPClient {
        var tls = files.client(trusting: authority)
        tls.minimumTLSVersion = .tlsv1
        tls.maximumTLSVersion = latest
        if let name {
            let certificates = try NIOSSLCertificate.fromPEMFile(files.path("\(name).crt"))
            tls.certificateChain = certificates.map { .certificate($0) }
            tls.privateKey = .privateKey(try NIOSSLPrivateKey(file: files.path("\(name).key"), format: .pem))
        }
        var configuration = HTTPClient.Configuration(tlsConfiguration: tls)
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.httpVersion = version
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// Sends one request, of a client of its own where none is given.
    private func get(_ url: String, over client: HTTPClient, body: String? = nil) async throws -> HTTPClientResponse {
        var request = HTTPClientRequest(url: url.replacing("http://", with: "https://"))
        if let body {
            request.method = .POST
            request.headers = ["X-Cluster-ID": "a"]
            request.body = .bytes(ByteBuffer(string: body))
        }
        let response = try await client.execute(request, timeout: .seconds(30))
        _ = try await response.body.collect(upTo: 1 << 20)
        return response
    }

    private func once(_ url: String, _ client: HTTPClient, body: String? = nil) async throws -> HTTPClientResponse {
        let result = await Result { try await get(url, over: client, body: body) }
        try await client.shutdown()
        return try result.get()
    }

    @Test("reports and figures go over TLS 1.2 and 1.3, nothing over 1.1 or without TLS")
    func publicListener() async throws {
        let files = files
        try await RunningTestBackend.with(adjust: { $0.tls = files.server() }) { backend async throws in
            for version in [TLSVersion.tlsv12, .tlsv13] {
                let client = try client(upTo: version)
                #expect(try await once(backend.url + "/", client, body: "cozy_tenants_count 2\n").status == .ok)
            }
            let overview = try await once(backend.url + "/api/overview?year=2026&month=3", try client())
            #expect(overview.status == .ok && overview.version == .http2)
            #expect(overview.headers.first(name: "Strict-Transport-Security") == "max-age=31536000")
            let old = try client(upTo: .tlsv11)
            await #expect(throws: (any Error).self) { try await once(backend.url + "/healthz", old) }
            await #expect(throws: (any Error).self) { try await backend.get("/healthz") }
            #expect(backend.store.clusterCount == 1)
        }
    }

    @Test("the private listener speaks HTTP/2 and HTTP/1.1, and lets in nobody without a certificate that it trusts")
    func privateListener() async throws {
        let files = files
        let adjust: (inout BackendSettings) -> Void = { $0.adminTLS = files.server(clients: "one") }
        try await RunningTestBackend.with(adjust: adjust) { backend async throws in
            let metrics = try await once(backend.adminURL + "/metrics", try client(as: "client"))
            #expect(metrics.status == .ok && metrics.version == .http2)
            #expect(metrics.headers.first(name: "Strict-Transport-Security") != nil)
            let access = try await once(backend.adminURL + "/v1/tokens", try client(as: "client"))
            #expect(access.status == .unauthorized && access.version == .http2)
            for name in [nil, "stranger"] {
                let client = try client(as: name)
                await #expect(throws: (any Error).self) { try await once(backend.adminURL + "/healthz", client) }
            }
            let old = try await backend.get("/healthz")
            #expect(old.status == 200 && old.headers.first(name: "Strict-Transport-Security") == nil)
        }
    }

    @Test("authorities that change let in others from then on; a file that is none changes nothing")
    func otherAuthorities() async throws {
        let files = files
        let adjust: (inout BackendSettings) -> Void = { $0.adminTLS = files.server(clients: "live-clients") }
        try files.copy("one.crt", to: "live-clients.crt")
        try await RunningTestBackend.with(adjust: adjust) { backend async throws in
            func isLetIn(_ name: String) async throws -> Bool {
                let client = try client(as: name)
                return (try? await once(backend.adminURL + "/healthz", client))?.status == .ok
            }
            #expect(try await isLetIn("client"))
            #expect(try await !isLetIn("stranger"))
            try "nothing".write(toFile: files.path("live-clients.crt"), atomically: true, encoding: .utf8)
            #expect(try await isLetIn("client"))
            #expect(try await !isLetIn("stranger"))
            #expect(backend.log.recorded.count { $0.contains("authorities of clients cannot be read") } == 1)
            try files.copy("two.crt", to: "live-clients.crt")
            #expect(try await !isLetIn("client"))
            #expect(try await isLetIn("stranger"))
        }
    }

    @Test("who does not get through the handshake of the private listener is closed", .timeLimit(.minutes(1)))
    func silentHandshake() async throws {
        let files = files
        let adjust: (inout BackendSettings) -> Void = {
            $0.adminTLS = files.server()
            $0.connections.headTimeoutSeconds = 1
        }
        try await RunningTestBackend.with(adjust: adjust) { backend async throws in
            try await RawConnection.with(backend, url: backend.adminURL) { connection async throws in
                #expect(try await connection.isClosed())
            }
        }
    }

    @Test(
        "a certificate that changes is used by new connections, and those that are there go on",
        .timeLimit(.minutes(1))
    )
    func reloads() async throws {
        let files = files
        let adjust: (inout BackendSettings) -> Void = {
            $0.tls = files.server()
            $0.certificateInterval = .milliseconds(20)
        }
        try await RunningTestBackend.with(adjust: adjust) { backend async throws in
            // It trusts the old authority alone, so its second request can only go over its first connection.
            let before = try client()
            #expect(try await get(backend.url + "/healthz", over: before).status == .ok)
            try files.replaceServer(by: "other")
            for await line in backend.log.lines where line.contains("new connections get another certificate") { break }
            #expect(try await once(backend.url + "/healthz", try client(trusting: "two")).status == .ok)
            let late = try client()
            await #expect(throws: (any Error).self) { try await once(backend.url + "/healthz", late) }
            #expect(try await get(backend.url + "/healthz", over: before).status == .ok)
            try await before.shutdown()

            try "nothing".write(toFile: files.path("live.crt"), atomically: true, encoding: .utf8)
            for await line in backend.log.lines where line.contains("any certificates") { break }
            #expect(try await once(backend.url + "/healthz", try client(trusting: "two")).status == .ok)
            #expect(backend.log.recorded.count { $0.contains("any certificates") } == 1)
        }
    }

    @Test("files that are missing, no certificates or do not belong together are said before anything listens")
    func wrongFiles() throws {
        for (certificate, key, authority) in [
            ("none", "server", nil), ("server", "none", nil), ("server", "other", nil), ("server", "server", "none"),
        ] as [(String, String, String?)] {
            let wrong = TLSFiles(
                certificate: files.path("\(certificate).crt"),
                key: files.path("\(key).key"),
                clientAuthorities: authority.map { files.path("\($0).crt") }
            )
            let error = #expect(throws: BackendError.self) {
                try ListenerTLS(wrong, every: .seconds(5), logger: LogRecorder().logger)
            }
            #expect(error?.description.contains(wrong.certificate) == true)
        }
    }

    @Test("browsers are told what not to do with an answer")
    func headers() async throws {
        try await RunningTestBackend.with { backend async throws in
            for path in ["/", "/healthz", "/nothing", "/api/overview"] {
                // GET of / is a page, which says more.
                let headers = try await backend.get(path, method: path == "/" ? .PUT : .GET).headers
                #expect(headers["X-Content-Type-Options"] == ["nosniff"])
                #expect(headers["Referrer-Policy"] == ["no-referrer"])
                #expect(headers["Content-Security-Policy"] == ["default-src 'none'; frame-ancestors 'none'"])
                #expect(headers["X-Frame-Options"] == ["DENY"])
                let isOpen = path == "/api/overview"
                #expect(headers["Cross-Origin-Resource-Policy"] == (isOpen ? [] : ["same-origin"]))
            }
        }
    }
}

/// Two authorities, `one` and `two`; of the first `server` and `client`, of the second `other` and `stranger`.
struct ServerCertificates {
    let directory: TemporaryDirectory

    /// Makes them with openssl; `live` is what a listener reads, and is `server` at first.
    init() async throws {
        directory = try TemporaryDirectory()
        let script = """
            set -e
            cd "$0"
            new="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
            printf 'subjectAltName=IP:127.0.0.1\n' > names.ext
            for authority in one two; do
              openssl req -x509 $new -days 2 -keyout $authority.key -out $authority.crt -subj /CN=$authority
            done
            for pair in server:one client:one other:two stranger:two; do
              name=${pair%:*} authority=${pair#*:}
              openssl req $new -keyout $name.key -out $name.csr -subj /CN=$name
              openssl x509 -req -in $name.csr -CA $authority.crt -CAkey $authority.key -CAcreateserial -days 2 \
                -out $name.crt -extfile names.ext
            done
            """
        let ending = try await RunningProgram(command: ["sh", "-c", script, directory.path]).ending()
        try #require(ending.status == 0, "\(ending.errors)")
        try replaceServer(by: "server")
    }

    /// The path of a file.
    func path(_ name: String) -> String { directory.path + "/" + name }

    /// How a client speaks TLS that trusts an authority.
    func client(trusting authority: String = "one") -> TLSConfiguration {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.trustRoots = .file(path("\(authority).crt"))
        return tls
    }

    /// What a listener speaks TLS with, and whose clients it lets in.
    func server(clients authority: String? = nil) -> TLSFiles {
        TLSFiles(
            certificate: path("live.crt"),
            key: path("live.key"),
            clientAuthorities: authority.map { path("\($0).crt") }
        )
    }

    /// Puts a file in the place of another.
    func copy(_ name: String, to other: String) throws {
        try Data(contentsOf: URL(filePath: path(name))).write(to: URL(filePath: path(other)), options: .atomic)
    }

    /// Has a listener read another certificate and key; in between they do not belong together.
    func replaceServer(by name: String) throws {
        for suffix in ["key", "crt"] {
            try copy("\(name).\(suffix)", to: "live.\(suffix)")
        }
    }
}

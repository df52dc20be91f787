// SPDX-License-Identifier: Apache-2.0

import Foundation
import Kubernetes
import TelemetryTesting
import Testing

@Suite("Answers of every kind", .timeLimit(.minutes(1)))
struct ClientAnswerTests {
    typealias StandIn = ControlPlaneStandIn

    /// Runs a body with a client of a server with prepared answers.
    @discardableResult
    private func withClient<Result>(
        _ answers: [String],
        limits: KubernetesClient.Limits = .init(),
        token: KubernetesConfiguration.BearerToken = .none,
        _ body: (KubernetesClient, StandIn) async throws -> Result
    ) async throws -> Result {
        try await StandIn.with(answers) { server in
            let configuration = KubernetesConfiguration(server: server.url, token: token)
            return try await KubernetesClient.withClient(configuration: configuration, limits: limits) { client in
                try await body(client, server)
            }
        }
    }

    @Test(
        "an answer that is no success is an error with its type",
        arguments: [
            ("401 Unauthorized", [], KubernetesError.unauthorized(path: "/version")),
            ("403 Forbidden", [], .forbidden(path: "/version")),
            ("404 Not Found", [], .notFound(path: "/version")),
            ("409 Conflict", [], .conflict(path: "/version")),
            ("410 Gone", [], .gone(path: "/version")),
            ("429 Too Many Requests", ["Retry-After: 7"], .tooManyRequests(path: "/version", retryAfter: .seconds(7))),
            ("429 Too Many Requests", [], .tooManyRequests(path: "/version", retryAfter: nil)),
            ("500 Oops", [], .status(code: 500, reason: "InternalError", path: "/version")),
            ("302 Found", ["Location: /elsewhere"], .status(code: 302, reason: "InternalError", path: "/version")),
        ]
    )
    func errors(status: String, headers: [String], expected: KubernetesError) async throws {
        let body = #"{"kind":"Status","reason":"InternalError","message":"a secret"}"#
        try await withClient([StandIn.json(body, status: status, headers: headers)]) { client, _ in
            await #expect(throws: expected) { _ = try await client.version() }
        }
    }

    @Test("a token that no header can hold is an error that does not repeat it")
    func malformedToken() async throws {
        try await withClient([], token: .text("s3c\nret")) { client, _ in
            do {
                _ = try await client.version()
                Issue.record("the call succeeded")
            } catch {
                #expect(!"\(error)".contains("s3c"))
                #expect(!String(reflecting: error).contains("s3c"))
            }
        }
    }

    @Test("a reason that is not a plain word is not repeated")
    func strangeReason() async throws {
        let answer = StandIn.json(#"{"reason":"token=abc"}"#, status: "500 Oops")
        try await withClient([answer]) { client, _ in
            await #expect(throws: KubernetesError.status(code: 500, reason: "(no reason)", path: "/version")) {
                _ = try await client.version()
            }
        }
    }

    @Test(
        "a server that stops answering runs into the deadline",
        arguments: ["", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"]
    )
    func deadline(answer: String) async throws {
        try await withClient([answer], limits: .init(call: .milliseconds(200))) { client, _ in
            let start = ContinuousClock.now
            defer { #expect(ContinuousClock.now - start < .seconds(10)) }
            await #expect(throws: KubernetesError.deadlineExceeded(path: "/version")) {
                _ = try await client.version()
            }
        }
    }

    @Test("a watch whose server never answers runs into the deadline")
    func watchDeadline() async throws {
        try await withClient([], limits: .init(call: .milliseconds(200))) { client, _ in
            var events = client.watch(.configMaps).makeAsyncIterator()
            await #expect(throws: KubernetesError.deadlineExceeded(path: "/api/v1/configmaps")) {
                _ = try await events.next()
            }
        }
    }

    @Test("nobody listening is said with the server and the reason")
    func unreachable() async throws {
        let url = try await StandIn.with([]) { $0.url }
        let limits = KubernetesClient.Limits(connect: .milliseconds(100))
        try await KubernetesClient.withClient(configuration: .init(server: url), limits: limits) { client in
            let error = await #expect(throws: KubernetesError.self) { _ = try await client.version() }
            guard case .unreachable(url, _) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
        }
    }

    @Test("a cancelled call ends as cancelled")
    func cancellation() async throws {
        try await withClient([]) { client, _ in
            let call = Task { try await client.version() }
            call.cancel()
            await #expect(throws: CancellationError.self) { try await call.value }
        }
    }

    @Test("an answer over the limit, and one that is not JSON, are invalid")
    func invalidAnswers() async throws {
        let large = StandIn.json(#"{"gitVersion":"\#(String(repeating: "v", count: 2_000))"}"#)
        try await withClient([large, StandIn.json("<html>")], limits: .init(responseBytes: 1_000)) { client, _ in
            for reason in ["it is larger than 1000 bytes", "not the JSON that this call answers with"] {
                await #expect(throws: KubernetesError.invalidResponse(path: "/version", reason: reason)) {
                    _ = try await client.version()
                }
            }
        }
    }

    @Test("a token file is read for every request; while it is gone, the last token is used")
    func tokenRotation() async throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("one\n", to: "token")
        let answer = StandIn.json(#"{"gitVersion":"v1"}"#)
        try await withClient([answer, answer, answer], token: .file(path)) { client, server in
            _ = try await client.version()
            try folder.write("two\n", to: "token")
            _ = try await client.version()
            try FileManager.default.removeItem(atPath: path)
            _ = try await client.version()
            let tokens = server.requests.map { head in
                head.split(separator: "\r\n").first { $0.hasPrefix("Authorization: ") } ?? ""
            }
            #expect(tokens == ["Authorization: Bearer one", "Authorization: Bearer two", "Authorization: Bearer two"])
        }
    }

    @Test("a token file that was never there is an error that names it")
    func noToken() async throws {
        try await withClient([], token: .file("/nowhere/token")) { client, _ in
            let expected = KubernetesError.tokenUnreadable(file: "/nowhere/token", reason: "there is no such file")
            await #expect(throws: expected) { _ = try await client.version() }
        }
    }

    @Test("objects without any optional field, or with fields of another type, do not fail a list")
    func tolerance() async throws {
        let bare = #"{"metadata":{"name":"a"}}"#
        let odd = #"{"metadata":{"name":"b","labels":7},"spec":{"version":1.5,"kind":"etcd"},"status":"none"}"#
        try await withClient([StandIn.json(#"{"items":[{},\#(bare),\#(odd)]}"#)]) { client, _ in
            var monitors: [WorkloadMonitor] = []
            for try await page in client.list(.workloadMonitors) { monitors += page.items }
            #expect(monitors.map(\.metadata.name) == ["", "a", "b"])
            #expect(monitors.map(\.kind) == ["", "", "etcd"])
            #expect(monitors.map(\.version) == ["", "", ""])
        }
    }

    @Test("a list whose snapshot expires goes on with the token that the server gives")
    func expiredList() async throws {
        func page(_ name: String, next: String) -> String {
            StandIn.json(#"{"metadata":{"continue":"\#(next)"},"items":[{"metadata":{"name":"\#(name)"}}]}"#)
        }
        let expired = StandIn.json(#"{"code":410,"metadata":{"continue":"new"}}"#, status: "410 Gone")
        try await withClient([page("a", next: "old"), expired, page("b", next: "")]) { client, server in
            var names: [String] = []
            for try await page in client.list(.nodes, pageSize: 1) { names += page.items.map(\.metadata.name) }
            #expect(names == ["a", "b"])
            let targets = server.requests.compactMap { $0.split(separator: " ").dropFirst().first }
            #expect(
                targets == [
                    "/api/v1/nodes?limit=1", "/api/v1/nodes?limit=1&continue=old", "/api/v1/nodes?limit=1&continue=new",
                ]
            )
        }
    }

    @Test("events are read wherever the chunks end; unknown ones are left out; an error event ends the watch")
    func watchChunks() async throws {
        let lines =
            #"{"type":"ADDED","object":{"metadata":{"name":"ä"}}}"# + "\n\n"
            + #"{"type":"NOVEL","object":{}}"# + "\n"
            + #"{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9"}}}"# + "\n"
            + #"{"type":"ERROR","object":{"code":410,"reason":"Expired"}}"# + "\n"
        let chunks = lines.unicodeScalars.map(String.init)
        try await withClient([StandIn.chunked(chunks)]) { client, _ in
            var events = client.watch(Resource<HelmRelease>.helmReleases.metadataOnly).makeAsyncIterator()
            guard case .added(let object) = try await events.next() else {
                Issue.record("the first event is not an addition")
                return
            }
            #expect(object.metadata.name == "ä")
            let second = try await events.next()
            #expect(second == .bookmark(resourceVersion: "9"))
            let path = "/apis/helm.toolkit.fluxcd.io/v2/helmreleases"
            await #expect(throws: KubernetesError.gone(path: path)) { _ = try await events.next() }
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import NIOCore
import Synchronization
import TelemetryModel
import Testing

@testable import TelemetryAgent

@Suite("Delivery", .timeLimit(.minutes(1)))
struct DeliveryTests {
    /// What a report that an endpoint cannot take is answered with.
    private func unreachable(_ reason: String) -> DeliveryAnswer {
        .retry(after: nil, reason: .undeliverable(reason: reason))
    }

    private func answer(
        _ behaviour: MisbehavingEndpoint.Behaviour,
        limit: Duration = .seconds(20)
    ) async throws -> DeliveryAnswer {
        try await MisbehavingEndpoint.with(behaviour) { endpoint, url async throws in
            let answer = try await Delivery.attempt(url, limit: limit).answer
            // A busy machine may not even connect before a short limit.
            #expect(endpoint.connections.withLock { $0 } <= 1)
            return answer
        }
    }

    @Test("a report is posted with the two headers, as it is", arguments: ["127.0.0.1", "::1"])
    func request(host: String) async throws {
        try await TelemetryReceiver.with(host: host) { receiver async throws in
            #expect(receiver.url.contains("[::1]") == (host == "::1"))
            #expect(try await Delivery.attempt(receiver.url).answer == .accepted)
            var requests = receiver.requests.makeAsyncIterator()
            let request = await requests.next()
            #expect(request?.line == "POST /")
            #expect(request?.headers["Content-Type"] == "text/plain")
            #expect(request?.headers["X-Cluster-ID"] == ClusterID.example.text)
            #expect(request?.headers["Content-Encoding"] == nil)
            #expect(request?.body == "cozy_tenants_count 2\n")
        }
    }

    @Test("what an endpoint answers decides", arguments: [201, 204, 400, 401, 404, 408, 413, 425, 429, 500, 503])
    func statuses(status: Int) async throws {
        let headers = [("Retry-After", "7"), ("Accept-Encoding", "br"), ("Accept-Encoding", "gzip")]
        try await TelemetryReceiver.with(.replies([.init(status: status, headers: headers)])) { receiver async throws in
            let reply = try await Delivery.attempt(receiver.url)
            let isFinal = status < 408 || status == 413
            let failure = AgentError.refused(status: status)
            #expect(reply.answer == (isFinal ? .refused(status: status) : .retry(after: .seconds(7), reason: failure)))
            #expect(reply.codings == ["br", "gzip"])
        }
    }

    @Test("a date in Retry-After is one by the clock of who answers")
    func otherClock() async throws {
        let headers = [("Retry-After", "Sun, 06 Nov 1994 08:50:37 GMT"), ("Date", "Sun, 06 Nov 1994 08:49:37 GMT")]
        try await TelemetryReceiver.with(.replies([.init(status: 503, headers: headers)])) { receiver async throws in
            let answer = try await Delivery.attempt(receiver.url).answer
            #expect(answer == .retry(after: .seconds(60), reason: .refused(status: 503)))
        }
    }

    @Test("a redirect is not followed: the other host sees no connection", arguments: [301, 302, 303, 307, 308])
    func redirect(status: Int) async throws {
        try await MisbehavingEndpoint.with(.says("")) { other, url async throws in
            let reply = TelemetryReceiver.Reply(status: status, headers: [("Location", url)])
            try await TelemetryReceiver.with(.replies([reply])) { receiver async throws in
                #expect(try await Delivery.attempt(receiver.url).answer == .refused(status: status))
            }
            #expect(other.connections.withLock { $0 } == 0)
        }
    }

    @Test("an endpoint that never answers, or stops within the head, runs into the deadline of the request")
    func silence() async throws {
        for text in ["", "HTTP/1.1 200 O", "HTTP/1.1 200 OK\r\nContent-Len"] {
            #expect(try await answer(.says(text), limit: .milliseconds(200)) == .late)
        }
    }

    @Test("an endpoint that hangs after the head has answered, whatever it announced")
    func hangingBody() async throws {
        let head = "Content-Type: text/plain\r\nContent-Length: 1000\r\n\r\nbegun"
        #expect(try await answer(.says("HTTP/1.1 200 OK\r\n" + head)) == .accepted)
        #expect(try await answer(.says("HTTP/1.1 400 No\r\n" + head)) == .refused(status: 400))
    }

    @Test("an endpoint that drops all packets runs into the deadline of the connection")
    func blackHole() async throws {
        let hole = try BlackHole()
        var transport = try DeliveryTransport(to: hole.url)
        #expect(transport.connectLimit == .seconds(5))
        transport.connectLimit = .milliseconds(200)
        #expect(try await Delivery.attempt(hole.url, by: transport).answer == unreachable("no connection in time"))
    }

    @Test("an endpoint that takes the connection and does not speak TLS runs into the deadline of the connection")
    func silentTLS() async throws {
        try await MisbehavingEndpoint.with(.says("")) { _, url async throws in
            var transport = try DeliveryTransport(to: url)
            transport.connectLimit = .milliseconds(200)
            let answer = try await Delivery.attempt("https:" + url.dropFirst("http:".count), by: transport).answer
            #expect(answer == unreachable("no connection in time"))
        }
    }

    @Test("connections that are reset, closed or not HTTP")
    func broken() async throws {
        #expect(try await answer(.resets) == unreachable("Connection reset by peer"))
        #expect(try await answer(.closes(after: "")) == unreachable("the connection was closed without an answer"))
        let half = "HTTP/1.1 200 OK\r\nContent"
        #expect(try await answer(.closes(after: half)) == unreachable("the connection was closed without an answer"))
        for garbage in ["SSH-2.0-OpenSSH_9.6\r\n", "\u{0}\u{1}\u{2}\u{3}", "HTTP/1.1 2000 OK\r\n\r\n"] {
            #expect(try await answer(.closes(after: garbage)) == unreachable("what answers is not HTTP"))
        }
    }

    @Test("an endpoint without an end to its head is not read for ever")
    func endlessHead() async throws {
        let head =
            "HTTP/1.1 200 OK\r\n" + String(repeating: "a: \(String(repeating: "b", count: 1_000))\r\n", count: 2_000)
        guard case .retry = try await answer(.says(head), limit: .seconds(5)) else {
            Issue.record("it was taken for an answer")
            return
        }
    }

    @Test("an endpoint where nobody listens, or of an unknown name, is said without its address")
    func nobody() async throws {
        let url = try await TelemetryReceiver.with { $0.url }
        #expect(try await Delivery.attempt(url).answer == unreachable("Connection refused"))
        let unknown = try await Delivery.attempt("http://telemetry.invalid:1").answer
        #expect(unknown == unreachable("its name is not known"))
    }

    @Test("a cancelled delivery ends at once, with its connection")
    func cancellation() async throws {
        try await MisbehavingEndpoint.with(.says("")) { endpoint, url async throws in
            let task = Task { try await Delivery.attempt(url) }
            for await _ in endpoint.begun { break }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            for await _ in endpoint.closed { break }
        }
    }

    @Test("what a backend says is wrong is one line for people")
    func explanation() async throws {
        let text = #"{"error": "line one\n\u001b[31mred ☃"}"#
        let head = "HTTP/1.1 400 Bad Request\r\nContent-Length: \(text.utf8.count)\r\n\r\n"
        try await MisbehavingEndpoint.with(.says(head + text)) { _, url async throws in
            #expect(try await Delivery.attempt(url).explanation == "line one[31mred ")
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TelemetryTesting
import Testing

@testable import Kubernetes

@Suite("Lists that are interrupted", .timeLimit(.minutes(1)))
struct InterruptedListTests {
    typealias StandIn = ControlPlaneStandIn

    /// What became of a list of nodes.
    private struct Outcome {
        var names: [String] = []
        var error: KubernetesError?
        var waits: [Duration] = []
        var targets: [String] = []
    }

    /// Lists nodes one by one, with waits that are written down and not waited.
    private func list(_ answers: [String], limits: KubernetesClient.Limits = .init()) async throws -> Outcome {
        try await StandIn.with(answers) { server in
            let waits = WaitRecorder()
            var outcome = Outcome()
            try await KubernetesClient.withClient(configuration: .init(server: server.url), limits: limits) { client in
                var client = client
                client.transport.pause = waits.record
                do {
                    for try await page in client.list(.nodes, pageSize: 1) {
                        outcome.names += page.items.map(\.metadata.name)
                    }
                } catch let error as KubernetesError {
                    outcome.error = error
                }
            }
            outcome.waits = waits.all
            outcome.targets = server.requests.compactMap { $0.split(separator: " ").dropFirst().first.map(String.init) }
            return outcome
        }
    }

    private func page(_ name: String, next: String = "") -> String {
        StandIn.json(#"{"metadata":{"continue":"\#(next)"},"items":[{"metadata":{"name":"\#(name)"}}]}"#)
    }

    private static let first = "/api/v1/nodes?limit=1"
    private static let second = "/api/v1/nodes?limit=1&continue=t"

    @Test("a busy server is given the time that it asks for, and asked for the same page")
    func throttled() async throws {
        let busy = StandIn.json("{}", status: "429 Too Many Requests", headers: ["Retry-After: 7"])
        let outcome = try await list([page("a", next: "t"), busy, busy, page("b")])
        #expect(outcome.names == ["a", "b"] && outcome.error == nil)
        #expect(outcome.waits == [.seconds(7), .seconds(7)])
        #expect(outcome.targets == [Self.first, Self.second, Self.second, Self.second])
    }

    @Test("a wait that is longer than the list may take is not begun")
    func throttledForLong() async throws {
        let busy = StandIn.json("{}", status: "429 Too Many Requests", headers: ["Retry-After: 181"])
        let outcome = try await list([page("a", next: "t"), busy, page("b")])
        #expect(outcome.error == .tooManyRequests(path: "/api/v1/nodes", retryAfter: .seconds(181)))
        #expect(outcome.waits.isEmpty)
    }

    @Test(
        "a page that breaks off is read again, and none of its objects comes twice",
        arguments: [
            "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"items\":[{\"metadata\":{\"name\":\"b\"}},", "",
        ]
    )
    func broken(part: String) async throws {
        let outcome = try await list([page("a", next: "t"), StandIn.closing(part), page("b")])
        #expect(outcome.names == ["a", "b"] && outcome.error == nil)
        #expect(outcome.targets == [Self.first, Self.second, Self.second])
    }

    @Test("a server that cannot answer is asked a few times, then the list has failed")
    func unavailable() async throws {
        let down = StandIn.json("{}", status: "503 Service Unavailable")
        let outcome = try await list(Array(repeating: down, count: 9))
        #expect(outcome.targets.count == 6 && outcome.waits.count == 5)
        #expect(outcome.error == .status(code: 503, reason: "Service Unavailable", path: "/api/v1/nodes"))
    }

    @Test(
        "a list that is not what it should be is an error with its type",
        arguments: [
            #"{"items":[{"metadata":{"name":"a"}}"#, #"{"items":[{"metadata":}]}"#, #"{"items":[{}{}]}"#,
            #"{"items":["a"]}"#,
            "<html>", "",
        ]
    )
    func malformed(body: String) async throws {
        let outcome = try await list([StandIn.json(body)])
        let reason = "not the JSON that this call answers with"
        #expect(outcome.error == .invalidResponse(path: "/api/v1/nodes", reason: reason))
    }

    @Test("an object that is too large is an error with its type")
    func large() async throws {
        let outcome = try await list([page(String(repeating: "a", count: 2_000))], limits: .init(itemBytes: 1_000))
        let reason = "an item is larger than 1000 bytes"
        #expect(outcome.error == .invalidResponse(path: "/api/v1/nodes", reason: reason))
    }

    @Test("a list as a whole runs into its deadline")
    func deadline() async throws {
        let outcome = try await list([page("a", next: "t"), ""], limits: .init(list: .seconds(3)))
        #expect(outcome.names == ["a"] && outcome.error == .deadlineExceeded(path: "/api/v1/nodes"))
    }
}

/// Writes down how long it should have waited.
private final class WaitRecorder: Sendable {
    private let waits = Mutex<[Duration]>([])

    var all: [Duration] { waits.withLock { $0 } }

    @Sendable func record(_ wait: Duration) { waits.withLock { $0.append(wait) } }
}

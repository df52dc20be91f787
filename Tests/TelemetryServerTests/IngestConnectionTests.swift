// SPDX-License-Identifier: Apache-2.0

import Foundation
import Gzip
import NIOCore
import NIOHTTP1
import ReportStore
import ServiceLifecycle
import Testing

@testable import TelemetryServer

@Suite("Connections", .timeLimit(.minutes(2)))
struct IngestConnectionTests {
    private let report = "cozy_tenants_count 2\n"
    private let line = "POST / HTTP/1.1\r\nHost: a\r\n"
    private var head: String { line + "X-Cluster-ID: a\r\n" }
    private var post: String { head + "Content-Length: \(report.utf8.count)\r\n\r\n" + report }
    private var chunked: String {
        head + "Transfer-Encoding: chunked\r\n\r\n" + chunk(report.prefix(7)) + chunk(report.dropFirst(7)) + chunk("")
    }

    private func chunk(_ text: some StringProtocol) -> String {
        String(text.utf8.count, radix: 16) + "\r\n\(text)\r\n"
    }

    @Test("reports and other requests on one connection are answered in their order, pipelined or not")
    func mixes() async throws {
        let health = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
        let requests = [
            (post, 200), (health, 200), (chunked, 200), (line + "Content-Length: 3\r\n\r\nabc", 400), (health, 200),
            (health, 200), ("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", 200), (post, 200),
            ("PUT /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", 404), (post, 200),
            ("POST http://a/?b HTTP/1.1\r\nHost: a\r\nX-Cluster-ID: b\r\nContent-Length: 1\r\n\r\nx", 400), (post, 200),
        ]
        try await RunningTestBackend.with { backend async throws in
            for all in [[requests.map(\.0).joined()], requests.map(\.0)] {
                try await RawConnection.with(backend) { connection in
                    let isPipelined = all.count == 1
                    if isPipelined { try await connection.send(all[0]) }
                    for (request, status) in requests {
                        if !isPipelined { try await connection.send(request) }
                        let answer = try await connection.answer(headOnly: request.hasPrefix("HEAD"))
                        #expect(answer?.status == status, "\(request)")
                        #expect(answer?.headers["date"]?.hasSuffix(" GMT") == true)
                        #expect(answer?.headers["connection"] == nil)
                    }
                }
            }
            try await RawConnection.with(backend) { connection in
                for byte in post { try await connection.send(String(byte)) }
                #expect(try await connection.answer()?.status == 200)
            }
        }
    }

    @Test("the last answer says that it is the last one, and the connection is closed")
    func lastRequests() async throws {
        try await RunningTestBackend.with { backend async throws in
            for (text, status) in [
                (post.replacing("Host: a", with: "Connection: close"), 200), (post.replacing("1.1", with: "1.0"), 200),
                ("GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n", 200), ("NONSENSE\r\n\r\n", 400),
                (head + "A: " + String(repeating: "a", count: 100_000), 431),
                (head + String(repeating: "A: b\r\n", count: 1_001), 431),
                ("GET /" + String(repeating: "a", count: 100_000), 431), ("POST / HTTP/2.7\r\n\r\n", 400),
                (head + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400),
                ("PUT /nowhere HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 400),
            ] {
                try await RawConnection.with(backend) { connection in
                    try await connection.send(text)
                    let answer = try await connection.answer()
                    #expect(answer?.status == status, "\(text.prefix(60))")
                    #expect(answer?.headers["connection"] == "close", "\(text.prefix(60))")
                    #expect(try await connection.isClosed())
                }
            }
            try await RawConnection.with(backend) { connection in
                try await connection.send(post + "NONSENSE\r\n\r\n")
                #expect(try await connection.answer()?.status == 200)
                #expect(try await connection.answer()?.status == 400)
                #expect(try await connection.isClosed())
            }
        }
    }

    @Test("100 Continue comes before a body that is going to be read, and the refusal instead of it otherwise")
    func expectations() async throws {
        try await RunningTestBackend.with { backend async throws in
            try await RawConnection.with(backend) { connection in
                for _ in 1...2 {
                    try await connection.send(head + "Expect: 100-continue\r\nContent-Length: 21\r\n\r\n")
                    #expect(try await connection.answer()?.status == 100)
                    try await connection.send(report)
                    #expect(try await connection.answer()?.status == 200)
                }
                try await connection.send(head + "Expect: 100-continue\r\nContent-Length: 100000000\r\n\r\n")
                #expect(try await connection.answer()?.status == 413)
                #expect(try await connection.isClosed())
            }
        }
    }

    @Test(
        "413 is told to a sender that only reads after it has sent; the connection is closed",
        arguments: [true, false]
    )
    func tellsWhileSending(isAnnounced: Bool) async throws {
        try await RunningTestBackend.with(adjust: { $0.largestBody = 100_000 }) { backend async throws in
            try await RawConnection.with(backend) { connection in
                let part = String(repeating: "#", count: 65_536)
                let framing = isAnnounced ? "Content-Length: \(part.count * 160)" : "Transfer-Encoding: chunked"
                try await connection.send(head + framing + "\r\n\r\n")
                for _ in 1...160 { try await connection.send(isAnnounced ? part : chunk(part)) }
                let answer = try await connection.answer()
                #expect(answer?.status == 413)
                #expect(answer?.headers["connection"] == "close")
                #expect(answer?.body == "{\"error\":\"the body is over 100000 bytes\"}")
                #expect(try await connection.isClosed())
            }
        }
    }

    @Test("of a body that breaks off nothing is stored; who can still read is told")
    func breaksOff() async throws {
        try await RunningTestBackend.with { backend async throws in
            for rest in ["Content-Length: 99\r\n\r\n" + report, "Transfer-Encoding: chunked\r\n\r\n" + chunk(report)] {
                try await RawConnection.with(backend) { connection in
                    try await connection.send(head + rest)
                    connection.finish()
                    #expect(try await connection.answer()?.status == 400)
                    #expect(try await connection.isClosed())
                }
                try await RawConnection.with(backend) { try await $0.send(head + rest) }
            }
            while try await !backend.metrics().contains("telemetry_reports_refused_total{status=\"400\"} 4\n") {
                await Task.yield()
            }
            #expect(try await backend.metrics().contains("telemetry_reports_in_flight 0\n"))
            #expect(try await backend.store.statistics().clusters == 0)
            try await RawConnection.with(backend) { connection in
                try await connection.send(post + post)
                connection.finish()
                for _ in 1...2 { #expect(try await connection.answer()?.status == 200) }
                #expect(try await connection.isClosed())
            }
        }
    }

    @Test("a connection without a request is closed once it was idle for as long as it may be")
    func idleness() async throws {
        try await RunningTestBackend.with(adjust: { $0.connections.idleTimeoutSeconds = 1 }) { backend async throws in
            let health = "GET /healthz HTTP/1.1\r\n\r\n"
            for (text, answers) in [("", 0), (post, 1), (health, 1)] {
                // Before the connection, whose time begins later: it cannot be closed earlier than that.
                let begin = ContinuousClock.now
                try await RawConnection.with(backend) { connection in
                    try await connection.send(text)
                    for _ in 0..<answers { #expect(try await connection.answer()?.status == 200) }
                    #expect(try await connection.isClosed(), "\(text)")
                    #expect(ContinuousClock.now - begin > .milliseconds(900), "\(text)")
                }
            }
        }
    }

    @Test("a head or a body that does not come in its time is 408, and the connection is closed")
    func slowness() async throws {
        let adjust: (inout BackendSettings) -> Void = {
            $0.connections.headTimeoutSeconds = 1
            $0.connections.bodyTimeoutSeconds = 1
        }
        try await RunningTestBackend.with(adjust: adjust) { backend async throws in
            for text in ["P", head, String(post.dropLast())] {
                for before in ["", post] {
                    let begin = ContinuousClock.now
                    try await RawConnection.with(backend) { connection in
                        if !before.isEmpty {
                            try await connection.send(before)
                            #expect(try await connection.answer()?.status == 200)
                        }
                        try await connection.send(text)
                        let answer = try await connection.answer()
                        #expect(answer?.status == 408, "\(text)")
                        #expect(answer?.headers["connection"] == "close")
                        #expect(try await connection.isClosed())
                        #expect(ContinuousClock.now - begin > .milliseconds(900), "\(text)")
                    }
                }
            }
            #expect(try await backend.metrics().contains("telemetry_reports_refused_total{status=\"408\"} 6\n"))
            // The routes have answered by then, and wait no longer for the rest.
            try await RawConnection.with(backend) { connection in
                try await connection.send("PUT /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n1")
                #expect(try await connection.answer()?.status == 404)
                #expect(try await connection.isClosed())
            }
        }
    }

    @Test("answers that are read late all come, and are not piled up; who never reads them is closed")
    func unread() async throws {
        let requests = String(repeating: "POST / HTTP/1.1\r\n\r\n", count: 1_000)
        try await RunningTestBackend.with { backend async throws in
            try await RawConnection.with(backend, receiveBuffer: 4_096) { connection in
                for _ in 1...3 { try await connection.send(requests) }
                for _ in 1...3_000 { #expect(try await connection.answer()?.status == 400) }
            }
        }
        let adjust: (inout BackendSettings) -> Void = {
            $0.connections.bodyTimeoutSeconds = 1
            // It is not for their number that it ends.
            $0.connections.largestRequestCount = 10_000_000
        }
        try await RunningTestBackend.with(adjust: adjust) { backend async throws in
            try await RawConnection.with(backend, receiveBuffer: 4_096) { connection in
                // The backend stops reading, then hangs up; it does not take all of 66 MB, which no buffer on the way holds.
                await #expect(throws: (any Error).self) { for _ in 1...3_000 { try await connection.send(requests) } }
            }
            while try await !backend.metrics().contains("telemetry_connections 0\n") { await Task.yield() }
        }
    }

    @Test("after so many requests the connection ends with the answer")
    func requestCount() async throws {
        try await RunningTestBackend.with(adjust: { $0.connections.largestRequestCount = 3 }) { backend async throws in
            try await RawConnection.with(backend) { connection in
                try await connection.send(post + "GET /healthz HTTP/1.1\r\n\r\n" + post + post)
                for last in [nil, nil, "close"] {
                    let answer = try await connection.answer()
                    #expect(answer?.status == 200)
                    #expect(answer?.headers["connection"] == last)
                }
                #expect(try await connection.isClosed())
            }
        }
    }

    @Test(
        "connections over the limit, in all or from one address, are closed at once and counted; one that goes makes room"
    )
    func connectionCounts() async throws {
        for (limit, adjust) in [
            ("total", { $0.connections.largestCount = 2 }), ("address", { $0.connections.largestCountPerAddress = 2 }),
        ] as [(String, (inout BackendSettings) -> Void)] {
            try await RunningTestBackend.with(adjust: adjust) { backend async throws in
                try await RawConnection.with(backend) { first in
                    try await first.send(post)
                    #expect(try await first.answer()?.status == 200)
                    try await RawConnection.with(backend) { second in
                        try await second.send(post)
                        #expect(try await second.answer()?.status == 200)
                        try await RawConnection.with(backend) { third async throws in
                            #expect(try await third.isClosed())
                        }
                    }
                    let metrics = try await backend.metrics()
                    #expect(metrics.contains("telemetry_connections_refused_total{limit=\"\(limit)\"} 1\n"))
                    while try await !backend.metrics().contains("telemetry_connections 1\n") { await Task.yield() }
                    #expect(try await backend.post(report).status == 200)
                }
            }
        }
    }

    @Test("graceful shutdown closes idle connections at once and answers what is under way as the last")
    func shutdown() async throws {
        try await RunningTestBackend.with { backend async throws in
            try await RawConnection.with(backend) { idle in
                try await idle.send(post)
                #expect(try await idle.answer()?.status == 200)
                try await RawConnection.with(backend) { busy in
                    try await busy.send(String(post.dropLast()))
                    while try await !backend.metrics().contains("telemetry_reports_in_flight 1\n") {
                        await Task.yield()
                    }
                    await backend.group.triggerGracefulShutdown()
                    #expect(try await idle.isClosed())
                    try await busy.send("\n" + post)
                    let answer = try await busy.answer()
                    #expect(answer?.status == 200)
                    #expect(answer?.headers["connection"] == "close")
                    #expect(try await busy.isClosed())
                }
            }
        }
    }

    @Test("bodies together take no more memory than they may, and one that is gone makes room")
    func budget() async throws {
        try await RunningTestBackend.with(adjust: { $0.largestBodiesInFlight = 40 }) { backend async throws in
            try await RawConnection.with(backend) { first in
                try await first.send(head + "Content-Length: 41\r\n\r\n" + String(repeating: "#", count: 40))
                while try await !backend.metrics().contains("telemetry_reports_in_flight 1\n") { await Task.yield() }
                let answer = try await backend.post(report)
                #expect(answer.status == 503)
                #expect(answer.headers.first(name: "Retry-After") == "30")
                try await first.send("#")
                #expect(try await first.answer()?.status == 503)
                #expect(try await first.isClosed())
            }
            for _ in 1...3 { #expect(try await backend.post(report).status == 200) }
        }
    }

    @Test("large bodies are taken, packed and not, and so are large heads")
    func largeRequests() async throws {
        try await RunningTestBackend.with { backend async throws in
            try await RawConnection.with(backend) { connection in
                try await connection.send(head + "A: ")
                try await connection.send(String(repeating: "a", count: 16_000))
                try await connection.send("\r\nContent-Length: \(report.utf8.count)\r\n\r\n" + report)
                #expect(try await connection.answer()?.status == 200)
            }
            let comments = (0..<60_000).map { "# \($0 &* 2_654_435_761 % 1_000_003)\n" }.joined()
            let large = Array((comments + report).utf8)
            #expect(try await backend.post(large, headers: ["X-Cluster-ID": "a"]).status == 200)
            let packed = try #require(GzipEncoder.encode(large))
            let headers = [("X-Cluster-ID", "b"), ("Content-Encoding", "gzip")]
            #expect(large.count > packed.count && large.count > 256 * 1024)
            #expect(try await backend.post(packed, headers: .init(headers)).status == 200)
            #expect(try await backend.post(Array(packed.dropLast()), headers: .init(headers)).status == 400)
            #expect(try await backend.store.statistics().clusters == 2)
        }
    }
}

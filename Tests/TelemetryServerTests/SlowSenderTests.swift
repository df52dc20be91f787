// SPDX-License-Identifier: Apache-2.0

import ServiceLifecycle
import Testing

@testable import TelemetryServer

/// Senders that are slow by the clock, and so are tried where nothing else runs.
@Suite("Slow senders", .timeLimit(.minutes(2)))
struct SlowSenderTests {
    private let head = "POST / HTTP/1.1\r\nHost: a\r\nX-Cluster-ID: a\r\n"

    private func chunk(_ text: String) -> String { String(text.utf8.count, radix: 16) + "\r\n\(text)\r\n" }

    @Test("413 is told also to a sender that goes on sending for long")
    func tellsSlowSender() async throws {
        try await RunningTestBackend.with(adjust: { $0.largestBody = 100_000 }) { backend async throws in
            try await RawConnection.with(backend) { connection in
                let part = chunk(String(repeating: "#", count: 65_536))
                try await connection.send(head + "Transfer-Encoding: chunked\r\n\r\n" + part + part)
                for _ in 1...6 {
                    // The slowness itself: altogether longer than the backend waits for a sender that is silent.
                    try await Task.sleep(for: .milliseconds(500))
                    try await connection.send(chunk("#"))
                }
                #expect(try await connection.answer()?.status == 413)
                #expect(try await connection.isClosed())
            }
        }
    }

    @Test("a sender that goes on sending after the last answer does not keep the backend from stopping")
    func stopsWhileSending() async throws {
        try await RunningTestBackend.with(adjust: { $0.largestBody = 10 }) { backend async throws in
            try await RawConnection.with(backend) { connection in
                try await connection.send(head + "Transfer-Encoding: chunked\r\n\r\n" + chunk("cozy_tenants_count 2\n"))
                #expect(try await connection.answer()?.status == 413)
                await backend.group.triggerGracefulShutdown()
                await #expect(throws: (any Error).self) {
                    for _ in 1...20 {
                        // So many bytes in so much time; the sender never is silent for long.
                        try await Task.sleep(for: .milliseconds(500))
                        try await connection.send(chunk("#"))
                    }
                }
            }
        }
    }

    @Test("who sends a byte now and then gets no more time than anybody, for a head and for a body")
    func drips() async throws {
        let adjust: (inout BackendSettings) -> Void = {
            $0.connections.headTimeoutSeconds = 1
            $0.connections.bodyTimeoutSeconds = 1
        }
        try await RunningTestBackend.with(adjust: adjust) { backend async throws in
            for (begin, drip) in [(head, "A: b\r\n"), (head + "Transfer-Encoding: chunked\r\n\r\n", chunk("#"))] {
                try await RawConnection.with(backend) { connection in
                    try await connection.send(begin)
                    for _ in 1...10 {
                        // The slowness itself: altogether twice the time that there is.
                        try await Task.sleep(for: .milliseconds(200))
                        try await connection.send(drip)
                    }
                    #expect(try await connection.answer()?.status == 408)
                    #expect(try await connection.isClosed())
                }
            }
        }
    }
}

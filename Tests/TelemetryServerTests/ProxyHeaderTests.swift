// SPDX-License-Identifier: Apache-2.0

import FleetSimulator
import NIOCore
import ReportStore
import Testing

@testable import TelemetryServer

@Suite("The PROXY protocol", .timeLimit(.minutes(1)))
struct ProxyHeaderTests {
    private static let signature: [UInt8] = [0x0d, 0x0a, 0x0d, 0x0a, 0, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]
    private static let v4: [UInt8] = [192, 0, 2, 1, 198, 51, 100, 1, 0x12, 0x67, 0x01, 0xbb]

    /// A header of version 2.
    private static func block(_ command: UInt8, _ family: UInt8, _ rest: [UInt8], length: Int? = nil) -> [UInt8] {
        let length = length ?? rest.count
        return signature + [command, family, UInt8(length >> 8), UInt8(length & 0xff)] + rest
    }

    private func header(_ text: String) -> ProxyHeader { ProxyHeader(Array(text.utf8)) }

    @Test("lines of version 1")
    func lines() {
        let v4 = "PROXY TCP4 192.0.2.1 198.51.100.1 4711 443\r\n"
        #expect(header(v4 + "POST / HTTP/1.1") == .found(IPAddress("192.0.2.1"), length: v4.utf8.count))
        let v6 = "PROXY TCP6 2001:db8::1 2001:db8::2 4711 443\r\n"
        #expect(header(v6) == .found(IPAddress("2001:db8::1"), length: v6.utf8.count))
        #expect(header("PROXY UNKNOWN\r\nx") == .found(nil, length: 15))
        #expect(header("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n") == .found(nil, length: 35))
        for count in 0..<v4.utf8.count { #expect(ProxyHeader(Array(v4.utf8.prefix(count))) == .incomplete, "\(count)") }
    }

    @Test(
        "what begins like version 1 and is none is malformed",
        arguments: [
            "PROXY \r\n", "PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n",
            "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n",
            "PROXY TCP4 1.2.3.4 1.2.3.4 -1 2\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 +1 2\r\n",
            "PROXY TCP4 1.2.3.400 1.2.3.4 1 2\r\n",
            "PROXY TCP4 ::1 ::1 1 2\r\n", "PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n", "PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n",
            "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\rx",
            "PROXY tcp4 1.2.3.4 1.2.3.4 1 2\r\n",
            "PROXY UNKNOWN " + String(repeating: "a", count: 92) + "\r\n",
            "PROXY " + String(repeating: "a", count: 200), "PROXY \u{301}\r\n", "PROXY \u{301} \u{301}\r\n",
        ]
    )
    func malformedLines(text: String) {
        #expect(header(text) == .malformed)
    }

    @Test("blocks of version 2")
    func blocks() {
        let address = IPAddress("192.0.2.1")
        let more: [UInt8] = [4, 0, 1, 0]
        let v6: [UInt8] = [0x20, 1, 0xd, 0xb8] + Array(repeating: 0, count: 11) + [1] + Array(repeating: 2, count: 20)
        #expect(ProxyHeader(Self.block(0x21, 0x11, Self.v4)) == .found(address, length: 28))
        #expect(ProxyHeader(Self.block(0x21, 0x11, Self.v4 + more) + [65]) == .found(address, length: 32))
        #expect(ProxyHeader(Self.block(0x21, 0x21, v6)) == .found(IPAddress("2001:db8::1"), length: 52))
        #expect(ProxyHeader(Self.block(0x20, 0x11, Self.v4)) == .found(nil, length: 28))
        #expect(ProxyHeader(Self.block(0x20, 0, [])) == .found(nil, length: 16))
        for family: UInt8 in [0, 0x12, 0x22, 0x31, 0x41] {
            #expect(ProxyHeader(Self.block(0x21, family, Self.v4)) == .found(nil, length: 28))
        }
        let long = Self.block(0x21, 0x11, Self.v4 + Array(repeating: 0, count: 500))
        for count in 0..<long.count { #expect(ProxyHeader(long.prefix(count)) == .incomplete, "\(count)") }
        #expect(ProxyHeader(long) == .found(address, length: long.count))
    }

    @Test("what begins like version 2 and is none is malformed, a length that nobody needs included")
    func malformedBlocks() {
        for bytes in [
            Self.block(0x11, 0x11, Self.v4), Self.block(0x31, 0x11, Self.v4), Self.block(0x22, 0x11, Self.v4),
            Self.block(0x21, 0x11, Array(Self.v4.dropLast())), Self.block(0x21, 0x21, Self.v4),
            Self.block(0x21, 0x11, [], length: 65_535),
        ] { #expect(ProxyHeader(bytes) == .malformed, "\(bytes)") }
    }

    @Test("what begins with anything else is passed on, and no bytes at all end it; seeds 1 to 20", arguments: 1...20)
    func others(seed: UInt64) {
        for text in ["POST / HTTP/1.1", "PROPFIND / ", "\r\nGET /", "X", "PROXY\t"] { #expect(header(text) == .none) }
        var generator = SeededGenerator(seed: seed)
        for start in [Self.signature, Array("PROXY ".utf8), Array("PROXY TCP4 ".utf8), []] {
            for _ in 1...200 {
                let noise = (0..<Int.random(in: 0...300, using: &generator)).map { _ in
                    UInt8.random(in: 0...255, using: &generator)
                }
                let bytes = start + noise
                if case .found(_, let length) = ProxyHeader(bytes) { #expect(length <= bytes.count) }
            }
        }
    }

    private let report = "cozy_tenants_count 2\n"
    private func post(_ fields: String = "") -> String {
        "POST / HTTP/1.1\r\nHost: a\r\nX-Cluster-ID: a\r\n\(fields)Content-Length: \(report.utf8.count)\r\n\r\n"
            + report
    }

    /// Lets each network send one report.
    private func oneEach(_ settings: inout BackendSettings) {
        settings.rateLimits = RateLimits()
        settings.rateLimits?.burstPerNetwork = 1
        settings.rateLimits?.reportsPerNetwork = 1
        settings.trustedProxies = AddressBlock.list("127.0.0.0/8") ?? []
    }

    @Test(
        "a trusted proxy speaks for networks that each have limits of their own, by either protocol and by header field"
    )
    func speaksForOthers() async throws {
        try await RunningTestBackend.with(adjust: oneEach) { backend async throws in
            let beginnings = [
                "", "PROXY TCP4 192.0.2.1 198.51.100.1 4711 443\r\n", "PROXY TCP6 2001:db8::1 ::1 4711 443\r\n",
            ]
            for status in [200, 429] {
                for beginning in beginnings {
                    try await RawConnection.with(backend) { connection in
                        // The first bytes by themselves, as they may travel.
                        for part in [beginning.prefix(9), beginning.dropFirst(9)] where !part.isEmpty {
                            try await connection.send(String(part))
                        }
                        try await connection.send(post())
                        let answer = try await connection.answer()
                        #expect(answer?.status == status, "\(beginning)")
                        #expect(
                            (answer?.headers["retry-after"]).map { (1...60).contains(Int($0) ?? 0) }
                                == (status == 429 ? true : nil)
                        )
                    }
                }
            }
            try await RawConnection.with(backend) { connection in
                for (forwarded, status) in [("203.0.113.1", 200), ("203.0.113.2", 429), ("203.0.114.1", 200)] {
                    try await connection.send(post("X-Forwarded-For: 198.51.100.77, \(forwarded)\r\n"))
                    #expect(try await connection.answer()?.status == status, "\(forwarded)")
                }
            }
            #expect(try await backend.metrics().contains("telemetry_rate_limited_total{limit=\"network\"} 4\n"))
        }
    }

    @Test("a malformed header closes the connection without an answer")
    func closes() async throws {
        try await RunningTestBackend.with(adjust: oneEach) { backend async throws in
            try await RawConnection.with(backend) { connection in
                try await connection.send("PROXY TCP4 1.2.3.4\r\n" + post())
                #expect(try await connection.isClosed())
            }
            #expect(try await backend.store.statistics().clusters == 0)
        }
    }

    @Test("nobody else speaks for others: the protocol is no HTTP from him, and his header field is not read")
    func notFromOthers() async throws {
        let adjust: (inout BackendSettings) -> Void = {
            oneEach(&$0)
            $0.trustedProxies = []
        }
        try await RunningTestBackend.with(adjust: adjust) { backend async throws in
            try await RawConnection.with(backend) { connection in
                try await connection.send("PROXY TCP4 192.0.2.1 198.51.100.1 4711 443\r\n" + post())
                #expect(try await connection.answer()?.status == 400)
                #expect(try await connection.isClosed())
            }
            try await RawConnection.with(backend) { connection in
                for (forwarded, status) in [("203.0.113.1", 200), ("203.0.114.1", 429)] {
                    try await connection.send(post("X-Forwarded-For: \(forwarded)\r\n"))
                    #expect(try await connection.answer()?.status == status, "\(forwarded)")
                }
            }
        }
    }

    @Test("connections are counted for whom the proxy opens them, not for the proxy")
    func countsConnections() async throws {
        let adjust: (inout BackendSettings) -> Void = {
            $0.connections.largestCountPerAddress = 1
            $0.trustedProxies = AddressBlock.list("127.0.0.1") ?? []
        }
        try await RunningTestBackend.with(adjust: adjust) { backend async throws in
            let header = "PROXY TCP4 192.0.2.1 198.51.100.1 4711 443\r\n"
            try await RawConnection.with(backend) { first in
                try await first.send(header + post())
                #expect(try await first.answer()?.status == 200)
                try await RawConnection.with(backend) { second async throws in
                    try await second.send(post())
                    #expect(try await second.answer()?.status == 200)
                }
                try await RawConnection.with(backend) { third async throws in
                    try await third.send(header)
                    #expect(try await third.isClosed())
                }
            }
        }
    }
}

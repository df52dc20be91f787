// SPDX-License-Identifier: Apache-2.0

import NIOCore
import TelemetryModel
import TelemetryTesting
import Testing

@testable import TelemetryServer

@Suite("Addresses and who speaks for whom")
struct AddressTests {
    private static let clock = TestClock(UTCInstant(secondsSinceEpoch: 1_800_000_000))
    private let hash = AddressHash { clock.now.day }

    private func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text), "\(text)") }

    private func block(_ text: String) throws -> AddressBlock { try #require(AddressBlock(text), "\(text)") }

    @Test("addresses in all their forms, the mapped IPv4 address among them")
    func forms() throws {
        #expect(try address("::ffff:192.0.2.1") == address("192.0.2.1"))
        #expect(try address("192.0.2.1").isIPv4)
        #expect(try !address("2001:db8::1").isIPv4)
        for text in ["192.0.2.1", "2001:db8::1"] {
            #expect(try IPAddress(SocketAddress(ipAddress: text, port: 1)) == address(text))
        }
        #expect(try IPAddress(SocketAddress(unixDomainSocketPath: "/x")) == nil)
        #expect(IPAddress(bytes: [1, 2, 3]) == nil)
        for text in [
            "", "1", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.4 ", " 1.2.3.4", "1.2.3.4:80", "[::1]", "::1%eth0",
            "::1::",
            "localhost", "unknown", "1.2.3.-4", String(repeating: "1", count: 1_000), "1.2.3.4\u{0}", "１.2.3.4",
        ] { #expect(IPAddress(text) == nil, "\(text)") }
    }

    @Test("a network is 24 bits of IPv4 and 64 bits of IPv6")
    func networks() throws {
        for (one, other, isSame) in [
            ("192.0.2.1", "192.0.2.255", true), ("192.0.2.1", "192.0.3.1", false),
            ("2001:db8::1", "2001:db8::ffff:1:2:3", true), ("2001:db8::1", "2001:db8:0:1::1", false),
            ("192.0.2.1", "::ffff:192.0.2.9", true), ("192.0.2.1", "::192.0.2.1", false),
        ] { #expect(try (address(one).network == address(other).network) == isSame, "\(one) \(other)") }
    }

    @Test("blocks hold their addresses and no others; what is no block is none")
    func blocks() throws {
        for (text, inside, outside) in [
            ("10.0.0.0/8", ["10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3"], ["11.0.0.0", "::a00:1"]),
            ("192.0.2.7", ["192.0.2.7"], ["192.0.2.6"]), ("0.0.0.0/0", ["1.2.3.4"], ["::1"]),
            ("2001:db8::/32", ["2001:db8:ffff::1"], ["2001:db9::"]), ("::1", ["::1"], ["::2"]),
            ("::/0", ["::1", "1.2.3.4"], []),
        ] {
            for each in inside { #expect(try block(text).contains(address(each)), "\(text) \(each)") }
            for each in outside { #expect(try !block(text).contains(address(each)), "\(text) \(each)") }
        }
        for text in [
            "", "/", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8/8", "10.0.0.1/8", "::/129",
            "a/8", "2001:db8::1/32", "10.0.0.0/0008",
        ] { #expect(AddressBlock(text) == nil, "\(text)") }
        #expect(AddressBlock.list("10.0.0.0/8, ::1 ,192.0.2.1")?.count == 3)
        for text in ["", "10.0.0.0/8,", ",", "10.0.0.0/8;::1"] { #expect(AddressBlock.list(text) == nil, "\(text)") }
    }

    @Test("hashes are the same all day, others the next day and in another process, and tell addresses apart")
    func hashes() throws {
        let clock = TestClock(Self.clock.now)
        let hash = AddressHash { clock.now.day }
        let bits = try address("192.0.2.1").bits
        let first = hash(bits)
        #expect(hash(bits) == first)
        #expect(try hash(address("192.0.2.2").bits) != first)
        #expect(AddressHash { clock.now.day }(bits) != first)
        clock.now = clock.now.advanced(bySeconds: 86_400)
        let second = hash(bits)
        #expect(second != first)
        // Yesterday's key is gone, also where the clock goes back.
        clock.now = clock.now.advanced(bySeconds: -86_400)
        #expect(hash(bits) != first)
    }

    @Test("X-Forwarded-For: the right-most address that is no trusted proxy's, and only from one")
    func forwarded() throws {
        let resolver = SourceResolver(trusted: [try block("10.0.0.0/8"), try block("fd00::/8")], hash: hash)
        let proxy = resolver.source(of: try address("10.0.0.1"))
        let other = resolver.source(of: try address("198.51.100.1"))
        #expect(proxy.isTrusted && !other.isTrusted)
        let cases: [([String], String)] = [
            ([], "10.0.0.1"), (["192.0.2.1"], "192.0.2.1"), (["203.0.113.9, 192.0.2.1"], "192.0.2.1"),
            (["203.0.113.9", "192.0.2.1"], "192.0.2.1"), (["192.0.2.1, 10.1.1.1"], "192.0.2.1"),
            (["192.0.2.1", "10.1.1.1,fd00::1"], "192.0.2.1"), (["192.0.2.1:4711"], "192.0.2.1"),
            (["[2001:db8::1]:80"], "2001:db8::1"), (["[2001:db8::1]"], "2001:db8::1"),
            (["\t2001:db8::1 "], "2001:db8::1"),
            // Everybody on the way is trusted: the first of them.
            (["10.2.2.2, 10.3.3.3"], "10.2.2.2"),
            // What cannot be read, and what stands left of it, is not believed.
            (["192.0.2.1, unknown"], "10.0.0.1"), (["192.0.2.1, "], "10.0.0.1"), (["192.0.2.1,,10.7.7.7"], "10.7.7.7"),
            ([""], "10.0.0.1"), (["192.0.2.1:port"], "10.0.0.1"), (["192.0.2.1:+1"], "10.0.0.1"),
            (["[::1"], "10.0.0.1"), (["[::1]x"], "10.0.0.1"),
            (["192.0.2.1:80:80"], "10.0.0.1"), (["_hidden"], "10.0.0.1"), (["\"[2001:db8::1]\""], "10.0.0.1"),
            (["192.0.2.1, " + String(repeating: "9", count: 10_000)], "10.0.0.1"),
        ]
        for (fields, expected) in cases {
            let network = resolver.network(of: proxy, forwardedFor: fields)
            #expect(try network == hash(address(expected).network), "\(fields)")
            #expect(resolver.network(of: other, forwardedFor: fields) == other.network)
        }
        #expect(SourceResolver(trusted: [], hash: hash).source(of: nil) == .init(network: hash(0), isTrusted: false))
    }
}

// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOCore

/// An IPv4 or IPv6 address; an IPv4 address in IPv6 form (`::ffff:192.0.2.1`) is the IPv4 address.
struct IPAddress: Hashable {
    /// The address as IPv6 has it.
    let bits: UInt128

    /// What IPv4 addresses begin with in IPv6 (RFC 4291, 2.5.5.2).
    static let mappedPrefix: UInt128 = 0xffff << 32

    /// An address of 4 or 16 bytes in network order; nil for any other number of bytes.
    init?(bytes: some Collection<UInt8>) {
        let number = bytes.reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
        switch bytes.count {
        case 4: bits = Self.mappedPrefix | number
        case 16: bits = number
        default: return nil
        }
    }

    /// Reads an address as text; nil for anything else, brackets, ports and zones included.
    init?(_ text: some StringProtocol) {
        // The longest address has 45 characters; a text in C would end with the first zero.
        guard text.utf8.count <= 45, !text.utf8.contains(0) else { return nil }
        var storage = in6_addr()
        let family = text.utf8.contains(UInt8(ascii: ":")) ? AF_INET6 : AF_INET
        guard inet_pton(family, String(text), &storage) == 1 else { return nil }
        self.init(bytes: withUnsafeBytes(of: &storage) { Array($0.prefix(family == AF_INET6 ? 16 : 4)) })
    }

    /// The address of a socket; nil where it has none.
    init?(_ address: SocketAddress?) {
        switch address {
        case .v4(let address): self.init(bytes: withUnsafeBytes(of: address.address.sin_addr) { Array($0) })
        case .v6(let address): self.init(bytes: withUnsafeBytes(of: address.address.sin6_addr) { Array($0) })
        case .unixDomainSocket, nil: return nil
        }
    }

    /// Whether it is an IPv4 address.
    var isIPv4: Bool { bits >> 32 == 0xffff }

    /// What one host has: an IPv4 address, or a network of IPv6, in which it may have any number of addresses.
    var host: UInt128 { isIPv4 ? bits : network }

    /// What its network begins with: 24 bits of an IPv4 address, 64 bits of an IPv6 address, the rest 0.
    var network: UInt128 { isIPv4 ? bits & ~0xff : bits & ~UInt128(UInt64.max) }
}

extension StringProtocol {
    /// The number that the text is, digits and nothing else; nil where it is none or too large.
    func digits<Number: FixedWidthInteger>(as type: Number.Type) -> Number? {
        utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ? Number(self) : nil
    }
}

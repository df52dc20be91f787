// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The hosts that are reached without a proxy: a list separated by commas, as Go's clients read it.
///
/// `*` is every host; `example.com` that name and the names under it, `.example.com` those alone; an address is that
/// address, and a block in CIDR notation those in it. A port after a name or an address limits it to that port.
struct NoProxy: Equatable, Sendable {
    private enum Entry: Equatable {
        case everything
        case name(String, isSuffix: Bool, port: Int?)
        case block([UInt8], bits: Int, port: Int?)
    }

    private let entries: [Entry]

    /// Reads a list; what has no form of an entry matches nothing.
    init(_ text: String) {
        entries = text.split { $0 == "," || $0 == " " || $0 == "\t" }.compactMap(Self.entry)
    }

    /// Whether a host, a name or an address without brackets, is in the list.
    func contain(host: String, port: Int) -> Bool {
        let name = Self.normal(host[...])
        let address = Self.address(name).map(Self.unmapped)
        return entries.contains { entry in
            switch entry {
            case .everything: true
            case .name(let other, let isSuffix, let only):
                address == nil && (only ?? port) == port
                    && (name.hasSuffix("." + other) || !isSuffix && name == other)
            case .block(let block, let bits, let only):
                (only ?? port) == port && address.map { Self.isSame($0, block, bits: bits) } ?? false
            }
        }
    }

    private static func entry(_ text: Substring) -> Entry? {
        if text == "*" { return .everything }
        if let slash = text.firstIndex(of: "/") {
            guard let block = address(String(text[..<slash])), let bits = Int(text[slash...].dropFirst()),
                (0...block.count * 8).contains(bits)
            else { return nil }
            return .block(block, bits: bits, port: nil)
        }
        if let address = address(String(text)) { return single(address, port: nil) }
        let (host, port) = split(text)
        if let address = address(host) { return single(address, port: port) }
        let isSuffix = host.hasPrefix(".") || host.hasPrefix("*.")
        let name = normal(host.drop { $0 == "*" }.drop { $0 == "." })
        return name.isEmpty ? nil : .name(name, isSuffix: isSuffix, port: port)
    }

    /// The host of `host`, `host:port`, `[address]` or `[address]:port`, and the port.
    private static func split(_ text: Substring) -> (host: String, port: Int?) {
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            return (String(text[..<end].dropFirst()), Int(text[end...].dropFirst(2)))
        }
        guard let colon = text.lastIndex(of: ":") else { return (String(text), nil) }
        return (String(text[..<colon]), Int(text[colon...].dropFirst()))
    }

    /// A name in lower case, without the dot of the root.
    private static func normal(_ name: Substring) -> String {
        String(name.hasSuffix(".") ? name.dropLast() : name).lowercased()
    }

    private static func single(_ address: [UInt8], port: Int?) -> Entry {
        let address = unmapped(address)
        return .block(address, bits: address.count * 8, port: port)
    }

    /// The address of IPv4 that one of IPv6 stands for (RFC 4291, 2.5.5.2), or else itself.
    private static func unmapped(_ address: [UInt8]) -> [UInt8] {
        let isMapped = address.count == 16 && address.starts(with: Array(repeating: 0, count: 10) + [0xff, 0xff])
        return isMapped ? Array(address.suffix(4)) : address
    }

    /// The 4 or 16 bytes of an address; nil for anything else.
    static func address(_ text: String) -> [UInt8]? {
        for (family, count) in [(AF_INET, 4), (AF_INET6, 16)] {
            var bytes = [UInt8](repeating: 0, count: count)
            if inet_pton(family, text, &bytes) == 1 { return bytes }
        }
        return nil
    }

    private static func isSame(_ left: [UInt8], _ right: [UInt8], bits: Int) -> Bool {
        guard left.count == right.count else { return false }
        return zip(left, right).enumerated().allSatisfy { index, pair in
            let rest = min(max(bits - index * 8, 0), 8)
            return (pair.0 ^ pair.1) >> (8 - rest) == 0 || rest == 0
        }
    }
}

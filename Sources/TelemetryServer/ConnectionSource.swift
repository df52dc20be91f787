// SPDX-License-Identifier: Apache-2.0

/// Where a connection comes from, as far as that is held.
struct ConnectionSource: Equatable {
    /// The hash of its network.
    var network: UInt64
    /// Whether it is a proxy that is believed when it says for whom it speaks.
    var isTrusted: Bool
}

/// Finds out where reports come from.
struct SourceResolver: Sendable {
    /// The proxies that are believed.
    let trusted: [AddressBlock]
    let hash: AddressHash

    /// Where a connection from an address comes from; all without an address come from the same place.
    func source(of address: IPAddress?) -> ConnectionSource {
        ConnectionSource(
            network: hash(address?.network ?? 0),
            isTrusted: address.map { address in trusted.contains { $0.contains(address) } } ?? false
        )
    }

    /// The hash of the network that a request comes from: that of the right-most address of `X-Forwarded-For` that is no
    /// trusted proxy's, where a trusted proxy says so.
    ///
    /// What stands left of it, or of something that is no address, anybody can have written.
    func network(of source: ConnectionSource, forwardedFor fields: [String]) -> UInt64 {
        guard source.isTrusted, !fields.isEmpty else { return source.network }
        var last: IPAddress?
        search: for field in fields.reversed() {
            for element in field.split(separator: ",", omittingEmptySubsequences: false).reversed() {
                guard let address = Self.address(element) else { break search }
                last = address
                guard trusted.contains(where: { $0.contains(address) }) else { break search }
            }
        }
        return last.map { hash($0.network) } ?? source.network
    }

    /// Reads `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1` and `[2001:db8::1]:80`, with blanks around them.
    private static func address(_ element: Substring) -> IPAddress? {
        let text = element.drop { $0 == " " || $0 == "\t" }.reversedDrop { $0 == " " || $0 == "\t" }
        guard text.utf8.count <= 64 else { return nil }
        if text.first == "[", let end = text.firstIndex(of: "]") {
            let rest = text[text.index(after: end)...]
            guard rest.isEmpty || isPort(rest) else { return nil }
            return IPAddress(text[text.index(after: text.startIndex)..<end])
        }
        if let colon = text.firstIndex(of: ":"), text.contains("."), isPort(text[colon...]) {
            return IPAddress(text[..<colon])
        }
        return IPAddress(text)
    }

    private static func isPort(_ text: Substring) -> Bool {
        text.first == ":" && text.dropFirst().digits(as: UInt16.self) != nil
    }
}

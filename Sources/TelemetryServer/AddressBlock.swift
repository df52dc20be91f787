// SPDX-License-Identifier: Apache-2.0

/// A block of addresses (RFC 4632): `10.0.0.0/8`, `2001:db8::/32`, or one address.
public struct AddressBlock: Hashable, Sendable {
    private let bits: UInt128
    private let mask: UInt128

    /// Reads a block; nil where the text is none, or has bits beyond its prefix.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let first = parts.first, let address = IPAddress(first), parts.count <= 2 else { return nil }
        let isShort = address.isIPv4 && !first.contains(":")
        let width = isShort ? 32 : 128
        var length = width
        if parts.count == 2 {
            guard let number = parts[1].digits(as: UInt8.self), parts[1].utf8.count <= 3, number <= width else {
                return nil
            }
            length = Int(number)
        }
        mask = length == 0 && !isShort ? 0 : ~0 << UInt128(width - length)
        bits = address.bits
        guard bits & ~mask == 0 || parts.count == 1 else { return nil }
    }

    /// Reads blocks separated by commas, with blanks around them or none; nil where one of them is none.
    public static func list(_ text: String) -> [Self]? {
        var blocks: [Self] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let block = Self(part.drop { $0 == " " }.reversedDrop { $0 == " " }) else { return nil }
            blocks.append(block)
        }
        return blocks
    }

    /// Whether an address is in the block.
    func contains(_ address: IPAddress) -> Bool { address.bits & mask == bits }
}

extension Substring {
    /// The text without what a condition holds for at its end.
    func reversedDrop(while isDropped: (Character) -> Bool) -> Substring {
        self[..<(lastIndex { !isDropped($0) }.map(index(after:)) ?? startIndex)]
    }
}

// SPDX-License-Identifier: Apache-2.0

import Crypto

/// What a cluster calls itself: the value of `X-Cluster-ID`.
///
/// It is never logged or stored.
public struct ClusterID: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
    /// The id as it travels.
    public let text: String

    /// Takes an id of the form `[A-Za-z0-9._-]{1,253}`; nil for any other.
    public init?(_ text: String) {
        guard (1...253).contains(text.utf8.count), text.utf8.allSatisfy(LabelForm.isIdentifierByte) else { return nil }
        self.text = text
    }

    /// Says nothing of the id, so that a log line cannot.
    public var description: String { "(cluster id)" }

    /// Says nothing of the id, so that a dump cannot.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// What a cluster is called here: a keyed hash of its id, 16 bytes.
///
/// Without the key it leads back to nothing.
public struct Pseudonym: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The first eight bytes, the first one highest.
    public let high: UInt64
    /// The last eight bytes, the first one highest.
    public let low: UInt64

    /// The number of bytes in a pseudonym.
    public static let length = 16

    /// Takes 16 bytes; nil for any other number.
    public init?(bytes: [UInt8]) {
        guard bytes.count == Self.length else { return nil }
        self.init(leading: bytes)
    }

    /// Takes 32 lower-case hexadecimal digits; nil for anything else.
    public init?(hexadecimal text: String) {
        guard let bytes = TelemetryModel.bytes(ofHexadecimal: text) else { return nil }
        self.init(bytes: bytes)
    }

    /// 16 bytes.
    public var bytes: [UInt8] {
        [high, low].flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - $0 * 8)) } }
    }

    /// The pseudonym in hexadecimal, 32 digits.
    public var description: String { hexadecimal(bytes) }

    /// Ordered by bytes.
    public static func < (left: Self, right: Self) -> Bool { (left.high, left.low) < (right.high, right.low) }

    /// The pseudonym of two words.
    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// The first 16 of at least as many bytes.
    fileprivate init(leading bytes: some Sequence<UInt8>) {
        var words = (high: UInt64(0), low: UInt64(0))
        for (position, byte) in bytes.prefix(Self.length).enumerated() {
            if position < 8 {
                words.high = words.high << 8 | UInt64(byte)
            } else {
                words.low = words.low << 8 | UInt64(byte)
            }
        }
        (high, low) = words
    }
}

/// Replaces identifiers by keyed hashes (HMAC-SHA-256, RFC 2104).
///
/// The key is 32 random bytes. Each kind of identifier has a prefix of its own, so that one hash is never that of another.
public struct Pseudonymizer: Sendable {
    /// The number of bytes in a key.
    public static let keyLength = 32

    /// The code with the key in it, to begin each one from.
    private let keyed: HMAC<SHA256>

    /// Uses a key of 32 bytes; nil for any other length.
    public init?(key: [UInt8]) {
        guard key.count == Self.keyLength else { return nil }
        keyed = HMAC<SHA256>(key: SymmetricKey(data: key))
    }

    /// The pseudonym of a cluster.
    public func pseudonym(of cluster: ClusterID) -> Pseudonym {
        Pseudonym(leading: code(for: "cluster:" + cluster.text))
    }

    /// The replacement of an identifying label value: 16 hexadecimal digits.
    public func replacement(for value: String) -> String {
        hexadecimal(code(for: "label:" + value).prefix(8))
    }

    /// A value that tells keys apart and gives nothing of the key away, 16 bytes.
    public var checkValue: [UInt8] { Array(code(for: "check").prefix(16)) }

    private func code(for text: String) -> HMAC<SHA256>.MAC {
        var text = text
        return text.withUTF8 { bytes in
            // The hash takes contiguous bytes; they do not outlive the call.
            var code = keyed
            code.update(data: UnsafeRawBufferPointer(bytes))
            return code.finalize()
        }
    }
}

/// Bytes as lower-case hexadecimal digits.
package func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    var digits: [UInt8] = []
    digits.reserveCapacity(2 * bytes.underestimatedCount)
    for byte in bytes {
        digits.append(hexadecimalDigit(byte >> 4))
        digits.append(hexadecimalDigit(byte & 15))
    }
    return String(decoding: digits, as: UTF8.self)
}

/// The lower-case digit of a number below 16.
private func hexadecimalDigit(_ number: UInt8) -> UInt8 {
    number < 10 ? UInt8(ascii: "0") + number : UInt8(ascii: "a") + number - 10
}

/// The bytes that lower-case hexadecimal digits stand for; nil where they are none.
package func bytes(ofHexadecimal text: String) -> [UInt8]? {
    let digits = Array(text.utf8)
    guard digits.count.isMultiple(of: 2) else { return nil }
    func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        default: nil
        }
    }
    var bytes: [UInt8] = []
    for position in stride(from: 0, to: digits.count, by: 2) {
        guard let high = value(digits[position]), let low = value(digits[position + 1]) else { return nil }
        bytes.append(high << 4 | low)
    }
    return bytes
}

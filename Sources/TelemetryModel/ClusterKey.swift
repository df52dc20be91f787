// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation

/// A cluster's own Ed25519 key (RFC 8032): it signs what the cluster sends, and the cluster's id is derived from it.
///
/// `docs/identity.md` gives the scheme.
public struct ClusterKey: Sendable, CustomStringConvertible, CustomReflectable {
    /// The number of bytes in a seed.
    public static let seedLength = 32

    private let key: Curve25519.Signing.PrivateKey

    /// Makes a new key at random.
    public init() {
        key = Curve25519.Signing.PrivateKey()
    }

    /// The key of a seed of 32 bytes; nil for any other length.
    public init?(seed: [UInt8]) {
        guard seed.count == Self.seedLength, let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: seed)
        else {
            return nil
        }
        self.key = key
    }

    /// What the key is made from, 32 bytes: the secret to keep.
    public var seed: [UInt8] { Array(key.rawRepresentation) }

    /// The public half, 32 bytes.
    public var publicKey: [UInt8] { Array(key.publicKey.rawRepresentation) }

    /// The id of the cluster that has this key.
    public var clusterID: ClusterID { ClusterID(derivedFrom: publicKey) }

    /// Says nothing of the key, so that a log line cannot.
    public var description: String { "(cluster key)" }

    /// Says nothing of the key, so that a dump cannot.
    public var customMirror: Mirror { Mirror(self, children: [:]) }

    /// The header fields that make a request the cluster's own: its id, the digest of the body, and a signature.
    ///
    /// Every attempt is signed anew, with another nonce.
    ///
    /// - Parameters:
    ///   - method: The method, `POST` or `DELETE`.
    ///   - path: The path of the URL without its query; `/` where it has none.
    ///   - body: The body as it travels, packed where it is.
    ///   - instant: When it is signed.
    ///   - nonce: 16 random bytes.
    ///   - tag: What the request is.
    /// - Returns: `X-Cluster-ID`, `Content-Digest`, `Signature-Input` and `Signature`.
    /// - Throws: What the cryptographic library throws where it cannot sign.
    public func signedHeaders(
        method: String,
        path: String,
        body: [UInt8],
        at instant: UTCInstant,
        nonce: [UInt8],
        tag: MessageSignature.Tag
    ) throws -> [(name: String, value: String)] {
        let input = SignatureInput(
            publicKey: publicKey,
            created: instant,
            nonce: Data(nonce).base64EncodedString(),
            tag: tag
        )
        let (cluster, digest) = (clusterID, sha256(body))
        let base = input.base(method: method, path: path, digest: digest, cluster: cluster)
        let signature = try key.signature(for: base)
        return [
            ("X-Cluster-ID", cluster.text),
            ("Content-Digest", contentDigest(digest)),
            ("Signature-Input", "\(input.label)=\(input.parameters)"),
            ("Signature", "\(input.label)=:\(signature.base64EncodedString()):"),
        ]
    }
}

extension ClusterID {
    /// The id of the cluster with a public key: a UUID of version 8 (RFC 9562, 5.8) made of the first 16 bytes of the
    /// SHA-256 of the key.
    public init(derivedFrom publicKey: [UInt8]) {
        var bytes = Array(sha256(publicKey).prefix(16))
        bytes[6] = bytes[6] & 0x0f | 0x80
        bytes[8] = bytes[8] & 0x3f | 0x80
        var digits = hexadecimal(bytes)
        for position in [20, 16, 12, 8] {
            digits.insert("-", at: digits.utf8.index(digits.startIndex, offsetBy: position))
        }
        text = digits
    }

    /// Whether the id is a UUID of version 8, in whatever case: one that only a key can stand for.
    public var isVersion8: Bool {
        let bytes = text.utf8
        guard bytes.count == 36, bytes[bytes.index(bytes.startIndex, offsetBy: 14)] == UInt8(ascii: "8") else {
            return false
        }
        return bytes.enumerated().allSatisfy { position, byte in
            switch position {
            case 8, 13, 18, 23: byte == UInt8(ascii: "-")
            case 19: Array("89ABab".utf8).contains(byte)
            default: Character(UnicodeScalar(byte)).isHexDigit
            }
        }
    }
}

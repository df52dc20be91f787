// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation

/// The signature of a request as it was sent: an HTTP message signature (RFC 9421) with Ed25519 over the method, the
/// path, the digest of the body (RFC 9530), the cluster's id and the time.
///
/// Of the standards it takes what `docs/identity.md` says, and nothing else.
public struct MessageSignature: Equatable, Sendable, CustomStringConvertible, CustomReflectable {
    /// What a signed request is: the parameter `tag`.
    public enum Tag: String, Sendable {
        /// Sent by the cluster itself.
        case report = "cozy-telemetry"
        /// Carried to the backend by somebody, some time later.
        case bundle = "cozy-telemetry-bundle"

        /// How old a signature may be, in seconds.
        public var longestAge: Int64 {
            switch self {
            case .report: 3_600
            case .bundle: 30 * 86_400
            }
        }
    }

    /// A signature may be of so many seconds from now, as clocks differ.
    public static let largestLead: Int64 = 3_600

    /// Who signed.
    public var publicKey: [UInt8] { input.publicKey }
    /// When.
    public var created: UTCInstant { input.created }
    /// What no other signature of the key has.
    public var nonce: String { input.nonce }
    /// What the request is.
    public var tag: Tag { input.tag }

    private let digest: [UInt8]
    private let input: SignatureInput
    private let signature: [UInt8]

    /// Reads the values of the three header fields; nothing is verified.
    ///
    /// - Throws: `SignatureError.malformed`, `.otherComponents` or `.otherParameters`.
    public init(contentDigest: String, signatureInput: String, signature: String) throws(SignatureError) {
        guard let digest = byteSequence(contentDigest, label: "sha-256", count: 32) else {
            throw .malformed(field: "Content-Digest")
        }
        input = try SignatureInput(signatureInput)
        guard let signature = byteSequence(signature, label: input.label, count: 64) else {
            throw .malformed(field: "Signature")
        }
        self.digest = digest
        self.signature = signature
    }

    /// Says nothing of who signed, so that a log line cannot.
    public var description: String { "(signature)" }

    /// Says nothing of who signed, so that a dump cannot.
    public var customMirror: Mirror { Mirror(self, children: [:]) }

    /// Verifies that a request is the one that was signed, by the key that the cluster's id is derived from, and lately.
    ///
    /// Whether it came before is for the caller to remember, by `publicKey` and `nonce`.
    ///
    /// - Parameters:
    ///   - method: The method.
    ///   - path: The path.
    ///   - body: The body as it travelled.
    ///   - cluster: The value of `X-Cluster-ID`.
    ///   - now: The time of the receiving clock.
    /// - Throws: `SignatureError`.
    public func verify(
        method: String,
        path: String,
        body: [UInt8],
        cluster: ClusterID,
        at now: UTCInstant
    ) throws(SignatureError) {
        guard cluster == ClusterID(derivedFrom: publicKey) else { throw .otherKey }
        guard created >= now.advanced(bySeconds: -tag.longestAge) else { throw .stale(tag) }
        guard created <= now.advanced(bySeconds: Self.largestLead) else { throw .early }
        guard digest == sha256(body) else { throw .otherBody }
        let base = input.base(method: method, path: path, digest: digest, cluster: cluster)
        guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: publicKey),
            key.isValidSignature(signature, for: base)
        else { throw .wrong }
    }
}

/// The value of `Content-Digest` (RFC 9530) for the SHA-256 of a body.
func contentDigest(_ digest: [UInt8]) -> String { "sha-256=:\(Data(digest).base64EncodedString()):" }

/// The bytes of a dictionary of structured fields (RFC 9651) that has one member, a byte sequence: `label=:base64:`.
private func byteSequence(_ text: String, label: String, count: Int) -> [UInt8]? {
    let (start, end) = (label + "=:", ":")
    guard text.utf8.count <= 256, text.hasPrefix(start), text.hasSuffix(end), text.utf8.count > start.utf8.count else {
        return nil
    }
    return decodedBase64(text.dropFirst(start.count).dropLast(), count: count)
}

/// So many bytes in base64, written in the one way that RFC 4648 calls canonical.
func decodedBase64(_ text: Substring, count: Int) -> [UInt8]? {
    guard let bytes = Data(base64Encoded: String(text)), bytes.count == count, bytes.base64EncodedString() == text
    else {
        return nil
    }
    return Array(bytes)
}

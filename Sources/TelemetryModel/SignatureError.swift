// SPDX-License-Identifier: Apache-2.0

/// Why a signature does not show who sent a request; nothing that was sent is repeated.
public enum SignatureError: Error, Equatable, Sendable, CustomStringConvertible {
    /// There is none, and the id is one that only a key can stand for.
    case missing
    /// There can be none with this id, and there must be one.
    case required
    /// A header field is missing, repeated or not in its form.
    case malformed(field: String)
    /// Other parts of the request are signed than those that must be.
    case otherComponents
    /// The parameters are not those that must be.
    case otherParameters
    /// The request is of another kind than the tag says.
    case otherTag
    /// The id is not derived from the key.
    case otherKey
    /// The body is not the one that was signed.
    case otherBody
    /// It was made too long ago.
    case stale(MessageSignature.Tag)
    /// It was made too far in the future.
    case early
    /// It is not the key's signature of this request.
    case wrong
    /// It came before.
    case replayed

    /// What is wrong and what would be right.
    public var description: String {
        switch self {
        case .missing: "a cluster id that is a UUID of version 8 needs the signature of the key it is derived from"
        case .required: "a signature is required here, and only an id that is derived from a key can have one"
        case .malformed(let field): "\(field) must be given once, in the form that the scheme has"
        case .otherComponents:
            "the signature must cover exactly \"@method\", \"@path\", \"content-digest\" and \"x-cluster-id\""
        case .otherParameters:
            "the signature must have exactly created, nonce, keyid, alg=\"ed25519\" and a tag of the scheme, in their form"
        case .otherTag: "the signature's tag is not for this request"
        case .otherKey: "the cluster id is not derived from the key that signed"
        case .otherBody: "Content-Digest is not the SHA-256 of the body"
        case .stale(let tag): "the signature is over \(tag.longestAge) seconds old; sign anew, and check the clock"
        case .early: "the signature is of over \(MessageSignature.largestLead) seconds from now; check the clock"
        case .wrong: "the signature is not one of this request by this key"
        case .replayed: "the signature was used before; sign every attempt anew"
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import TelemetryModel

/// The keys of the clusters, and what they sign requests with, as `docs/identity.md` says.
struct Signer {
    private let method: String
    private let path: String
    private let seed: UInt64
    private var keys: [Int: ClusterKey] = [:]
    private var nonces = SystemRandomNumberGenerator()

    /// Signs what is sent to a target.
    init(target: Target) {
        method = target.method
        path = target.path
        seed = target.seed
    }

    /// The id that is derived from a cluster's key.
    mutating func id(of cluster: Int) throws -> String { try key(of: cluster).clusterID.text }

    /// The header lines of a request, with a nonce of its own: the id, the digest of the body and the signature.
    mutating func lines(cluster: Int, body: [UInt8], at instant: UTCInstant) throws -> String {
        let key = try key(of: cluster)
        let target = path.replacing("{id}", with: key.clusterID.text)
        let fields = try key.signedHeaders(
            method: method,
            path: String(target.prefix { $0 != "?" }),
            body: body,
            at: instant,
            nonce: (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &nonces) },
            tag: .report
        )
        return fields.map { "\($0.name): \($0.value)\r\n" }.joined()
    }

    /// The key of a cluster: the same for the same seed.
    private mutating func key(of cluster: Int) throws -> ClusterKey {
        if let known = keys[cluster] { return known }
        var randomness = Randomness(seed, UInt64(cluster))
        let bytes = (0..<ClusterKey.seedLength).map { _ in UInt8(truncatingIfNeeded: randomness.next()) }
        guard let key = ClusterKey(seed: bytes) else { throw LoadError("a seed of the wrong length") }
        keys[cluster] = key
        return key
    }
}

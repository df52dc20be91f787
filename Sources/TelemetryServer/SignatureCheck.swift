// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TelemetryModel

/// Verifies signatures by the receiving clock, and takes each of them once.
final class SignatureCheck: Sendable {
    private let now: @Sendable () -> UTCInstant
    private let memory = Mutex(ReplayMemory())

    init(now: @escaping @Sendable () -> UTCInstant) {
        self.now = now
    }

    /// Verifies that a request is its cluster's and did not come before.
    ///
    /// - Throws: `SignatureError`.
    func verify(
        _ signature: MessageSignature,
        method: String,
        path: String,
        body: [UInt8],
        cluster: ClusterID
    ) throws(SignatureError) {
        let instant = now()
        try signature.verify(method: method, path: path, body: body, cluster: cluster, at: instant)
        // Only what is right is remembered, so that nobody uses up the nonces of others.
        guard memory.withLock({ $0.remember(signature, at: instant) }) else { throw .replayed }
    }

    /// Forgets that a request came, which was told to come again; a bundle cannot be signed anew.
    func forget(_ signature: MessageSignature) { memory.withLock { $0.forget(signature) } }
}

/// Remembers signatures for two hours at the least, or until as many came as it holds; the oldest go first.
///
/// An ordinary signature is taken from an hour before it was made to an hour after, so two hours are enough.
struct ReplayMemory {
    /// For so many seconds a signature is remembered.
    private static let time: Int64 = 7_200

    /// So many signatures are held at the least.
    private let limit: Int
    /// Hashes of key and nonce under the process's random key, eight bytes each.
    private var latest: Set<Int> = []
    private var earlier: Set<Int> = []
    /// When the first of the latest came.
    private var start: UTCInstant?

    /// A memory that holds so many signatures at the least, and twice as many at the most.
    init(limit: Int = 1 << 20) {
        self.limit = limit
    }

    /// Remembers a signature; false where it already does.
    mutating func remember(_ signature: MessageSignature, at instant: UTCInstant) -> Bool {
        let hash = Self.hash(signature)
        if latest.contains(hash) || earlier.contains(hash) { return false }
        let isOver = start.map { instant >= $0.advanced(bySeconds: Self.time) } ?? true
        if isOver || latest.count >= limit {
            earlier = latest
            latest = []
            start = instant
        }
        latest.insert(hash)
        return true
    }

    /// Forgets a signature.
    mutating func forget(_ signature: MessageSignature) {
        let hash = Self.hash(signature)
        latest.remove(hash)
        earlier.remove(hash)
    }

    private static func hash(_ signature: MessageSignature) -> Int {
        var hasher = Hasher()
        hasher.combine(signature.publicKey)
        hasher.combine(signature.nonce)
        return hasher.finalize()
    }
}

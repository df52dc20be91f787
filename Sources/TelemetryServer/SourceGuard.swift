// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Logging
import Metrics
import NIOCore
import Synchronization
import TelemetryModel

/// Keeps anybody from sending too much, and notices who brings many new clusters.
///
/// Of addresses it holds hashes only, see `AddressHash`.
final class SourceGuard: Sendable {
    /// Whether there are limits.
    private let isLimiting: Bool
    private let limiter: Mutex<RateLimiter?>
    private let watch: Mutex<NewClusterWatch>
    private let threshold: Int
    private let now: @Sendable () -> NIODeadline
    private let today: @Sendable () -> UTCDay
    private let limited: [RateLimiter.Limit: Counter]
    private let bursts: Counter
    private let logger: Logger

    /// A guard that nobody has passed yet.
    ///
    /// - Parameters:
    ///   - settings: With the limits, if there are any.
    ///   - now: A clock that only goes forward.
    ///   - today: The receiving clock's UTC day.
    ///   - factory: Where it counts.
    ///   - logger: Where it says that one network brings many new clusters.
    init(
        _ settings: BackendSettings,
        now: @escaping @Sendable () -> NIODeadline,
        today: @escaping @Sendable () -> UTCDay,
        factory: any MetricsFactory,
        logger: Logger
    ) {
        isLimiting = settings.rateLimits != nil
        limiter = Mutex(settings.rateLimits.map { RateLimiter($0) })
        threshold = settings.newClustersFlagged
        watch = Mutex(NewClusterWatch(threshold: threshold))
        self.now = now
        self.today = today
        limited = Dictionary(
            uniqueKeysWithValues: RateLimiter.Limit.allCases.map { limit in
                let dimensions = [("limit", limit.rawValue)]
                return (limit, Counter(label: "telemetry_rate_limited", dimensions: dimensions, factory: factory))
            }
        )
        bursts = Counter(label: "telemetry_new_cluster_bursts", factory: factory)
        self.logger = logger
    }

    /// Counts a report from a network.
    ///
    /// - Throws: A refusal with 429 where it is one too many.
    func admit(from network: UInt64) throws(Refusal) { try take(.network, network) }

    /// Counts a report of a cluster, once it is known to be the cluster's as far as that can be.
    ///
    /// - Throws: A refusal with 429 where it is one too many.
    func admit(_ cluster: ClusterID) throws(Refusal) {
        guard isLimiting else { return }
        try take(.cluster, UInt64(bitPattern: Int64(cluster.hashValue)))
    }

    /// Counts a report of a cluster that the store does not know.
    ///
    /// - Throws: A refusal with 429 where it is one too many.
    func admitNewCluster(from network: UInt64) throws(Refusal) { try take(.newCluster, network) }

    /// A cluster that was not known is now.
    func tookNewCluster(from network: UInt64) {
        guard watch.withLock({ $0.note(network, on: today()) }) else { return }
        bursts.increment()
        logger.warning(
            "many new clusters came from one network today; they are counted like any other",
            metadata: ["clusters": "\(threshold)"]
        )
    }

    private func take(_ limit: RateLimiter.Limit, _ key: UInt64) throws(Refusal) {
        guard isLimiting, let wait = limiter.withLock({ $0?.take(limit, key, at: now()) ?? nil }) else { return }
        limited[limit]?.increment()
        throw .tooMany(limit, after: wait)
    }
}

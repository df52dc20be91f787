// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// Decides whether one more report is taken, of a cluster and from a network.
struct RateLimiter {
    /// What there is a limit on.
    enum Limit: String, CaseIterable {
        case cluster
        case network
        case newCluster = "new_cluster"
    }

    private var clusters: TokenBuckets
    private var networks: TokenBuckets
    private var newClusters: TokenBuckets

    /// A limiter that nobody has asked yet; see `TokenBuckets` for the size of each of its three tables.
    init(_ limits: RateLimits, size: Int = 1 << 16) {
        func buckets(_ rate: Int, every time: TimeAmount, burst: Int) -> TokenBuckets {
            TokenBuckets(interval: .nanoseconds(time.nanoseconds / Int64(max(1, rate))), burst: burst, size: size)
        }
        clusters = buckets(limits.reportsPerCluster, every: .minutes(1), burst: limits.burstPerCluster)
        networks = buckets(limits.reportsPerNetwork, every: .minutes(1), burst: limits.burstPerNetwork)
        newClusters = buckets(
            limits.newClustersPerNetwork,
            every: .hours(1),
            burst: limits.newClusterBurstPerNetwork
        )
    }

    /// Counts a report against a limit.
    ///
    /// - Parameters:
    ///   - limit: The limit.
    ///   - key: The hash of the cluster, or of the network.
    ///   - now: An instant that is never before that of another call.
    /// - Returns: nil where it is taken, else the time after which it would be.
    mutating func take(_ limit: Limit, _ key: UInt64, at now: NIODeadline) -> TimeAmount? {
        switch limit {
        case .cluster: clusters.take(key, at: now)
        case .network: networks.take(key, at: now)
        case .newCluster: newClusters.take(key, at: now)
        }
    }
}

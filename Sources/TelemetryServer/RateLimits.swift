// SPDX-License-Identifier: Apache-2.0

/// How many reports are taken in a time.
///
/// A burst is what may come at once after a time of quiet; the rate is what may go on.
public struct RateLimits: Sendable {
    /// Reports of a cluster a minute: one of each of its two collectors.
    public var reportsPerCluster = 2
    /// Reports of a cluster at once.
    public var burstPerCluster = 10
    /// Reports from a network a minute; many clusters may be behind one address.
    public var reportsPerNetwork = 600
    /// Reports from a network at once.
    public var burstPerNetwork = 3_000
    /// Reports with ids that were never seen before from a network an hour.
    public var newClustersPerNetwork = 120
    /// Reports with ids that were never seen before from a network at once.
    public var newClusterBurstPerNetwork = 500

    /// Limits, all at their default.
    public init() {}
}

// SPDX-License-Identifier: Apache-2.0

/// Which versions of Cozystack, or of Kubernetes, the clusters have over some months, how fast they took them, and how far
/// behind they are.
public struct Adoption: Encodable, Equatable, Sendable {
    /// One version.
    public struct Version: Encodable, Equatable, Sendable {
        /// The version as it was sent.
        public var version: String
        /// The UTC day on which the first cluster had it, `2026-03-01`.
        public var firstSeen: String
        /// The next release above it that was seen by the end; nil where there is none.
        public var successor: String?
        /// Clusters that ever had it, by the end.
        public var clusters: Int
        /// How long it took.
        public var daysTo: Speed
        /// Clusters that had it in their last report of each month, in the order of `months`.
        public var atEnd: [Int]

        /// A version.
        public init(
            version: String,
            firstSeen: UTCDay,
            successor: String?,
            clusters: Int,
            daysTo: Speed,
            atEnd: [Int]
        ) {
            (self.version, self.firstSeen, self.successor) = (version, "\(firstSeen)", successor)
            (self.clusters, self.daysTo, self.atEnd) = (clusters, daysTo, atEnd)
        }

        private enum CodingKeys: String, CodingKey {
            case version, successor, clusters
            case firstSeen = "first_seen"
            case daysTo = "days_to"
            case atEnd = "at_end"
        }
    }

    /// Days from the first cluster that had a version until a part of all that ever take it had it.
    public struct Speed: Encodable, Equatable, Sendable {
        /// A quarter of them.
        public var quarter: Int
        /// Half of them.
        public var half: Int
        /// Nine tenths of them.
        public var nineTenths: Int

        /// Three numbers of days.
        public init(quarter: Int, half: Int, nineTenths: Int) {
            (self.quarter, self.half, self.nineTenths) = (quarter, half, nineTenths)
        }

        private enum CodingKeys: String, CodingKey {
            case quarter, half
            case nineTenths = "nine_tenths"
        }
    }

    /// One month.
    public struct Month: Encodable, Equatable, Sendable {
        /// `2026-03`.
        public var month: String
        /// Clusters with a report in the month.
        public var clusters: Int
        /// Those of them whose version had no successor by its end.
        public var current: Int
        /// Days since the successor of their version was first seen, 0 for those that are current; nil where nobody has a
        /// version.
        public var lag: Quartiles?

        /// A month.
        public init(month: CalendarMonth, clusters: Int, current: Int, lag: Quartiles?) {
            (self.month, self.clusters, self.current, self.lag) = ("\(month)", clusters, current, lag)
        }
    }

    /// The months, in order.
    public var months: [Month]
    /// The versions that most clusters ever had, in the order of versions.
    public var versions: [Version]

    /// Months and versions.
    public init(months: [Month], versions: [Version]) {
        (self.months, self.versions) = (months, versions)
    }
}

// SPDX-License-Identifier: Apache-2.0

/// Clusters by how large they are.
public struct Sizes: Encodable, Equatable, Sendable {
    /// Clusters by one figure.
    public struct Distribution: Encodable, Equatable, Sendable {
        /// Clusters by the peak of the figure in the month, in the order of `spans`.
        public var clusters: [Int]
        /// Clusters that say nothing of it.
        public var unknown: Int

        /// Nothing counted yet.
        public init() {
            (clusters, unknown) = (Array(repeating: 0, count: Sizes.spans.count), 0)
        }

        /// Counts a cluster; nil for one that says nothing.
        package mutating func add(_ peak: Int64?) {
            guard let peak, let span = Sizes.spans.firstIndex(where: { $0.contains(Int(peak)) }) else {
                unknown += 1
                return
            }
            clusters[span] += 1
        }
    }

    /// One month.
    public struct Month: Encodable, Equatable, Sendable {
        /// `2026-03`.
        public var month: String
        /// Clusters with a report in the month.
        public var clusters: Int
        /// By nodes.
        public var nodes: Distribution
        /// By tenants.
        public var tenants: Distribution
        /// By volumes.
        public var volumes: Distribution

        /// A month.
        public init(
            month: CalendarMonth,
            clusters: Int,
            nodes: Distribution,
            tenants: Distribution,
            volumes: Distribution
        ) {
            (self.month, self.clusters) = ("\(month)", clusters)
            (self.nodes, self.tenants, self.volumes) = (nodes, tenants, volumes)
        }
    }

    /// The spans that sizes are told apart by.
    public static let spans = NumberSpan.from([0, 1, 2, 4, 6, 11, 21, 51, 101])

    /// The spans.
    public var spans = Self.spans
    /// The months, in order.
    public var months: [Month]

    /// Months.
    public init(months: [Month]) {
        self.months = months
    }
}

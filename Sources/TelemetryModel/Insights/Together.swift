// SPDX-License-Identifier: Apache-2.0

/// Which applications and packages go together, at the end of a month.
public struct Together: Encodable, Equatable, Sendable {
    /// Something that clusters have.
    public struct Thing: Encodable, Hashable, Comparable, Sendable {
        /// What it is.
        public enum Kind: String, Encodable, Sendable {
            case application, package
        }

        /// What it is.
        public var kind: Kind
        /// The canonical name of an application, or the kind that was sent; the name of a package.
        public var name: String

        /// A thing.
        public init(_ kind: Kind, _ name: String) {
            (self.kind, self.name) = (kind, name)
        }

        /// The thing that a value of a dimension stands for; nil where it stands for none.
        ///
        /// Clusters of v0 send workloads where later ones send applications.
        package init?(valueOf dimension: Dimension, _ value: String) {
            switch dimension {
            case .application, .workloadKind: self.init(.application, ApplicationName.canonical(of: value) ?? value)
            case .package: self.init(.package, value)
            default: return nil
            }
        }

        /// Applications come first, then by name.
        public static func < (left: Self, right: Self) -> Bool {
            (left.kind.rawValue, left.name) < (right.kind.rawValue, right.name)
        }
    }

    /// Two things.
    public struct Pair: Encodable, Equatable, Sendable {
        /// The one.
        public var first: Thing
        /// The other.
        public var second: Thing
        /// Clusters that have the one.
        public var clustersOfFirst: Int
        /// Clusters that have the other.
        public var clustersOfSecond: Int
        /// Clusters that have both.
        public var both: Int
        /// How many times as many have both as would if neither made a difference to the other, to two decimals.
        public var lift: Double

        /// A pair, of which the smaller thing comes first.
        ///
        /// - Parameters:
        ///   - things: Two things, each with how many clusters have it.
        ///   - both: How many have both.
        ///   - clusters: How many clusters there are.
        public init(_ things: [Thing: Int], both: Int, of clusters: Int) {
            let sorted = things.sorted { $0.key < $1.key }
            precondition(sorted.count == 2, "a pair is of two")
            (first, second) = (sorted[0].key, sorted[1].key)
            (clustersOfFirst, clustersOfSecond, self.both) = (sorted[0].value, sorted[1].value, both)
            let expected = Double(sorted[0].value) * Double(sorted[1].value) / Double(max(1, clusters))
            lift = expected > 0 ? (Double(both) / expected * 100).rounded() / 100 : 0
        }

        private enum CodingKeys: String, CodingKey {
            case first, second, both, lift
            case clustersOfFirst = "clusters_of_first"
            case clustersOfSecond = "clusters_of_second"
        }
    }

    /// Clusters with a report in the month.
    public var clusters: Int
    /// The pairs, the highest lift first.
    public var pairs: [Pair]

    /// Clusters and pairs.
    public init(clusters: Int, pairs: [Pair]) {
        (self.clusters, self.pairs) = (clusters, pairs)
    }
}

extension [Together.Pair] {
    /// The highest lift first, then those of most clusters.
    package var ranked: Self {
        sorted { left, right in
            if (left.lift, left.both) != (right.lift, right.both) {
                return (left.lift, left.both) > (right.lift, right.both)
            }
            return (left.first, left.second) < (right.first, right.second)
        }
    }
}

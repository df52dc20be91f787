// SPDX-License-Identifier: Apache-2.0

/// What of a breakdown may be told to everybody.
///
/// A value that fewer than *k* clusters have is folded with others under `other`. Every number is rounded down to a multiple
/// of *k*: so two of them, of whichever windows, days and values, differ by nothing or by at least *k*, and a single
/// cluster is in no difference.
public struct PublicBreakdown: Codable, Equatable, Sendable {
    /// How many clusters have a value, in multiples of *k*.
    public struct Value: Codable, Equatable, Sendable {
        /// The value; `other` for all that are folded.
        public var value: String
        /// Distinct clusters that reported it in the window; those of `other` count once for each value they have of it.
        public var clusters: Int
        /// Clusters whose last report of the window has it.
        public var clustersAtEnd: Int

        /// Counts of a value.
        public init(value: String, clusters: Int, clustersAtEnd: Int) {
            (self.value, self.clusters, self.clustersAtEnd) = (value, clusters, clustersAtEnd)
        }

        private enum CodingKeys: String, CodingKey {
            case value, clusters
            case clustersAtEnd = "clusters_at_end"
        }
    }

    /// The values, those of most clusters first, and `other` last.
    public var values: [Value]

    /// What may be told of counts.
    ///
    /// - Parameters:
    ///   - counts: The counts by value; where that is `other` already it stays there.
    ///   - threshold: *k*, at least 1.
    public init(_ counts: [String: Breakdown], threshold: Int) {
        func floor(_ count: Int) -> Int { count / threshold * threshold }
        let entries = counts.filter { $0.key != DataDictionary.other }.map { (name: $0.key, count: $0.value) }
        let names = AnonymousNames(entries, threshold: threshold, name: \.name) { Int64($0.count.clusters) }
        values = names.named.map { name, count in
            Value(value: name, clusters: floor(count.clusters), clustersAtEnd: floor(count.clustersAtEnd))
        }
        values.sort { ($1.clusters, $0.value) < ($0.clusters, $1.value) }
        let folded = names.folded.map(\.count) + [counts[DataDictionary.other]].compactMap { $0 }
        let other = Value(
            value: DataDictionary.other,
            clusters: floor(folded.reduce(0) { $0 + $1.clusters }),
            clustersAtEnd: floor(folded.reduce(0) { $0 + $1.clustersAtEnd })
        )
        if other.clusters > 0 { values.append(other) }
    }

    /// A breakdown as it was told before.
    public init(from decoder: any Decoder) throws {
        values = try [Value](from: decoder)
    }

    /// The values alone.
    public func encode(to encoder: any Encoder) throws {
        try values.encode(to: encoder)
    }
}

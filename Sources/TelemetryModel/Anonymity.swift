// SPDX-License-Identifier: Apache-2.0

/// What of a list of names may be told of a fleet without singling a cluster out.
///
/// A name that fewer than *k* clusters have is folded with others. What is folded takes the next smallest name in, so that
/// it is never about fewer than *k* clusters itself: how many distinct clusters the folded names have together is at
/// least the highest of their counts, and that would be below *k*. Where nothing is left to take in, it is left out.
public struct AnonymousNames<Entry> {
    /// What is told by name.
    public private(set) var named: [Entry]
    /// What is told together, under `other`; empty where there is nothing that may be.
    public private(set) var folded: [Entry] = []

    /// Divides names.
    ///
    /// - Parameters:
    ///   - entries: The names, with whatever belongs to them.
    ///   - threshold: *k*.
    ///   - name: The name of an entry.
    ///   - clusters: How many clusters have it.
    public init(_ entries: [Entry], threshold: Int, name: (Entry) -> String, clusters: (Entry) -> Int64) {
        let sorted = entries.sorted { (clusters($0), name($0)) < (clusters($1), name($1)) }
        let rare = sorted.prefix { clusters($0) < threshold }.count
        guard rare > 0 else {
            named = sorted
            return
        }
        named = Array(sorted.dropFirst(rare + 1))
        if rare < sorted.count { folded = Array(sorted.prefix(rare + 1)) }
    }
}

// SPDX-License-Identifier: Apache-2.0

import TelemetryModel

/// What is counted of the applications and packages that clusters have at the end of a month.
struct PairCounts: Sendable {
    /// How many things are told apart; others are left out.
    static let largestThings = 256

    private var things = BoundedNames<Together.Thing>(limit: largestThings)
    /// Clusters that have both of two things, by their numbers, the larger one first; with itself, clusters that have it.
    private var counts: [CalendarMonth: [UInt32]] = [:]

    /// Nothing counted yet.
    ///
    /// - Parameter common: What is told apart first.
    init(_ common: [Together.Thing]) {
        for thing in common { _ = things.number(of: thing) }
    }

    /// The number of a thing; nil where it is left out.
    mutating func number(of thing: Together.Thing) -> Int? { things.number(of: thing) }

    /// Counts a cluster that has things at the end of a month.
    mutating func add(_ numbers: Set<Int>, atEndOf month: CalendarMonth) {
        guard !numbers.isEmpty else { return }
        let numbers = numbers.sorted()
        let size = Self.place(Self.largestThings, 0)
        counts[month, default: Array(repeating: 0, count: size)].withUnsafeMutableBufferPointer { counts in
            for (position, larger) in numbers.enumerated() {
                for smaller in numbers[...position] { counts[Self.place(larger, smaller)] += 1 }
            }
        }
    }

    private static func place(_ larger: Int, _ smaller: Int) -> Int { larger * (larger + 1) / 2 + smaller }

    /// The pairs of a month; the definition is `ReferenceInsights.together(at:least:)`.
    ///
    /// - Parameters:
    ///   - month: The month.
    ///   - clusters: Clusters with a report in it.
    ///   - least: Pairs that fewer clusters have are left out.
    ///   - limit: So many pairs.
    /// - Returns: The pairs, the highest lift first.
    func together(at month: CalendarMonth, clusters: Int, least: Int, limit: Int) -> Together {
        guard let counts = counts[month] else { return Together(clusters: clusters, pairs: []) }
        var pairs: [Together.Pair] = []
        for larger in things.names.indices {
            for smaller in 0..<larger {
                let both = Int(counts[Self.place(larger, smaller)])
                guard both >= max(1, least) else { continue }
                let alone = [larger, smaller].map { (things.names[$0], Int(counts[Self.place($0, $0)])) }
                pairs.append(.init(Dictionary(uniqueKeysWithValues: alone), both: both, of: clusters))
            }
        }
        return Together(clusters: clusters, pairs: Array(pairs.ranked.prefix(limit)))
    }
}

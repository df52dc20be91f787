// SPDX-License-Identifier: Apache-2.0

import FleetSimulator
package import TelemetryModel

/// Reports that can be told from the totals: which of them were counted, and whether any was twice.
///
/// A report claims a capacity that no other claims: a power of four, in a resource that its cluster names once. So each
/// digit of a total to the base of four is how often one report was counted.
package struct MarkedReports {
    /// One report, or the same again.
    package struct Marked: Sendable {
        /// Its number; a repeated report has the number of the first.
        package let number: Int
        /// Who sends it.
        package let cluster: ClusterID
        /// When it is received, where a test decides that.
        package let receivedAt: UTCInstant
        /// What it says.
        package let report: Report
    }

    /// So many powers of four fit a capacity.
    package static let clusters = 31

    private var random: SeededGenerator
    /// Makes the clusters of different seeds different.
    private let prefix: UInt64
    private var all: [Marked] = []
    /// The clusters that have not reported in this round.
    private var left: [Int] = []
    /// The reports that may be repeated.
    private var latest: ClosedRange<Int> { max(0, all.count - Self.clusters)...max(0, all.count - 1) }

    /// The last day of one month and the first two of the next.
    private static let days = [
        CalendarMonth(year: 2026, month: 3).lastDay, CalendarMonth(year: 2026, month: 4).firstDay,
        UTCDay(daysSinceEpoch: CalendarMonth(year: 2026, month: 4).firstDay.daysSinceEpoch + 1),
    ]

    /// The windows in which the totals of such reports differ.
    package static let windows = Array(Set(days.flatMap { Window.containing($0.month) }))

    /// The window that holds all of them.
    package static let wholeWindow = Window(.year, endingWith: CalendarMonth(year: 2026, month: 4))

    /// The reports of a seed.
    package init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
        prefix = random.next()
    }

    /// A report of one cluster after another, and now and then one of the last ones again.
    package mutating func next() -> Marked? {
        if !all.isEmpty, Int.random(in: 0..<5, using: &random) == 0 {
            return all[Int.random(in: latest, using: &random)]
        }
        if left.isEmpty { left = (0..<Self.clusters).shuffled(using: &random) }
        let cluster = left.removeLast()
        guard let id = ClusterID("c\(prefix)-\(cluster)"), let day = Self.days.randomElement(using: &random) else {
            return nil
        }
        let round = all.count / Self.clusters
        let marked = Marked(
            number: round * Self.clusters + cluster,
            cluster: id,
            receivedAt: UTCInstant(startOf: day).advanced(bySeconds: .random(in: 0..<86_400, using: &random)),
            report: Report([
                .init(Series(.clusterCapacity, ["nvidia.com/r\(round)"]), 1 << Int64(2 * cluster)),
                .init(
                    Series(.nodesCount, ["linux (Talos (v1.8.4))", "6.6.64-talos"]),
                    .random(in: 1...9, using: &random)
                ),
            ])
        )
        all.append(marked)
        return marked
    }

    /// The numbers of the reports that are in totals, with how often each was counted.
    package static func counts(in totals: WindowTotals) -> [Int: Int] {
        var counts: [Int: Int] = [:]
        for case (.capacity(let resource), var rest) in totals.all where resource.hasPrefix("nvidia.com/r") {
            guard let round = Int(resource.dropFirst("nvidia.com/r".count)) else { continue }
            for cluster in 0..<clusters {
                if rest % 4 > 0 { counts[round * clusters + cluster] = Int(rest % 4) }
                rest /= 4
            }
        }
        return counts
    }
}

// SPDX-License-Identifier: Apache-2.0

import TelemetryModel

/// How versions spread over a fleet, from what may be told of one month after the other.
struct VersionSpread {
    /// The way of one version.
    struct Version: Equatable {
        /// The version.
        let name: String
        /// Its share of the clusters at each month's end, 0 to 1.
        let shares: [Double]

        /// The first month that has it.
        var first: Int? { shares.firstIndex { $0 > 0 } }
        /// The month with its highest share.
        var peak: Int { shares.indices.max { shares[$0] < shares[$1] } ?? 0 }
        /// How many months after the first one half of the clusters had it; nil where they never did.
        var monthsToHalf: Int? {
            guard let first, let half = shares.firstIndex(where: { $0 >= 0.5 }) else { return nil }
            return half - first
        }
    }

    /// The months.
    let months: [CalendarMonth]
    /// Versions that clusters had at a month's end, the newest first; `other` is not among them.
    let versions: [Version]

    init(_ breakdowns: [(month: CalendarMonth, breakdown: PublicBreakdown)]) {
        months = breakdowns.map(\.month)
        let counts = breakdowns.map { entry in
            Dictionary(entry.breakdown.values.map { ($0.value, $0.clustersAtEnd) }) { $1 }
        }
        let sums = counts.map { max(1, $0.values.reduce(0, +)) }
        let names = Set(counts.flatMap(\.keys)).subtracting([DataDictionary.other])
        versions = names.sorted { $1.precedesAsVersion($0) }.map { name in
            Version(name: name, shares: zip(counts, sums).map { Double($0[name] ?? 0) / Double($1) })
        }.filter { $0.first != nil }
    }

    /// Those that most have in the last month, and then those that most had once; the newest first.
    func mostShared(_ count: Int) -> [Version] {
        let ranked = versions.sorted {
            ($0.shares.last ?? 0, $0.shares[$0.peak]) > ($1.shares.last ?? 0, $1.shares[$1.peak])
        }
        let chosen = Set(ranked.prefix(count).map(\.name))
        return versions.filter { chosen.contains($0.name) }
    }
}

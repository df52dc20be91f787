// SPDX-License-Identifier: Apache-2.0

import TelemetryModel

/// How many clusters there are of each number of days.
struct DayCounts: Sendable {
    private var counts: [Int: Int] = [:]

    /// All of them.
    private(set) var total = 0

    /// Adds clusters.
    mutating func add(_ clusters: Int = 1, at days: Int) {
        counts[days, default: 0] += clusters
        total += clusters
    }

    /// Adds those of another count, moved by some days, where they are not above a number.
    mutating func add(_ other: Self, from first: Int = 0, until last: Int = .max) {
        for (days, clusters) in other.counts where days <= last { add(clusters, at: days - first) }
    }

    /// The smallest number; nil where there is none.
    var first: Int? { counts.keys.min() }

    /// The smallest numbers that parts of all, given in percent, at least do not exceed; nil where there are none.
    private func ranks(_ percents: [Int]) -> [Int]? {
        guard total > 0 else { return nil }
        let sorted = counts.sorted { $0.key < $1.key }
        return percents.map { percent in
            var sum = 0
            let reached = sorted.first { entry in
                sum += entry.value
                return sum * 100 >= total * percent
            }
            return reached?.key ?? 0
        }
    }

    /// The quartiles; nil where there are none.
    var quartiles: Quartiles? {
        ranks([25, 50, 75]).map { Quartiles(quarter: $0[0], median: $0[1], threeQuarters: $0[2]) }
    }

    /// How long a quarter, half and nine tenths took; nil where there are none.
    var speed: Adoption.Speed? {
        ranks([25, 50, 90]).map { Adoption.Speed(quarter: $0[0], half: $0[1], nineTenths: $0[2]) }
    }
}

/// Numbers for names, from 0 on, up to a limit, so that hostile names do not fill the memory.
struct BoundedNames<Name: Hashable & Sendable>: Sendable {
    private let limit: Int
    private var numbers: [Name: Int] = [:]
    /// The names in the order of their numbers.
    private(set) var names: [Name] = []

    init(limit: Int) {
        self.limit = limit
    }

    /// The number of a name; nil where there are too many others.
    mutating func number(of name: Name) -> Int? {
        if let known = numbers[name] { return known }
        guard names.count < limit else { return nil }
        numbers[name] = names.count
        names.append(name)
        return names.count - 1
    }
}

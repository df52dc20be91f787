// SPDX-License-Identifier: Apache-2.0

import TelemetryModel

/// The peaks of a day of those clusters that say many different things on it, so that each further one costs no more than
/// the first.
struct DayMemory {
    /// So many reports on a day are many.
    static let many = 4
    /// So many clusters are remembered.
    private static let capacity = 1_000

    private var rows: Set<Int> = []
    private var known: [Int: (day: UTCDay, peaks: [Peak])] = [:]

    /// The peaks of a cluster on a day; nil where they are not remembered.
    func peaks(of row: Int, on day: UTCDay) -> [Peak]? {
        guard let known = known[row], known.day == day else { return nil }
        return known.peaks
    }

    /// Remembers a cluster's peaks from its next report on.
    mutating func remember(_ row: Int) {
        if rows.count >= Self.capacity { self = Self() }
        rows.insert(row)
    }

    /// The peaks that a cluster has now, where it is one that is remembered.
    mutating func set(_ peaks: [Peak], of row: Int, on day: UTCDay) {
        if rows.contains(row) { known[row] = (day, peaks) }
    }
}

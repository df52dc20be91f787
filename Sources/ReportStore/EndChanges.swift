// SPDX-License-Identifier: Apache-2.0

import TelemetryModel

/// What other last reports in a month change at the ends of the windows that hold it: which of a cluster's values are in
/// its last report of each window.
struct EndChanges {
    /// Last reports before and after, as positions in `candidates`, one a collector, -1 for none; and where they are so.
    private struct Group {
        var before: [Int]
        var after: [Int]
        var slots: UInt64
    }

    private let candidates: [Candidate]
    private var groups: [Group] = []

    /// A last report, and in which windows it counts when.
    private struct Candidate {
        let last: MonthSummary.Last
        let slots: UInt64
        let isBefore: Bool
        let isAfter: Bool
    }

    /// Compares the last reports of a month before and after.
    ///
    /// - Parameters:
    ///   - before: The last reports that the month had.
    ///   - after: Those it has now.
    ///   - neighbours: The other months.
    ///   - slots: The windows that are looked at.
    init(
        from before: [MonthSummary.Last],
        to after: [MonthSummary.Last],
        beside neighbours: [ClusterMonths.Neighbour],
        in slots: UInt64
    ) {
        var candidates = neighbours.flatMap { neighbour in
            neighbour.summary.lasts.map { Candidate(last: $0, slots: neighbour.slots, isBefore: true, isAfter: true) }
        }
        for last in before {
            candidates.append(
                Candidate(last: last, slots: PeriodSlots.allWindows, isBefore: true, isAfter: after.contains(last))
            )
        }
        for last in after where !before.contains(last) {
            candidates.append(Candidate(last: last, slots: PeriodSlots.allWindows, isBefore: false, isAfter: true))
        }
        self.candidates = candidates
        if neighbours.isEmpty {
            addGroup(of: 0, in: slots)
        } else {
            slots.forEachSlot { addGroup(of: $0, in: 1 << UInt64($0)) }
        }
    }

    private mutating func addGroup(of slot: Int, in slots: UInt64) {
        guard slots != 0 else { return }
        let before = latest(in: slot) { $0.isBefore }
        let after = latest(in: slot) { $0.isAfter }
        guard before != after else { return }
        if let known = groups.firstIndex(where: { $0.before == before && $0.after == after }) {
            groups[known].slots |= slots
        } else {
            groups.append(Group(before: before, after: after, slots: slots))
        }
    }

    /// The position of each collector's last report in a window.
    private func latest(in slot: Int, where counts: (Candidate) -> Bool) -> [Int] {
        var latest = Array(repeating: -1, count: Collector.allCases.count)
        for (position, candidate) in candidates.enumerated()
        where candidate.slots >> UInt64(slot) & 1 == 1 && counts(candidate) {
            let collector = Int(candidate.last.collector.rawValue)
            let known = latest[collector]
            if known < 0 || candidates[known].last.ordinal < candidate.last.ordinal { latest[collector] = position }
        }
        return latest
    }

    /// Adds the changes: one cluster more for a value that has come, one fewer for one that is gone.
    func add(
        to changes: inout TotalChanges,
        of month: CalendarMonth,
        sign: Int64,
        metric: (Int) throws -> Metric
    ) rethrows {
        for group in groups {
            let old = try values(group.before, metric)
            let new = try values(group.after, metric)
            Self.compare(old, new) { item, isNew in
                changes.add(Total(last: isNew ? sign : -sign), to: item, of: month, in: group.slots)
            }
        }
    }

    /// Calls a body with each number that is in one of two ascending lists only.
    private static func compare(_ old: [Int], _ new: [Int], _ body: (_ item: Int, _ isNew: Bool) -> Void) {
        var position = 0
        for item in new {
            while position < old.count, old[position] < item {
                body(old[position], false)
                position += 1
            }
            if position < old.count, old[position] == item {
                position += 1
            } else {
                body(item, true)
            }
        }
        for item in old[position...] { body(item, false) }
    }

    private func values(_ positions: [Int], _ metric: (Int) throws -> Metric) rethrows -> [Int] {
        try positions.filter { $0 >= 0 }.map { candidates[$0].last }.valuesAtEnd(metric: metric)
    }
}

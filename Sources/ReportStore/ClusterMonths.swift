// SPDX-License-Identifier: Apache-2.0

import TelemetryModel

/// The months of one cluster, and what each month that is added or extended changes in the totals.
///
/// This is where totals come from: reports as they arrive, the same again for a check, and the opposite for an erasure.
struct ClusterMonths {
    /// What of the totals is changed.
    struct Scope {
        /// Windows that begin before this month are finished, and no longer follow.
        var followedFrom: CalendarMonth
        /// The months whose ends the cluster is established at.
        var established: Range<CalendarMonth>
        /// Whether only the part of the established clusters changes.
        var isOnlyEstablished = false
        /// The day that the cluster is established from; nil where it never was.
        var establishedSince: UTCDay?
        /// Whether what is added is taken off the totals.
        var isRemoval = false

        /// The scope of a cluster that was established on a day, if ever.
        init(followedFrom: CalendarMonth, establishedSince day: UTCDay?) {
            self.followedFrom = followedFrom
            establishedSince = day
            let end = CalendarMonth(index: .max)
            established = (day?.month ?? end)..<end
        }
    }

    /// A month and what its reports come to.
    struct Month: Equatable {
        var month: CalendarMonth
        var summary: MonthSummary
    }

    /// The months that are known, in order.
    private(set) var months: [Month] = []
    private let scope: Scope

    /// The months that a store has; nothing changes by them.
    init(_ months: [Month] = [], scope: Scope) {
        self.months = months
        self.scope = scope
    }

    /// What a month's reports come to; empty where it has none.
    subscript(_ month: CalendarMonth) -> MonthSummary { months.first { $0.month == month }?.summary ?? MonthSummary() }

    /// Adds what one report says, or several come to, to a month.
    ///
    /// - Parameters:
    ///   - peaks: The values of items, ordered by item.
    ///   - lasts: The reports that are now the last of their collectors in the month.
    ///   - month: The month.
    ///   - changes: What takes the changes of the totals.
    ///   - metric: The metric of an item that is a value of a dimension.
    mutating func add(
        _ peaks: [Peak],
        lasts: [MonthSummary.Last],
        in month: CalendarMonth,
        to changes: inout TotalChanges,
        metric: (Int) throws -> Metric
    ) rethrows {
        let before = self[month]
        var after = before
        let raised = after.raise(peaks)
        for last in lasts { after.setLast(last) }
        let neighbours = neighbours(of: month)
        let followed = PeriodSlots.windows(of: month) { $0.start >= scope.followedFrom }
        addPeaks(raised, beside: neighbours, of: month, in: followed, to: &changes)
        if !lasts.isEmpty, !scope.isOnlyEstablished {
            let changed = EndChanges(from: before.lasts, to: after.lasts, beside: neighbours, in: followed)
            try changed.add(to: &changes, of: month, sign: scope.isRemoval ? -1 : 1, metric: metric)
        }
        set(after, in: month)
    }

    private mutating func set(_ summary: MonthSummary, in month: CalendarMonth) {
        let position = months.firstIndex { $0.month >= month } ?? months.endIndex
        if position < months.endIndex, months[position].month == month {
            months[position].summary = summary
        } else {
            months.insert(Month(month: month, summary: summary), at: position)
        }
    }

    /// Another month that shares windows with one, and which.
    struct Neighbour {
        let slots: UInt64
        let summary: MonthSummary
    }

    private func neighbours(of month: CalendarMonth) -> [Neighbour] {
        months.compactMap { other in
            let slots = other.month == month ? 0 : PeriodSlots.windows(holding: other.month.index - month.index)
            return slots == 0 ? nil : Neighbour(slots: slots, summary: other.summary)
        }
    }

    /// Adds what reports that were not seen on days of a month before come to.
    ///
    /// - Parameters:
    ///   - peaks: The values of items, ordered by item.
    ///   - others: What the other reports of those days come to; it takes them in.
    ///   - days: The days, a bit each from the first of the month on.
    ///   - month: The month.
    ///   - changes: What takes the changes of the totals.
    func add(
        _ peaks: [Peak],
        beside others: inout MonthSummary,
        onDays days: Int,
        of month: CalendarMonth,
        to changes: inout TotalChanges
    ) {
        let raised = others.raise(peaks)
        guard month >= scope.followedFrom else { return }
        let first = month.firstDay.daysSinceEpoch
        let unestablished = min(31, max(0, (scope.establishedSince?.daysSinceEpoch ?? .max) - first))
        let established = PeriodSlots.days((days >> unestablished) << unestablished)
        let days = PeriodSlots.days(days)
        for peak in raised {
            let change = change(from: peak.before ?? -1, to: peak.after)
            changes.add(change.established, to: peak.item, of: month, in: days & established)
            changes.add(change.other, to: peak.item, of: month, in: days & ~established)
        }
    }

    /// What it changes that a peak grows, where the cluster is established and elsewhere; -1 stands for none before.
    private func change(from before: Int64, to after: Int64) -> (established: Total, other: Total) {
        let growth = Int128(max(0, after - max(before, 0)))
        var change = Total()
        if !scope.isOnlyEstablished {
            change.all = growth
            change.clusters = before < 0 ? 1 : 0
        }
        var established = change
        established.established = growth
        return scope.isRemoval ? (-established, -change) : (established, change)
    }

    /// Adds what raised peaks change: in each window the difference to the peak that it had.
    private func addPeaks(
        _ raised: [(item: Int, before: Int64?, after: Int64)],
        beside neighbours: [Neighbour],
        of month: CalendarMonth,
        in followed: UInt64,
        to changes: inout TotalChanges
    ) {
        let established = PeriodSlots.windows(of: month) { scope.established.contains($0.end) }
        let peaks = WindowPeaks(raised, beside: neighbours)
        for (position, peak) in raised.enumerated() {
            guard !neighbours.isEmpty else {
                let change = change(from: peak.before ?? -1, to: peak.after)
                changes.add(change.established, to: peak.item, of: month, in: followed & established)
                changes.add(change.other, to: peak.item, of: month, in: followed & ~established)
                continue
            }
            changes.add(to: peak.item, of: month, in: followed) { slot in
                let change = change(from: peaks.before(position, slot), to: peak.after)
                return established >> UInt64(slot) & 1 == 1 ? change.established : change.other
            }
        }
    }
}

/// The peaks that raised items had before, by window.
private struct WindowPeaks {
    private let windowCount = PeriodSlots.allWindows.nonzeroBitCount
    /// Sixteen an item; empty where no other month shares a window.
    private var byWindow: [Int64] = []

    init(_ raised: [(item: Int, before: Int64?, after: Int64)], beside neighbours: [ClusterMonths.Neighbour]) {
        guard !neighbours.isEmpty else { return }
        byWindow = raised.flatMap { repeatElement($0.before ?? -1, count: windowCount) }
        for neighbour in neighbours {
            var position = 0
            for peak in neighbour.summary.peaks {
                while position < raised.count, raised[position].item < peak.item { position += 1 }
                guard position < raised.count else { break }
                guard raised[position].item == peak.item else { continue }
                let base = position * windowCount
                neighbour.slots.forEachSlot { byWindow[base + $0] = max(byWindow[base + $0], peak.value) }
            }
        }
    }

    /// The peak of a raised item in the window of a slot; -1 where it had none.
    func before(_ position: Int, _ slot: Int) -> Int64 {
        byWindow[position * windowCount + slot]
    }
}

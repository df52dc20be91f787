// SPDX-License-Identifier: Apache-2.0

import TelemetryModel

/// The total of an item in a period, or a change of it.
struct Total: Equatable {
    /// Clusters that have a value of the item, 0 included; where it is 0 the total is gone.
    var clusters: Int64 = 0
    /// The sum of the clusters' peaks.
    var all: Int128 = 0
    /// The same of the established ones.
    var established: Int128 = 0
    /// Clusters whose last report has the item; of values of dimensions only, and not by day.
    var last: Int64 = 0

    /// Adds a change; what a damaged row adds may come out wrong, but ends no process.
    static func += (left: inout Self, right: Self) {
        left.clusters &+= right.clusters
        left.all &+= right.all
        left.established &+= right.established
        left.last &+= right.last
    }

    /// Whether nothing is left, or nothing changes.
    var isNothing: Bool { self == Total() }

    /// The opposite change.
    static prefix func - (total: Self) -> Self {
        Self(
            clusters: 0 &- total.clusters,
            all: 0 &- total.all,
            established: 0 &- total.established,
            last: 0 &- total.last
        )
    }
}

/// Changes of totals, and of how many reports use a series, collected over a transaction.
struct TotalChanges {
    /// What a total is of.
    struct Key: Hashable {
        let period: Period
        let item: Int
    }

    /// An item in all periods of a month.
    private struct MonthKey: Hashable {
        let month: Int
        let item: Int
    }

    /// Where the items of a month stand in `keys`.
    ///
    /// Every report looks several dozen up, nearly all of them among the first that were ever numbered: those stand in an
    /// array, which costs no hash.
    private struct MonthPositions {
        /// The numbers below which items stand in the array.
        static let arrayed = 0..<1 << 16

        let month: Int
        /// The position and one more by item, 0 for none.
        var positions: [UInt32] = []
    }

    /// The months whose arrays are kept for the next transaction, 256 kB each at most.
    private static let mostMonthsKept = 4

    /// What changed; the totals of one stand in `slots` from its position times the number of slots on.
    private var keys: [MonthKey] = []
    /// A few: the months that reports of one transaction can be in.
    private var months: [MonthPositions] = []
    /// The positions in `keys` of all other items.
    private var others: [MonthKey: Int] = [:]
    /// As many for each of `keys` as there are periods.
    private var slots: [Total] = []
    private var uses: [Int: Int64] = [:]

    /// Whether there is nothing to write.
    var isEmpty: Bool { keys.isEmpty && uses.isEmpty }

    /// Forgets everything but the room it took.
    mutating func removeAll() {
        for key in keys where MonthPositions.arrayed.contains(key.item) {
            guard let month = months.firstIndex(where: { $0.month == key.month }) else { continue }
            months[month].positions[key.item] = 0
        }
        if months.count > Self.mostMonthsKept { months = [] }
        keys.removeAll(keepingCapacity: true)
        others.removeAll(keepingCapacity: true)
        slots.removeAll(keepingCapacity: true)
        uses.removeAll(keepingCapacity: true)
    }

    /// Adds the same to an item in all those periods of a month that are in a set.
    mutating func add(_ change: Total, to item: Int, of month: CalendarMonth, in periods: UInt64) {
        guard periods != 0, !change.isNothing else { return }
        let base = position(MonthKey(month: month.index, item: item))
        let isEveryWindow = periods & PeriodSlots.allWindows == PeriodSlots.allWindows
        if isEveryWindow { slots[base + PeriodSlots.everyWindow] += change }
        let rest = isEveryWindow ? periods & ~PeriodSlots.allWindows : periods
        rest.forEachSlot { slots[base + $0] += change }
    }

    /// Adds to an item in those periods of a month that are in a set; what is added is asked for by slot.
    mutating func add(to item: Int, of month: CalendarMonth, in periods: UInt64, _ change: (Int) -> Total) {
        guard periods != 0 else { return }
        let base = position(MonthKey(month: month.index, item: item))
        periods.forEachSlot { slots[base + $0] += change($0) }
    }

    /// Counts reports that use a series.
    mutating func use(_ series: [Int], by count: Int64) {
        for id in series { uses[id, default: 0] &+= count }
    }

    private mutating func position(_ key: MonthKey) -> Int {
        if let known = known(key) { return known * PeriodSlots.count }
        let position = keys.count
        keys.append(key)
        slots.append(contentsOf: repeatElement(Total(), count: PeriodSlots.count))
        guard MonthPositions.arrayed.contains(key.item) else {
            others[key] = position
            return position * PeriodSlots.count
        }
        let month = months.firstIndex { $0.month == key.month } ?? months.endIndex
        if month == months.endIndex { months.append(MonthPositions(month: key.month)) }
        let missing = key.item + 1 - months[month].positions.count
        if missing > 0 { months[month].positions.append(contentsOf: repeatElement(0, count: missing)) }
        months[month].positions[key.item] = UInt32(position + 1)
        return position * PeriodSlots.count
    }

    /// The position of a key in `keys`; nil where it is not there.
    private func known(_ key: MonthKey) -> Int? {
        guard MonthPositions.arrayed.contains(key.item) else { return others[key] }
        guard let month = months.firstIndex(where: { $0.month == key.month }),
            key.item < months[month].positions.count, months[month].positions[key.item] > 0
        else { return nil }
        return Int(months[month].positions[key.item]) - 1
    }

    /// The changes by period and item.
    var totals: [Key: Total] { totals { _ in true } }

    /// The changes of those periods that are asked for.
    func totals(of isWanted: (Period) -> Bool) -> [Key: Total] {
        var totals: [Key: Total] = [:]
        for (position, key) in keys.enumerated() {
            let base = position * PeriodSlots.count
            for slot in 0..<PeriodSlots.count where !slots[base + slot].isNothing {
                for period in PeriodSlots.periods(slot, of: CalendarMonth(index: key.month)) where isWanted(period) {
                    totals[Key(period: period, item: key.item), default: Total()] += slots[base + slot]
                }
            }
        }
        return totals
    }

    /// How many reports more, or fewer, use each series.
    var seriesUses: [Int: Int64] { uses.filter { $0.value != 0 } }
}

// MARK: - Stored form

extension TotalChanges {
    /// What a part of a row of changes is about.
    private enum Section: Int64 {
        case totals = 1
        case uses = 2
    }

    /// The bytes of a row of changes: runs of equal totals by month and item, then the uses of series.
    var bytes: [UInt8] {
        var writer = ByteWriter()
        for (position, key) in keys.enumerated() {
            let base = position * PeriodSlots.count
            let totals = slots[base..<base + PeriodSlots.count]
            guard totals.contains(where: { !$0.isNothing }) else { continue }
            writer.write(Section.totals.rawValue)
            writer.write(Int64(key.month))
            writer.write(Int64(key.item))
            var start = base
            while start < totals.endIndex {
                let end = totals[start...].firstIndex { $0 != totals[start] } ?? totals.endIndex
                writer.write(Int64(end - start))
                writer.write(totals[start])
                start = end
            }
        }
        for (series, count) in uses where count != 0 {
            writer.write(Section.uses.rawValue)
            writer.write(Int64(series))
            writer.write(signed: Int128(count))
        }
        return writer.bytes
    }

    /// Adds what a row of changes holds; says whether its bytes are readable.
    mutating func append(_ bytes: [UInt8]) -> Bool {
        var reader = ByteReader(bytes)
        while !reader.isAtEnd {
            switch reader.number().flatMap(Section.init(rawValue:)) {
            case .totals:
                guard let month = reader.number(), let item = reader.number(),
                    StoredNumbers.months.contains(Int(month))
                else { return false }
                let base = position(MonthKey(month: Int(month), item: Int(item)))
                guard reader.addRuns(to: &slots, in: base..<base + PeriodSlots.count) else { return false }
            case .uses:
                guard let series = reader.number(), let count = reader.signedNumber() else { return false }
                uses[Int(series), default: 0] &+= Int64(truncatingIfNeeded: count)
            case .none:
                return false
            }
        }
        return true
    }
}

extension ByteWriter {
    fileprivate mutating func write(_ total: Total) {
        write(signed: Int128(total.clusters))
        write(signed: total.all)
        write(signed: total.established)
        write(signed: Int128(total.last))
    }
}

extension ByteReader {
    fileprivate mutating func total() -> Total? {
        guard let clusters = signedNumber(), let all = signedNumber(), let established = signedNumber(),
            let last = signedNumber()
        else { return nil }
        return Total(
            clusters: Int64(truncatingIfNeeded: clusters),
            all: all,
            established: established,
            last: Int64(truncatingIfNeeded: last)
        )
    }

    /// Adds runs of equal totals to a range of slots; says whether they were readable.
    fileprivate mutating func addRuns(to slots: inout [Total], in range: Range<Int>) -> Bool {
        var position = range.lowerBound
        while position < range.upperBound {
            guard let length = number(), length > 0, length <= range.upperBound - position, let total = total() else {
                return false
            }
            for offset in 0..<Int(length) { slots[position + offset] += total }
            position += Int(length)
        }
        return true
    }
}

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

    static func += (left: inout Self, right: Self) {
        left.clusters += right.clusters
        left.all += right.all
        left.established += right.established
        left.last += right.last
    }

    /// Whether nothing is left, or nothing changes.
    var isNothing: Bool { self == Total() }

    /// The opposite change.
    static prefix func - (total: Self) -> Self {
        Self(clusters: -total.clusters, all: -total.all, established: -total.established, last: -total.last)
    }
}

/// Changes of totals, and of how many reports use a series, collected over a transaction.
struct TotalChanges {
    /// What a total is of.
    struct Key: Hashable {
        let period: Period
        let item: Int
    }

    /// An item in all periods of a month, as one number, which hashes fast.
    private struct MonthKey: Hashable {
        private let bits: UInt64

        init(month: Int, item: Int) {
            bits = UInt64(UInt32(truncatingIfNeeded: month)) << 32 | UInt64(UInt32(truncatingIfNeeded: item))
        }

        var month: Int { Int(bits >> 32) }
        var item: Int { Int(Int32(truncatingIfNeeded: bits)) }
    }

    /// Where the totals of a key stand in `slots`.
    private var positions: [MonthKey: Int] = [:]
    /// As many for each key as there are periods.
    private var slots: [Total] = []
    private var uses: [Int: Int64] = [:]

    /// Whether there is nothing to write.
    var isEmpty: Bool { positions.isEmpty && uses.isEmpty }

    /// Forgets everything but the room it took.
    mutating func removeAll() {
        positions.removeAll(keepingCapacity: true)
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
        for id in series { uses[id, default: 0] += count }
    }

    private mutating func position(_ key: MonthKey) -> Int {
        if let known = positions[key] { return known }
        let base = slots.count
        positions[key] = base
        slots.append(contentsOf: repeatElement(Total(), count: PeriodSlots.count))
        return base
    }

    /// The changes by period and item.
    var totals: [Key: Total] { totals { _ in true } }

    /// The changes of those periods that are asked for.
    func totals(of isWanted: (Period) -> Bool) -> [Key: Total] {
        var totals: [Key: Total] = [:]
        for (key, base) in positions {
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
        for (key, base) in positions {
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
                guard let month = reader.number(), let item = reader.number(), (0..<1 << 31).contains(month) else {
                    return false
                }
                let base = position(MonthKey(month: Int(month), item: Int(item)))
                guard reader.addRuns(to: &slots, in: base..<base + PeriodSlots.count) else { return false }
            case .uses:
                guard let series = reader.number(), let count = reader.signedNumber() else { return false }
                uses[Int(series), default: 0] += Int64(truncatingIfNeeded: count)
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

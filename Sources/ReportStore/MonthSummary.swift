// SPDX-License-Identifier: Apache-2.0

import TelemetryModel

/// What a cluster's reports of a month come to: the peak of every item, and the last report of each collector.
struct MonthSummary: Equatable {
    /// The last report of a collector in the month.
    struct Last: Equatable {
        var collector: Collector
        /// When it was accepted: the place in the order of all reports.
        var ordinal: Int64
        /// The metrics that it has samples of, a bit each.
        var metrics: Int
        /// The values of dimensions that it has, as items in ascending order.
        var values: [Int]
    }

    /// The highest value of each item in any one report, ordered by item.
    var peaks: [Peak] = []
    /// One of each collector that reported, ordered by collector.
    var lasts: [Last] = []

    /// Takes a report in; returns the items it raised, each with the peak before, nil where there was none.
    mutating func raise(_ report: [Peak]) -> [(item: Int, before: Int64?, after: Int64)] {
        var merged: [Peak] = []
        merged.reserveCapacity(peaks.count + report.count)
        var raised: [(item: Int, before: Int64?, after: Int64)] = []
        var position = 0
        for new in report {
            while position < peaks.count, peaks[position].item < new.item {
                merged.append(peaks[position])
                position += 1
            }
            guard position < peaks.count, peaks[position].item == new.item else {
                merged.append(new)
                raised.append((new.item, nil, new.value))
                continue
            }
            let old = peaks[position]
            position += 1
            if new.value > old.value { raised.append((new.item, old.value, new.value)) }
            merged.append(Peak(item: new.item, value: max(old.value, new.value)))
        }
        merged.append(contentsOf: peaks[position...])
        peaks = merged
        return raised
    }

    /// Makes a report its collector's last, with the highest ordinal of all.
    mutating func setLast(_ last: Last) {
        lasts.removeAll { $0.collector == last.collector }
        lasts.append(last)
        lasts.sort { $0.collector.rawValue < $1.collector.rawValue }
    }
}

// MARK: - Stored form

extension MonthSummary {
    /// The bytes of the `peaks` column: per item the distance from the one before with a bit for a value that is not 1,
    /// and that value.
    var peakBytes: [UInt8] {
        var writer = ByteWriter()
        var previous = 0
        for peak in peaks {
            writer.write(Int64(peak.item - previous) << 1 | (peak.value == 1 ? 0 : 1))
            if peak.value != 1 { writer.write(peak.value) }
            previous = peak.item
        }
        return writer.bytes
    }

    /// The bytes of the `lasts` column.
    var lastBytes: [UInt8] {
        var writer = ByteWriter()
        for last in lasts {
            writer.write(Int64(last.collector.rawValue))
            writer.write(last.ordinal)
            writer.write(Int64(last.metrics))
            writer.write(ascending: last.values)
        }
        return writer.bytes
    }

    /// Reads the two columns.
    ///
    /// - Throws: `StoreError.damaged`.
    init(peakBytes: [UInt8], lastBytes: [UInt8]) throws(StoreError) {
        guard let peaks = Self.peaks(in: peakBytes), let lasts = Self.lasts(in: lastBytes) else {
            throw StoreError.damaged("the summary of a month is not readable")
        }
        self.peaks = peaks
        self.lasts = lasts
    }

    private static func peaks(in bytes: [UInt8]) -> [Peak]? {
        var reader = ByteReader(bytes)
        var peaks: [Peak] = []
        peaks.reserveCapacity(bytes.count)
        var previous = 0
        while !reader.isAtEnd {
            guard let head = reader.number() else { return nil }
            let item = previous &+ Int(UInt64(bitPattern: head) >> 1)
            guard StoredNumbers.ids.contains(item), item > previous || peaks.isEmpty else { return nil }
            previous = item
            guard head & 1 == 1 else {
                peaks.append(Peak(item: previous, value: 1))
                continue
            }
            guard let value = reader.number(), value >= 0 else { return nil }
            peaks.append(Peak(item: previous, value: value))
        }
        return peaks
    }

    private static func lasts(in bytes: [UInt8]) -> [Last]? {
        var reader = ByteReader(bytes)
        var lasts: [Last] = []
        while !reader.isAtEnd {
            guard let collector = reader.number().flatMap({ UInt8(exactly: $0) }).flatMap(Collector.init(rawValue:)),
                let ordinal = reader.number(), let metrics = reader.number(), let values = reader.ascendingNumbers()
            else { return nil }
            lasts.append(Last(collector: collector, ordinal: ordinal, metrics: Int(metrics), values: values))
        }
        return lasts
    }
}

// MARK: - The last reports of a window

extension [MonthSummary.Last] {
    /// The values that a cluster has at the end of a window with these last reports, as items in ascending order.
    ///
    /// A value comes from the last report of the collector that speaks of its metric; a v0 report is retired by a later
    /// one of v1.
    func valuesAtEnd(metric: (Int) throws -> Metric) rethrows -> [Int] {
        let lastOfV1 = filter { $0.collector != .v0 }.map(\.ordinal).max() ?? 0
        let current = filter { $0.collector != .v0 || $0.ordinal > lastOfV1 }
        if current.count == 1, current[0].collector == .v0 { return current[0].values }
        var values: [Int] = []
        for last in current {
            for item in last.values {
                let metric = try metric(item)
                let speaker = current.filter { $0.speaks(of: metric) }.max { $0.ordinal < $1.ordinal }
                if speaker?.collector == last.collector { values.append(item) }
            }
        }
        return values.sorted()
    }
}

extension MonthSummary.Last {
    /// Whether the collector of this report speaks of a metric, see `Collector.speaks(of:in:)`.
    fileprivate func speaks(of metric: Metric) -> Bool {
        let own = collector == .v0 ? metrics : 0
        return (Self.sent[Int(collector.rawValue)] | own) >> Int(metric.rawValue) & 1 == 1
    }

    /// The metrics that each collector speaks of whatever its report has, a bit each.
    private static let sent = Collector.allCases.map { collector in
        Metric.allCases.reduce(0) { collector.speaks(of: $1, in: []) ? $0 | 1 << Int($1.rawValue) : $0 }
    }
}

// SPDX-License-Identifier: Apache-2.0

import GRDB
import TelemetryModel

/// A report as it is stored: per sample the number of its series, the eight bytes of its identifier where it has one, and
/// the value, ordered by series and identifier, so that equal reports are equal bytes.
struct ReportContent {
    /// One sample.
    private struct Sample {
        var series: Int
        var identifier: UInt64?
        var value: Int64

        /// The canonical order.
        static func areInOrder(_ left: Self, _ right: Self) -> Bool {
            (left.series, left.identifier ?? 0) < (right.series, right.identifier ?? 0)
        }
    }

    private let samples: [Sample]
    /// The bytes of the `content` column.
    let bytes: [UInt8]

    /// Interns the series of a report.
    init(_ report: Report, interner: inout Interner, in database: Database) throws {
        var samples: [Sample] = []
        samples.reserveCapacity(report.samples.count)
        for sample in report.samples {
            let (key, identifier) = SeriesKey.of(sample.series)
            let series = try interner.id(of: key, in: database)
            samples.append(Sample(series: series, identifier: identifier, value: sample.value))
        }
        self.init(sorting: samples)
    }

    private init(sorting samples: [Sample]) {
        self.samples = samples.sorted(by: Sample.areInOrder)
        var writer = ByteWriter()
        for sample in self.samples {
            writer.write(Int64(sample.series))
            if let identifier = sample.identifier { writer.write(raw: identifier) }
            writer.write(sample.value)
        }
        bytes = writer.bytes
    }

    /// The same samples in the order that they are stored in.
    var sorted: Self { Self(sorting: samples) }

    /// Reads stored bytes.
    ///
    /// - Throws: `StoreError.damaged` where they are not a report's.
    init(bytes: [UInt8], interner: inout Interner, in database: Database) throws {
        var reader = ByteReader(bytes)
        var samples: [Sample] = []
        while !reader.isAtEnd {
            guard let id = reader.number(), let facts = try interner.facts(of: Int(id), in: database) else {
                throw StoreError.damaged("a report refers to a series that is not there")
            }
            let identifier = facts.hasIdentifier ? reader.rawNumber() : nil
            guard let value = reader.number(), value >= 0, !facts.hasIdentifier || identifier != nil else {
                throw StoreError.damaged("the content of a report is not readable")
            }
            samples.append(Sample(series: Int(id), identifier: identifier, value: value))
        }
        self.samples = samples
        self.bytes = bytes
    }

    /// The first eight bytes of the SHA-256 of the content: what a state of a cluster is known by.
    var digest: Int64 {
        sha256(bytes).prefix(8).reduce(0) { $0 << 8 | Int64($1) }
    }

    /// The numbers of the series, each as often as it has samples.
    var series: [Int] { samples.map(\.series) }

    /// The report in the words of the data dictionary.
    func report(interner: inout Interner, in database: Database) throws -> Report {
        var words: [Report.Sample] = []
        for sample in samples {
            guard let facts = try interner.facts(of: sample.series, in: database),
                let series = SeriesKey(metric: facts.metric, labels: facts.labels).series(identifier: sample.identifier)
            else { throw StoreError.damaged("a report refers to a series that is not there") }
            words.append(.init(series, sample.value))
        }
        return Report(words)
    }

    /// What the report adds to the totals.
    ///
    /// The same as `Report.figures` and `Dimension.values(in:)` say, from the numbers of series alone.
    func facts(interner: inout Interner, in database: Database) throws -> ReportFacts {
        var builder = ReportFactsBuilder(clusters: try interner.id(of: .figure(.clusters), in: database))
        var all: [SeriesFacts] = []
        for sample in samples {
            guard let facts = try interner.facts(of: sample.series, in: database) else {
                throw StoreError.damaged("a report refers to a series that is not there")
            }
            all.append(facts)
        }
        builder.hasApplicationCounts = all.contains { $0.metric == .applicationCount }
        for (sample, facts) in zip(samples, all) {
            builder.add(facts, identifier: sample.identifier, value: sample.value)
        }
        return builder.facts
    }
}

/// What one report says of each item, and what its dimensions' values are.
struct ReportFacts {
    /// The value of each item, ordered by item.
    var peaks: [Peak]
    /// The metrics that the report has samples of, a bit each.
    var metrics: Int
    /// The items that are values of dimensions, ordered.
    var values: [Int]
}

/// The value of an item.
struct Peak: Equatable {
    var item: Int
    var value: Int64
}

/// Adds up what a report says of each item.
private struct ReportFactsBuilder {
    var hasApplicationCounts = false
    /// In the order of samples; items come as often as they are added to.
    private var sums: [Peak]
    private var highest: [Peak] = []
    private var presences: [(item: Int, of: Int)] = []
    private var workloads: Set<Workload> = []
    private var values: [Int] = []
    private var metrics = 0

    /// A distinct workload: the item of its kind, and its identifier as bytes or as the number of its text.
    private struct Workload: Hashable {
        let kind: Int
        let identifier: UInt64?
        let text: Int
    }

    init(clusters: Int) {
        sums = [Peak(item: clusters, value: 1)]
    }

    mutating func add(_ facts: SeriesFacts, identifier: UInt64?, value: Int64) {
        metrics |= 1 << Int(facts.metric.rawValue)
        if value > 0 { values.append(contentsOf: facts.values) }
        if facts.metric == .clusterCapacity, value == 0 { return }
        for item in facts.highest { highest.append(Peak(item: item, value: value)) }
        var amount = value
        if facts.metric == .workloadsCount {
            guard !hasApplicationCounts else { return }
            let text = identifier == nil ? facts.identifierText : -1
            guard workloads.insert(Workload(kind: facts.sums[0], identifier: identifier, text: text)).inserted else {
                return
            }
            amount = 1
        }
        for item in facts.sums { sums.append(Peak(item: item, value: amount)) }
        if let presence = facts.presence { presences.append((presence, facts.sums[0])) }
    }

    /// Everything that was added.
    var facts: ReportFacts {
        let values = values.sortedOnce
        var peaks = sums.merged { $0.addingClamped($1) } + highest.merged(max) + values.map { Peak(item: $0, value: 1) }
        for (item, sum) in presences {
            peaks.append(Peak(item: item, value: min(1, peaks.first { $0.item == sum }?.value ?? 0)))
        }
        return ReportFacts(peaks: peaks.merged(max), metrics: metrics, values: values)
    }
}

extension [Peak] {
    /// Ordered by item, each item once, its values brought together.
    fileprivate func merged(_ combine: (Int64, Int64) -> Int64) -> Self {
        var merged: Self = []
        merged.reserveCapacity(count)
        for peak in sorted(by: { $0.item < $1.item }) {
            if let last = merged.last, last.item == peak.item {
                merged[merged.count - 1].value = combine(last.value, peak.value)
            } else {
                merged.append(peak)
            }
        }
        return merged
    }
}

extension [Int] {
    /// In ascending order, each number once.
    fileprivate var sortedOnce: Self {
        var once: Self = []
        once.reserveCapacity(count)
        for number in sorted() where once.last != number { once.append(number) }
        return once
    }
}

// SPDX-License-Identifier: Apache-2.0

import FleetSimulator
import GRDB
import TelemetryModel
import Testing

@testable import ReportStore

@Suite("Stored forms")
struct StoredFormTests {
    @Test(
        "numbers read back, the smallest and the largest too",
        arguments: [0, 1, 127, 128, 16_383, 16_384, .max, -1, .min] as [Int64]
    )
    func numbers(number: Int64) {
        var writer = ByteWriter()
        writer.write(number)
        writer.write(signed: Int128(number))
        writer.write(signed: Int128(number) * Int128(Int64.max))
        writer.write(raw: UInt64(bitPattern: number))
        var reader = ByteReader(writer.bytes)
        #expect(reader.number() == number)
        #expect(reader.signedNumber() == Int128(number))
        #expect(reader.signedNumber() == Int128(number) * Int128(Int64.max))
        #expect(reader.rawNumber() == UInt64(bitPattern: number))
        #expect(reader.isAtEnd)
    }

    @Test("the largest sums read back")
    func largestSums() {
        for sum in [Int128.max, .min, 1 << 100, -1] {
            var writer = ByteWriter()
            writer.write(signed: sum)
            var reader = ByteReader(writer.bytes)
            #expect(reader.signedNumber() == sum)
        }
    }

    @Test("changes of any item and month add up, are forgotten whole, and read back")
    func changes() {
        // Items on both sides of those that are found without a hash, more months than are kept, in three transactions.
        let items = [1, 65_535, 65_536, 1 << 40, -1]
        let months = (0..<6).map { CalendarMonth(index: 24_000 + $0) }
        var changes = TotalChanges()
        for transaction in [1, 2, 3] as [Int64] {
            for month in months.prefix(transaction == 1 ? 6 : 3) + months.suffix(1) {
                for item in items {
                    changes.add(Total(clusters: transaction), to: item, of: month, in: PeriodSlots.days(1))
                }
            }
            let totals = changes.totals
            let monthsSeen = transaction == 1 ? 6 : 4
            #expect(totals.count == items.count * monthsSeen)
            // The last month came twice in the first transaction.
            for (key, total) in totals {
                let isTwice = transaction == 1 && key.period.start == months[5]
                #expect(total == Total(clusters: isTwice ? 2 : transaction), "\(key)")
            }
            var read = TotalChanges()
            let isReadable = read.append(changes.bytes)
            #expect(isReadable)
            #expect(read.totals == totals)
            changes.removeAll()
            #expect(changes.isEmpty && changes.totals.isEmpty)
        }
    }

    @Test("what ends too early is nothing")
    func tooShort() {
        var writer = ByteWriter()
        writer.write("text")
        writer.write(ascending: [3, 5, 900])
        writer.write(raw: 1)
        for length in 0..<writer.bytes.count {
            var reader = ByteReader(Array(writer.bytes.prefix(length)))
            let isWhole = reader.text() != nil && reader.ascendingNumbers() != nil && reader.rawNumber() != nil
            #expect(!isWhole, "\(length)")
        }
    }

    /// Random changes of a few items in two months that share windows.
    private static func changes(_ random: inout SeededGenerator) -> TotalChanges {
        var changes = TotalChanges()
        for _ in 0..<20 {
            let month = CalendarMonth(year: 2026, month: Int.random(in: 1...2, using: &random))
            let change = Total(
                clusters: Int64.random(in: -1...1, using: &random),
                all: Int128(Int64.random(in: .min ... .max, using: &random))
                    << Int128.random(in: 0...50, using: &random),
                established: Int128(Int.random(in: -9...9, using: &random)),
                last: Int64.random(in: -1...1, using: &random)
            )
            let slots =
                UInt64.random(in: 0..<1 << 47, using: &random)
                | (Bool.random(using: &random) ? PeriodSlots.allWindows : 0)
            changes.add(change, to: Int.random(in: 1...5, using: &random), of: month, in: slots)
        }
        changes.use([1, 2, 2], by: Bool.random(using: &random) ? 1 : -1)
        return changes
    }

    @Test("changes read back, and add up with others", arguments: [1, 2, 3] as [UInt64])
    func changes(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let (one, two) = (Self.changes(&random), Self.changes(&random))
        var both = TotalChanges()
        let isRead = both.append(one.bytes)
        #expect(isRead)
        #expect(both.totals == one.totals, "seed \(seed)")
        #expect(both.seriesUses == one.seriesUses)
        let isReadToo = both.append(two.bytes)
        #expect(isReadToo)
        var expected = one.totals
        for (key, total) in two.totals { expected[key, default: Total()] += total }
        #expect(both.totals == expected.filter { !$0.value.isNothing }, "seed \(seed)")
    }

    @Test("the same for all windows is the same as for each of them")
    func everyWindow() {
        let (month, total) = (CalendarMonth(year: 2026, month: 3), Total(clusters: 1, all: 3, established: 2, last: 1))
        var (together, apart) = (TotalChanges(), TotalChanges())
        together.add(total, to: 7, of: month, in: PeriodSlots.allWindows | PeriodSlots.days(1))
        apart.add(to: 7, of: month, in: PeriodSlots.allWindows | PeriodSlots.days(1)) { _ in total }
        #expect(together.totals == apart.totals)
        let periods = Window.containing(month).map(Period.window) + [.day(month.firstDay)]
        #expect(Set(together.totals.keys.map(\.period)) == Set(periods))
    }

    @Test("damaged changes and summaries are refused or read, and never crash", arguments: [4, 5] as [UInt64])
    func damage(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let changes = Self.changes(&random).bytes
        let last = MonthSummary.Last(collector: .v0, ordinal: 1 << 40, metrics: 7, values: [3, 9, 1_000])
        let summary = MonthSummary(peaks: [Peak(item: 3, value: 1), Peak(item: 9, value: 1 << 60)], lasts: [last])
        #expect(try MonthSummary(peakBytes: summary.peakBytes, lastBytes: summary.lastBytes) == summary)
        for _ in 0..<3_000 {
            var (changes, peaks, lasts) = (changes, summary.peakBytes, summary.lastBytes)
            changes[Int.random(in: changes.indices, using: &random)] ^= UInt8.random(in: 1...255, using: &random)
            peaks[Int.random(in: peaks.indices, using: &random)] ^= UInt8.random(in: 1...255, using: &random)
            lasts.removeLast(Int.random(in: 1...lasts.count, using: &random))
            var read = TotalChanges()
            _ = read.append(changes)
            _ = try? MonthSummary(peakBytes: peaks, lastBytes: lasts)
        }
    }
}

@Suite("The content of a report")
struct ReportContentTests {
    @Test("what it adds to totals is what the definitions say, for random fleets", arguments: [31, 32] as [UInt64])
    func facts(seed: UInt64) throws {
        var fleet = Fleet(clusters: 60, seed: seed)
        try withDatabase { database in
            var interner = Interner()
            for delivery in fleet.nextRound() {
                let report = delivery.report
                let content = try ReportContent(report, interner: &interner, in: database)
                let facts = try content.facts(interner: &interner, in: database)
                var expected: [Item: Int64] = [:]
                for (figure, value) in report.figures { expected[.figure(figure)] = value }
                for dimension in TelemetryModel.Dimension.allCases {
                    for value in dimension.values(in: report) { expected[.value(dimension, value)] = 1 }
                }
                var found: [Item: Int64] = [:]
                for peak in facts.peaks { found[try interner.item(peak.item, in: database)] = peak.value }
                #expect(found == expected, "seed \(seed)")
                #expect(facts.peaks.map(\.item) == facts.peaks.map(\.item).sorted())
                let again = try ReportContent(bytes: content.bytes, interner: &interner, in: database)
                #expect(try again.report(interner: &interner, in: database) == report)
                #expect(again.digest == content.digest)
            }
        }
    }

    @Test("workloads without identifiers, with the same, and of several kinds are counted as defined")
    func workloads() throws {
        let series = [
            ["1", "a", "x", "1"], ["1", "a", "y", "1"], ["1", "b", "x", "1"], [nil, "a", "x", "1"],
            ["other", "a", "z", "1"],
            ["0123456789abcdef", "a", "x", "1"], ["0123456789abcdef", "a", "y", "1"],
            ["0123456789abcdef", nil, "y", "1"],
        ]
        let report = Report(series.map { Report.Sample(Series(.workloadsCount, $0), 2) })
        try withDatabase { database in
            var interner = Interner()
            let content = try ReportContent(report, interner: &interner, in: database)
            var figures: [Figure: Int64] = [:]
            for peak in try content.facts(interner: &interner, in: database).peaks {
                if case .figure(let figure) = try interner.item(peak.item, in: database) {
                    figures[figure] = peak.value
                }
            }
            #expect(figures == report.figures)
        }
    }

    @Test("damaged contents are refused or read, and never crash")
    func damage() throws {
        var random = SeededGenerator(seed: 8)
        var fleet = Fleet(clusters: 3, seed: 8)
        try withDatabase { database in
            var interner = Interner()
            for delivery in fleet.nextRound() {
                let bytes = try ReportContent(delivery.report, interner: &interner, in: database).bytes
                for _ in 0..<300 {
                    var damaged = bytes
                    damaged[Int.random(in: bytes.indices, using: &random)] ^= UInt8.random(in: 1...255, using: &random)
                    let content = try? ReportContent(bytes: damaged, interner: &interner, in: database)
                    _ = try? content?.facts(interner: &interner, in: database)
                }
            }
        }
    }

    /// A database with empty tables.
    private func withDatabase(_ body: (Database) throws -> Void) throws {
        let queue = try DatabaseQueue()
        try Schema.migrator { _ in }.migrate(queue)
        try queue.write(body)
    }
}

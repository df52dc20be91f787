// SPDX-License-Identifier: Apache-2.0

import TelemetryModel
import Testing

@testable import TelemetryServer

@Suite("What a page is drawn from")
struct LineChartTests {
    @Test(
        "a scale ends with a round number that is not below the highest value",
        arguments: [
            (0, 1), (1, 1), (1.5, 2), (3, 4), (5, 5), (7, 10), (10, 10), (11, 20), (99, 100), (101, 200),
            (4_200, 5_000),
        ] as [(Double, Double)]
    )
    func scale(value: Double, top: Double) {
        #expect(LineChart.top(of: value) == top)
    }

    @Test("a curve goes from the left to the right end and as high as its values; where there is none is a gap")
    func curve() {
        let chart = LineChart(
            curves: [[0, 10, nil, 5]],
            ends: ("first", "last"),
            format: { "\(Int($0))" }
        )
        let svg = chart.svg
        #expect(svg.contains("d=\"M40 124L158 8M394 66h.1\""))
        #expect(svg.contains(">first<") && svg.contains(">last<") && svg.contains(">10<"))
    }

    @Test(
        "numbers are written with commas, one decimal, and units",
        arguments: [
            (PageNumbers.whole(0), "0"), (PageNumbers.whole(999), "999"), (PageNumbers.whole(1_000), "1,000"),
            (PageNumbers.whole(-1_234_567), "−1,234,567"), (PageNumbers.decimal(5.25), "5.3"),
            (PageNumbers.decimal(100), "100"), (PageNumbers.decimal(1_234.56), "1,234.6"),
            (PageNumbers.bytes(0), "0.0 B"),
            (PageNumbers.bytes(1_536), "1.5 KiB"), (PageNumbers.bytes(.max), "8.0 EiB"),
            (PageNumbers.short(1_500), "1.5k"),
            (PageNumbers.short(2_000_000), "2M"), (PageNumbers.cell(61.5), "61.5"), (PageNumbers.cell(1_040), "1,040"),
        ]
    )
    func numbers(text: String, expected: String) {
        #expect(text == expected)
    }

    @Test("a change has a sign and a direction, and none where there was nothing before")
    func change() {
        let (up, down) = (PageChange(from: 100, to: 108), PageChange(from: 2_000, to: 500))
        #expect(up.text == "+8 (+8%)" && up.direction == "up")
        #expect(down.text == "−1,500 (−75%)" && down.direction == "down")
        #expect(PageChange(from: 3, to: 3).text == "no change")
        #expect(PageChange(from: 0, to: 3).text == nil)
    }

    @Test("versions are ordered as versions, the newest first")
    func versions() {
        let names = ["v1.0.0", "v1.10.0", "v1.9.3", "v1.0.0-rc.1", "v0.41.0", "v2"]
        let counts = Dictionary(uniqueKeysWithValues: names.map { ($0, Breakdown(clusters: 5, clustersAtEnd: 5)) })
        let spread = VersionSpread([(CalendarMonth(year: 2026, month: 1), PublicBreakdown(counts, threshold: 5))])
        #expect(spread.versions.map(\.name) == ["v2", "v1.10.0", "v1.9.3", "v1.0.0", "v1.0.0-rc.1", "v0.41.0"])
    }

    @Test("how a version spread: when it was first there, its share, its peak, and when half had it")
    func adoption() {
        let counts = [["v1": 10], ["v1": 10, "v2": 5], ["v1": 5, "v2": 10, "other": 5], ["v2": 10, "v3": 5]]
        let first = CalendarMonth(year: 2026, month: 1)
        let adoption = VersionSpread(
            counts.enumerated().map { index, counts in
                (
                    first + index,
                    PublicBreakdown(counts.mapValues { .init(clusters: $0, clustersAtEnd: $0) }, threshold: 1)
                )
            }
        )
        #expect(adoption.versions.map(\.name) == ["v3", "v2", "v1"])
        let second = adoption.versions[1]
        #expect(second.shares == [0, 1.0 / 3, 0.5, 2.0 / 3])
        #expect(second.first == 1 && second.peak == 3 && second.monthsToHalf == 1)
        #expect(adoption.versions[0].monthsToHalf == nil)
        #expect(adoption.mostShared(2).map(\.name) == ["v3", "v2"])
    }
}

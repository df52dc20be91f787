// SPDX-License-Identifier: Apache-2.0

import TelemetryModel

/// Versions of something: their shares over time, and how fast each spread.
struct VersionsContent {
    /// How a version spread.
    struct Row {
        let name: String
        let first: String
        let share: String
        let peak: String
        let half: String
    }

    let chart: ChartContent
    let title: String
    let rows: [Row]

    /// So many versions are named in the table of the chart and in that of their spread.
    private static let mostNamed = 8

    init(_ dimension: Dimension, _ spread: VersionSpread, _ links: PageLinks) {
        title = dimension.title
        let versions = spread.mostShared(Self.mostNamed)
        let drawn = spread.mostShared(6)
        let ordered = drawn + versions.filter { !drawn.contains($0) }
        chart = ChartContent(
            "\(dimension.rawValue)-shares",
            "Share of clusters by version of \(dimension.title)",
            spread.months,
            ordered.map { .init(name: $0.name, values: $0.shares.map { ($0 * 1_000).rounded() / 10 }) },
            drawn: 6,
            unit: "%",
            links: links.series(dimension == .cozystackVersion ? .cozystackVersion : .kubernetesVersion, length: .month)
        )
        rows = versions.map { Row($0, spread.months) }
    }
}

extension VersionsContent.Row {
    fileprivate init(_ version: VersionSpread.Version, _ months: [CalendarMonth]) {
        func percent(_ share: Double) -> String { PageNumbers.decimal(share * 100) + "%" }
        name = version.name
        first = version.first.map { $0 == 0 ? "until \(months[$0].shortLabel)" : months[$0].shortLabel } ?? "never"
        share = percent(version.shares.last ?? 0)
        peak = "\(percent(version.shares[version.peak])) in \(months[version.peak].shortLabel)"
        switch version.monthsToHalf {
        case .none: half = "not yet"
        case .some where version.first == 0: half = "before"
        case .some(0): half = "within the month"
        case .some(1): half = "1 month"
        case .some(let months): half = "\(months) months"
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import TelemetryModel

/// An overview as a table: a row a figure, a column a window.
struct OverviewTable {
    private let overview: Overview

    init(_ overview: Overview) {
        self.overview = overview
    }

    /// The table on a page, without a line break at its end.
    func text(on page: Page = Page()) -> String {
        let figures = (totals + [[]] + applications).map { row in
            row.enumerated().map { column, text in TextTable.Cell(text, isDetail(row) && column == 0 ? .quiet : .plain)
            }
        }
        let rows = [header.map { TextTable.Cell($0, .heading) }] + figures
        return TextTable([.left, .right, .right, .right], rows).text(on: page)
    }

    private var periods: [Overview.Period] {
        [overview.periods.month, overview.periods.quarter, overview.periods.year]
    }

    private var header: [String] { [""] + periods.map(\.label) }

    private var totals: [[String]] {
        [
            row("Clusters") { "\($0.clusters)" },
            row("  established") { "\($0.established.clusters)" },
            row("Nodes") { "\($0.totalNodes)" },
            row("  per cluster") { "\($0.avgNodesPerCluster)" },
            row("Tenants") { "\($0.totalTenants)" },
            row("  per cluster") { "\($0.avgTenantsPerCluster)" },
        ] + (periods.contains { $0.dataSince != nil } ? [row("Data only since") { $0.dataSince ?? "" }] : [])
    }

    /// Applications, those that the year has most of first.
    private var applications: [[String]] {
        let year = overview.periods.year.apps
        let kinds = year.keys.sorted { (-(year[$0] ?? 0), $0) < (-(year[$1] ?? 0), $1) }
        return kinds.map { kind in row(kind) { "\($0.apps[kind] ?? 0)" } }
    }

    private func row(_ name: String, _ cell: (Overview.Period) -> String) -> [String] {
        [name] + periods.map(cell)
    }

    /// Whether a row says more of the one above it.
    private func isDetail(_ row: [String]) -> Bool { row.first?.hasPrefix(" ") ?? false }
}

// SPDX-License-Identifier: Apache-2.0

import TelemetryModel

/// An overview as a table: a row a figure, a column a window.
struct OverviewTable {
    private let overview: Overview

    init(_ overview: Overview) {
        self.overview = overview
    }

    /// The table, without a line break at its end.
    var text: String {
        let rows = [header] + totals + [["", "", "", ""]] + applications
        let widths = (0..<4).map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let cells = zip(row, widths).enumerated().map { column, cell in
                pad(cell.0, to: cell.1, left: column > 0)
            }
            return String(cells.joined(separator: "   ").reversed().drop { $0 == " " }.reversed())
        }.joined(separator: "\n")
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

    private func pad(_ text: String, to width: Int, left: Bool) -> String {
        let blanks = String(repeating: " ", count: max(0, width - text.count))
        return left ? blanks + text : text + blanks
    }
}

// SPDX-License-Identifier: Apache-2.0

import TelemetryModel

/// A breakdown as a table: a row a value, with a bar.
struct BreakdownTable {
    private let title: String
    private let values: [PublicBreakdown.Value]
    /// What is to be known of the numbers.
    private let note: String

    /// The values of a window that everybody may know.
    init(_ answer: PublicBreakdowns, _ window: Window.Length) {
        let period = answer.periods[window.name]
        title = "\(answer.by), \(period?.label ?? window.name)"
        values = period?.values.values ?? []
        note =
            "In multiples of \(answer.threshold), as of \(answer.asOf); \(DataDictionary.other) has what fewer than "
            + "\(answer.threshold) clusters have, and the next smallest."
    }

    /// All values, those of most clusters first.
    init(_ answer: WholeBreakdown) {
        title = "\(answer.dimension), \(answer.label)"
        values = answer.values.map { value, counts in
            .init(value: value, clusters: counts.clusters, clustersAtEnd: counts.clustersAtEnd)
        }.sorted { (-$0.clusters, $0.value) < (-$1.clusters, $1.value) }
        note = "Exact, and not to be published."
    }

    /// The table on a page, without a line break at its end.
    func text(on page: Page) -> String {
        guard !values.isEmpty else { return "\(title): no value that may be told was reported." }
        let header = ["", "", "clusters", "at its end"].map { TextTable.Cell($0, .heading) }
        let highest = values.map(\.clusters).max() ?? 0
        let rows = values.map { value in
            let bar = Bar(value.clusters, of: highest, columns: columns(on: page)).text
            return [
                TextTable.Cell(value.value), .init(bar, .graph), .init("\(value.clusters)"),
                .init("\(value.clustersAtEnd)", .quiet),
            ]
        }
        let lines = [[.init(title, .heading)], header] + rows + [[], [TextTable.Cell(note, .quiet)]]
        return TextTable([.left, .left, .right, .right], lines).text(on: page)
    }

    /// How long a bar may be: what the other columns leave, but never so short that it says nothing.
    private func columns(on page: Page) -> Int {
        let names = values.map(\.value.displayWidth).max() ?? 0
        return min(40, max(10, page.columns - names - "   clusters   at its end   ".count))
    }
}

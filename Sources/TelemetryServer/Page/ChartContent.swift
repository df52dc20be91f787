// SPDX-License-Identifier: Apache-2.0

import TelemetryModel

/// A chart of curves over months, and the same as a table.
struct ChartContent {
    /// A curve's name and the class of its colour.
    struct Legend {
        let name: String
        let index: Int
    }

    /// A row of the table.
    struct Row {
        let month: String
        let cells: [String]
    }

    let id: String
    let title: String
    /// What the whole chart says in a sentence.
    let summary: String
    /// The latest value, written large; nil where there is no single one.
    let number: String?
    let note: String?
    let change: PageChange?
    let before: String?
    /// What numbers are of: nothing or `%`.
    let unit: String
    let drawing: String
    /// So many of the table's columns are drawn.
    let drawn: Int
    let legend: [Legend]
    let columns: [String]
    let rows: [Row]
    let links: SeriesLinks
    /// Whether there is nothing to draw.
    let isEmpty: Bool
}

extension ChartContent {
    /// A curve of a chart.
    struct Curve {
        let name: String
        let values: [Double]
    }

    /// A chart of curves.
    ///
    /// - Parameters:
    ///   - id: What links to it name.
    ///   - title: Its heading.
    ///   - months: The months of the values.
    ///   - curves: The curves; all are in the table.
    ///   - drawn: So many of them are drawn.
    ///   - unit: Nothing, or `%`.
    ///   - links: Where the numbers are.
    ///   - head: The latest value with what is said of it.
    init(
        _ id: String,
        _ title: String,
        _ months: [CalendarMonth],
        _ curves: [Curve],
        drawn: Int,
        unit: String = "",
        links: SeriesLinks,
        head: Head? = nil
    ) {
        self.id = id
        self.title = title
        self.unit = unit
        self.links = links
        self.drawn = min(drawn, curves.count)
        (number, note, change, before) = (head?.number, head?.note, head?.change, head?.before)
        let shown = curves.prefix(drawn)
        legend = shown.enumerated().map { Legend(name: $1.name, index: $0) }
        columns = curves.map(\.name)
        rows = months.indices.reversed().map { index in
            Row(month: months[index].label, cells: curves.map { PageNumbers.cell($0.values[index]) })
        }
        isEmpty = months.isEmpty || curves.isEmpty
        drawing =
            LineChart(
                curves: shown.map(\.values),
                ends: (months.first?.shortLabel ?? "", months.count > 1 ? months.last?.shortLabel ?? "" : ""),
                format: { PageNumbers.short($0) + unit }
            ).svg
        summary = Self.summary(title, months, shown.first, unit)
    }

    /// The latest value with what is said of it.
    struct Head {
        let number: String
        let note: String?
        let change: PageChange
        let before: String?
    }

    private static func summary(
        _ title: String,
        _ months: [CalendarMonth],
        _ curve: Curve?,
        _ unit: String
    ) -> String {
        guard let curve, let first = months.first, let last = months.last, let from = curve.values.first,
            let to = curve.values.last
        else { return "\(title): nothing was reported." }
        return "\(title) by month, \(curve.name): \(PageNumbers.cell(from))\(unit) in \(first.label), "
            + "\(PageNumbers.cell(to))\(unit) in \(last.label). The table has all numbers."
    }
}

extension ChartContent {
    /// Clusters, nodes and tenants.
    static func cards(of figures: PageFigures) -> [Self] {
        [
            card("clusters", "Clusters", .clusters, .clusters, figures),
            card("nodes", "Nodes", .nodes, .nodes, figures),
            card("tenants", "Tenants", .tenants, .tenants, figures),
        ]
    }

    /// The curves of applications, those that there are most of now.
    static func applications(of figures: PageFigures) -> Self {
        let months = figures.applications
        let names = PageFigures.ranked(months.reduce(into: [:]) { $0.merge($1) { $1 } })
        return Self(
            "application-curves",
            "Applications over time",
            figures.curve.map(\.window.end),
            names.map { name in Curve(name: name, values: months.map { Double($0[name] ?? 0) }) },
            drawn: 6,
            links: PageLinks(figures.window).series(.applications)
        )
    }

    private static func card(
        _ id: String,
        _ title: String,
        _ figure: Figure,
        _ series: SeriesName,
        _ figures: PageFigures
    ) -> Self {
        let curve = figures.curve
        let (value, established) = (figures.shown.all[figure] ?? 0, figures.shown.established[figure] ?? 0)
        let clusters = figures.shown.all[.clusters] ?? 0
        let count = PageNumbers.whole(established)
        let each =
            figure == .clusters || clusters == 0
            ? "" : "\(PageNumbers.decimal(Double(value) / Double(clusters))) per cluster, "
        return Self(
            id,
            title,
            curve.map(\.window.end),
            [
                Curve(name: "All", values: curve.map { Double($0.all[figure] ?? 0) }),
                Curve(name: "Established", values: curve.map { Double($0.established[figure] ?? 0) }),
            ],
            drawn: 2,
            links: PageLinks(figures.window).series(series),
            head: Head(
                number: PageNumbers.whole(value),
                note: figure == .clusters ? "\(count) established" : "\(each)\(count) in established clusters",
                change: PageChange(from: figures.before?.all[figure] ?? 0, to: value),
                before: figures.before?.window.label
            )
        )
    }
}

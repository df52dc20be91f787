// SPDX-License-Identifier: Apache-2.0

import TelemetryModel

/// What the template of the public page is filled with; names are those that stand in it.
struct PageContent {
    /// Something that can be chosen.
    struct Choice {
        let name: String
        let value: String
        let isChosen: Bool
    }

    /// A total that has no curve of its own.
    struct Total {
        let id: String
        let name: String
        let number: String
        let note: String?
        let links: SeriesLinks
    }

    /// An application.
    struct Application {
        let name: String
        let number: String
        let change: PageChange
        let bar: String
        let curve: String
        let isFolded: Bool
    }

    let label: String
    let isRunning: Bool
    let generatedAt: String
    let dataSince: String?
    let threshold: Int
    let address: String
    let windows: [Choice]
    let window: String
    let months: [Choice]
    let earlier: Choice?
    let later: Choice?
    let cards: [ChartContent]
    let totals: [Total]
    let applications: [Application]
    let applicationCurves: ChartContent
    let hasBreakdowns: Bool
    let asOf: String?
    let versions: [VersionsContent]
    let lists: [ValuesContent]
    let collected: [CollectedMetric]
    let hasFolded: Bool
    let examples = PageExamples()
    let commands = OptOutCommand.all
    let overview: SeriesLinks
    let files = PageFiles()
}

extension PageContent {
    /// The content of a page.
    init(_ figures: PageFigures) {
        let window = figures.window
        let links = PageLinks(window)
        label = window.label
        isRunning = figures.isRunning
        generatedAt = figures.now.rfc3339
        dataSince = figures.shown.dataSince.map { "\($0)" }
        threshold = figures.threshold
        address = links.page
        self.window = "\(window.length)"
        windows = Window.Length.allCases.map { length in
            Choice(
                name: length.name,
                value: PageLinks(Window(length, endingWith: window.end)).page,
                isChosen: length == window.length
            )
        }
        months = figures.months.map { Choice(name: $0.label, value: "\($0)", isChosen: $0 == window.end) }
        func neighbour(_ month: CalendarMonth) -> Choice? {
            guard figures.months.contains(month) else { return nil }
            return Choice(
                name: month.label,
                value: PageLinks(Window(window.length, endingWith: month)).page,
                isChosen: false
            )
        }
        earlier = neighbour(window.end - 1)
        later = neighbour(window.end + 1)
        cards = ChartContent.cards(of: figures)
        totals = Total.all(of: figures)
        applications = Application.ranked(in: figures)
        applicationCurves = ChartContent.applications(of: figures)
        let breakdowns = figures.breakdowns
        hasBreakdowns = breakdowns != nil
        asOf = breakdowns.map { "\($0.day)" }
        versions =
            breakdowns.map { breakdowns in
                PageFigures.versions.map { VersionsContent($0, VersionSpread(breakdowns.months[$0] ?? []), links) }
            } ?? []
        lists =
            breakdowns.map { breakdowns in
                PageFigures.lists.map { ValuesContent($0, breakdowns.values[$0], links) }
            } ?? []
        collected = DataDictionary.metrics.map(CollectedMetric.init)
        hasFolded = applications.contains(where: \.isFolded)
        overview = links.overview
    }
}

extension PageContent.Total {
    /// Load balancers, volumes and capacity.
    static func all(of figures: PageFigures) -> [Self] {
        let shown = figures.shown.all
        let links = PageLinks(figures.window)
        func count(_ figure: Figure) -> String { PageNumbers.whole(shown[figure] ?? 0) }
        let memory = PageNumbers.bytes(shown[.capacity(resource: "memory")] ?? 0)
        let (balancers, capacity) = (links.series(.loadBalancers), links.series(.capacity))
        return [
            Self(
                id: "load-balancers",
                name: "Load balancers",
                number: count(.loadBalancers),
                note: nil,
                links: balancers
            ),
            Self(id: "volumes", name: "Volumes", number: count(.volumes), note: nil, links: links.series(.volumes)),
            Self(
                id: "cpu",
                name: "CPU cores",
                number: count(.capacity(resource: "cpu")),
                note: "since v1.0",
                links: capacity
            ),
            Self(id: "memory", name: "Memory", number: memory, note: "since v1.0", links: capacity),
        ]
    }
}

extension PageContent.Application {
    /// Applications, those that there are most of first; not tenants, which have a chart.
    static func ranked(in figures: PageFigures) -> [Self] {
        let months = figures.applications
        let before = figures.before?.publicValues(of: .applications, threshold: figures.threshold) ?? [:]
        let counts = months.last ?? [:]
        let most = counts.values.max() ?? 0
        return PageFigures.ranked(counts).map { name in
            let count = counts[name] ?? 0
            return Self(
                name: name,
                number: PageNumbers.whole(count),
                change: PageChange(from: before[name] ?? 0, to: count),
                bar: PageBar.svg(count, of: most),
                curve: LineChart.sparkline(months.map { Double($0[name] ?? 0) }),
                isFolded: name == DataDictionary.other
            )
        }
    }
}

extension PageFigures {
    /// Applications of each window of the curve by canonical name.
    var applications: [[String: Int64]] {
        curve.map { $0.publicValues(of: .applications, threshold: threshold).filter { $0.key != "Tenant" } }
    }

    /// Names that have a count, the highest first and `other` last.
    static func ranked(_ counts: [String: Int64]) -> [String] {
        counts.filter { $0.value > 0 }.sorted { left, right in
            let isFolded = (left.key == DataDictionary.other, right.key == DataDictionary.other)
            if isFolded.0 != isFolded.1 { return isFolded.1 }
            return (right.value, left.key) < (left.value, right.key)
        }.map(\.key)
    }
}

/// A bar as long as a number is large.
enum PageBar {
    /// The bar as a drawing.
    static func svg(_ number: Int64, of most: Int64) -> String {
        let tenths = most > 0 ? Int((Double(number) / Double(most) * 1_000).rounded()) : 0
        return
            "<svg class=\"bar\" aria-hidden=\"true\"><rect width=\"\(tenths / 10).\(tenths % 10)%\" height=\"100%\"/></svg>"
    }
}

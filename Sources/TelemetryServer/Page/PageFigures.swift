// SPDX-License-Identifier: Apache-2.0

import TelemetryModel

/// What the public page shows of a window.
struct PageFigures {
    /// The public breakdowns of a day.
    struct Breakdowns {
        /// The day at whose beginning the windows that still run were read.
        let day: UTCDay
        /// Of the window.
        let values: [Dimension: PublicBreakdown]
        /// Of one month after the other.
        let months: [Dimension: [(month: CalendarMonth, breakdown: PublicBreakdown)]]
    }

    /// Dimensions that are shown as lists of values.
    static let lists: [Dimension] = [
        .operatingSystem, .kernel, .driver, .sizeGroup, .bundle, .bundleEnabled, .bundleDisabled, .package,
        .packageVariant,
        .oidc,
    ]
    /// Dimensions that are shown as curves.
    static let versions: [Dimension] = [.cozystackVersion, .kubernetesVersion]
    /// So many months the curves have.
    static let curveMonths = 24
    /// So far back months are looked for that have reports.
    static let choosableMonths = 36

    /// The window that is shown.
    let window: Window
    /// When it was read.
    let now: UTCInstant
    /// *k*.
    let threshold: Int
    /// Windows of its length that end with one month after the other, the shown one last; from the first that has clusters.
    let curve: [WindowTotals]
    /// The window of its length right before it.
    let before: WindowTotals?
    /// Months that can be chosen, the latest first.
    let months: [CalendarMonth]
    /// What may be told of breakdowns; nil where that is not made yet.
    let breakdowns: Breakdowns?

    /// The totals of the window.
    var shown: WindowTotals { curve.last ?? WindowTotals(window: window, all: [:], established: [:]) }

    /// Whether the window still runs.
    var isRunning: Bool { window.end >= now.month }
}

extension PageFigures {
    /// Reads what a page shows.
    ///
    /// - Parameters:
    ///   - length: The length of the window.
    ///   - end: Its last month; nil for the last one that is over and has reports, or the current one where there is none.
    ///   - endpoint: What answers the curves.
    /// - Throws: Where figures cannot be read.
    init(_ length: Window.Length, endingWith end: CalendarMonth?, from endpoint: SeriesEndpoint) async throws {
        now = endpoint.now()
        threshold = endpoint.anonymityThreshold
        let current = now.month
        months = try await Self.choosable(until: current, endpoint.figures)
        let end = end ?? (months.contains(current - 1) ? current - 1 : current)
        let window = Window(length, endingWith: end)
        self.window = window
        let windows = (0..<Self.curveMonths).reversed().map { Window(length, endingWith: end - $0) }
        let totals = try await endpoint.figures.totals(of: windows)
        let before = Window(length, endingWith: end - length.months)
        // A window that began before there was anything would make everything grow.
        self.before = before.start >= months.last ?? current ? totals[before] : nil
        let curve = windows.compactMap { totals[$0] }
        self.curve = Array(curve.drop { $0.all[.clusters, default: 0] == 0 && $0.window != window })
        breakdowns = try await Self.breakdowns(of: window, endpoint.published)
    }

    /// Months from the first that has reports on, the latest first.
    private static func choosable(until current: CalendarMonth, _ figures: any FigureSource) async throws
        -> [CalendarMonth]
    {
        let months = (0..<choosableMonths).map { current - $0 }
        let totals = try await figures.totals(of: months.map { Window(.month, endingWith: $0) })
        let first = months.last { totals[Window(.month, endingWith: $0)]?.all[.clusters, default: 0] ?? 0 > 0 }
        return months.filter { $0 >= first ?? current }
    }

    private static func breakdowns(of window: Window, _ published: PublishedBreakdowns) async throws -> Breakdowns? {
        var values: [Dimension: PublicBreakdown] = [:]
        var months: [Dimension: [(CalendarMonth, PublicBreakdown)]] = [:]
        var day: UTCDay?
        for dimension in lists + versions {
            guard let answer = try await published.breakdowns(by: dimension, in: [window]) else { return nil }
            day = answer.day
            values[dimension] = answer.1[window]
        }
        let windows = (0..<curveMonths).reversed().map { Window(.month, endingWith: window.end - $0) }
        for dimension in versions {
            guard let answer = try await published.breakdowns(by: dimension, in: windows) else { return nil }
            months[dimension] = windows.map { ($0.end, answer.1[$0] ?? PublicBreakdown([:], threshold: 1)) }
                .drop { $0.1.values.isEmpty }.map { $0 }
        }
        return day.map { Breakdowns(day: $0, values: values, months: months) }
    }
}

// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import TelemetryModel

/// `GET /api/overview?year=YYYY&month=MM`: the public figures of the month, the quarter and the year that end with it.
struct OverviewEndpoint: Sendable {
    let figures: any FigureSource
    let anonymityThreshold: Int
    let now: @Sendable () -> UTCInstant

    /// Answers with the figures, or with `{"error": "…"}`; pages of other origins may read both.
    func answer(_ request: Request) async throws -> Response {
        try await .forEveryOrigin {
            let format = try request.figureFormat()
            let month = try request.begunMonth(at: now())
            let overview = try await overview(of: month)
            return try .figures(overview, as: format, name: "overview-\(month)") { CSVTable(overview) }
        }
    }

    /// Answers with the file that the website publishes, or with `{"error": "…"}`; pages of other origins may read both.
    func answerForWebsite(_ request: Request) async throws -> Response {
        try await .forEveryOrigin {
            let month = try request.begunMonth(at: now())
            return try .json(
                WebsiteFigures(try await totals(endingWith: month), generatedAt: now(), anonymityThreshold)
            )
        }
    }

    /// The figures that end with a month.
    func overview(of month: CalendarMonth) async throws -> Overview {
        let totals = try await totals(endingWith: month)
        return Overview(endingWith: month, generatedAt: now(), threshold: anonymityThreshold) { window in
            totals[window] ?? WindowTotals(window: window, all: [:], established: [:])
        }
    }

    private func totals(endingWith month: CalendarMonth) async throws -> [Window: WindowTotals] {
        try await figures.totals(of: Window.Length.allCases.map { Window($0, endingWith: month) })
    }
}

extension CSVTable {
    /// A line for each figure of each period.
    init(_ overview: Overview) {
        columns = ["period", "start", "end", "name", "value"]
        rows = [
            ("month", overview.periods.month), ("quarter", overview.periods.quarter), ("year", overview.periods.year),
        ].flatMap { name, period in
            Self.values(of: period).map { [.text(name), .text(period.start), .text(period.end), .text($0), $1] }
        }
    }

    private static func values(of period: Overview.Period) -> [(String, Cell)] {
        [
            ("clusters", .number(period.clusters)), ("total_nodes", .number(period.totalNodes)),
            ("avg_nodes_per_cluster", .decimal(period.avgNodesPerCluster)),
            ("total_tenants", .number(period.totalTenants)),
            ("avg_tenants_per_cluster", .decimal(period.avgTenantsPerCluster)),
            ("established_clusters", .number(period.established.clusters)),
            ("established_total_nodes", .number(period.established.totalNodes)),
            ("established_avg_nodes_per_cluster", .decimal(period.established.avgNodesPerCluster)),
            ("established_total_tenants", .number(period.established.totalTenants)),
            ("established_avg_tenants_per_cluster", .decimal(period.established.avgTenantsPerCluster)),
        ] + period.apps.sorted { $0.key < $1.key }.map { ("app/" + $0.key, .number($0.value)) }
    }
}

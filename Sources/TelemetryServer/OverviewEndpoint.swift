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
        try await .forEveryOrigin { try .json(await overview(request)) }
    }

    private func overview(_ request: Request) async throws -> Overview {
        try await overview(of: try request.begunMonth(at: now()))
    }

    /// The figures that end with a month.
    func overview(of month: CalendarMonth) async throws -> Overview {
        let totals = try await figures.totals(of: Window.Length.allCases.map { Window($0, endingWith: month) })
        return Overview(endingWith: month, generatedAt: now(), threshold: anonymityThreshold) { window in
            totals[window] ?? WindowTotals(window: window, all: [:], established: [:])
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import ReportStore
import TelemetryModel

/// Answers `/v1/insights/…` from the process's own store and counters.
struct InsightEndpoint: Sendable {
    let store: ReportStore
    let kept: KeptInsights
    let registry: MetricsRegistry
    /// Whether this backend knows more than what it counts itself.
    let hasFigures: Bool
    /// When the process started to count.
    let startedAt: UTCInstant

    /// Answers a query.
    ///
    /// - Throws: `Refusal`, or what the store throws.
    func answer(_ query: InsightQuery) async throws -> Response {
        if case .refusals = query { return try .json(RefusalsAnswer(registry, since: startedAt)) }
        guard hasFigures else { throw Refusal.noFigures }
        switch query {
        case .refusals: preconditionFailure("it was answered")
        case .curve(let dimension, let value, let months):
            let windows = (months.end - (months.count - 1)...months.end).all.map { Window(.month, endingWith: $0) }
            return try .json(await CurveAnswer(of: dimension, value, in: windows, from: store))
        case .adoption(let dimension, let months, let limit):
            return try await answer(months, of: dimension) { $0.adoption(of: dimension, in: $1, limit: limit) }
        case .upgrades(let dimension, let months, let limit):
            return try await answer(months, of: dimension) { $0.upgrades(of: dimension, in: $1, limit: limit) }
        case .together(let month, let least, let limit):
            return try await answer(.init(end: month, count: 1)) { fleet, _ in
                fleet.together(at: month, least: least, limit: limit)
            }
        case .churn(let months): return try await answer(months) { $0.churn(in: $1) }
        case .sizes(let months): return try await answer(months) { $0.sizes(in: $1) }
        }
    }

    private func answer<Insight: Encodable>(
        _ months: InsightQuery.Months,
        of dimension: Dimension? = nil,
        _ insight: (FleetInsights, ClosedRange<CalendarMonth>) -> Insight
    ) async throws -> Response {
        let fleet = try await kept.insights(of: months.end)
        guard let range = fleet.months(endingWith: months.end, count: months.count) else {
            throw Refusal(status: .notFound, message: "the rows of this month are deleted; the overview has its totals")
        }
        return try .json(
            InsightAnswer(insight: insight(fleet, range), dimension: dimension, months: range, fleet: fleet)
        )
    }
}

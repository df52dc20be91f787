// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import TelemetryModel

/// `GET /api/breakdowns?by=DIMENSION&year=YYYY&month=MM`: how many clusters have which value, for everybody.
struct BreakdownEndpoint: Sendable {
    let published: PublishedBreakdowns
    let anonymityThreshold: Int
    let now: @Sendable () -> UTCInstant

    /// The answer.
    private struct Document: Encodable {
        struct Period: Encodable {
            let label: String
            let start: String
            let end: String
            let values: PublicBreakdown
        }

        let by: String
        /// The day at whose beginning the windows that still run were read, `2026-03-05`.
        let asOf: String
        let k: Int
        let periods: [String: Period]

        private enum CodingKeys: String, CodingKey {
            case by, k, periods
            case asOf = "as_of"
        }
    }

    /// Answers with the breakdown, or with `{"error": "…"}`; pages of other origins may read both.
    func answer(_ request: Request) async throws -> Response {
        try await .forEveryOrigin { try .json(await document(request)) }
    }

    private func document(_ request: Request) async throws -> Document {
        let dimension = try dimension(request)
        let month = try request.begunMonth(at: now())
        guard let (day, breakdowns) = try await published.breakdowns(by: dimension, endingWith: month) else {
            throw Refusal.busy("the breakdowns of the day are not made yet")
        }
        var periods: [String: Document.Period] = [:]
        for (length, values) in breakdowns {
            let window = Window(length, endingWith: month)
            periods["\(length)"] = Document.Period(
                label: window.label,
                start: window.start.firstDay.description,
                end: window.end.lastDay.description,
                values: values
            )
        }
        return Document(by: dimension.rawValue, asOf: day.description, k: anonymityThreshold, periods: periods)
    }

    private func dimension(_ request: Request) throws(Refusal) -> Dimension {
        let values = request.uri.queryParameters.getAll("by")
        guard values.count == 1, let dimension = Dimension(rawValue: String(values[0])) else {
            throw .badRequest("give by once, one of \(Dimension.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return dimension
    }
}

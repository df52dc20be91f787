// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import TelemetryModel

/// `GET /api/breakdowns?by=DIMENSION&year=YYYY&month=MM`: how many clusters have which value, for everybody.
struct BreakdownEndpoint: Sendable {
    let published: PublishedBreakdowns
    let anonymityThreshold: Int
    let now: @Sendable () -> UTCInstant

    /// The answer.
    fileprivate struct Document: Encodable {
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
        try await .forEveryOrigin {
            let format = try request.figureFormat()
            let month = try request.begunMonth(at: now())
            let document = try await document(try dimension(request), endingWith: month)
            return try .figures(document, as: format, name: "\(document.by)-\(month)") { CSVTable(document) }
        }
    }

    private func document(_ dimension: Dimension, endingWith month: CalendarMonth) async throws -> Document {
        let windows = Window.Length.allCases.map { Window($0, endingWith: month) }
        guard let (day, breakdowns) = try await published.breakdowns(by: dimension, in: windows) else {
            throw Refusal.noEdition
        }
        var periods: [String: Document.Period] = [:]
        for (window, values) in breakdowns {
            periods["\(window.length)"] = Document.Period(
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

extension CSVTable {
    /// A line for each value of each period.
    fileprivate init(_ document: BreakdownEndpoint.Document) {
        columns = ["period", "start", "end", "value", "clusters", "clusters_at_end"]
        rows = Window.Length.allCases.flatMap { length in
            guard let period = document.periods["\(length)"] else { return [[CSVTable.Cell]]() }
            return period.values.values.map { value in
                [
                    .text("\(length)"), .text(period.start), .text(period.end), .text(value.value),
                    .number(Int64(value.clusters)), .number(Int64(value.clustersAtEnd)),
                ]
            }
        }
    }
}

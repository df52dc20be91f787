// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import TelemetryModel

/// `GET /api/breakdowns?by=DIMENSION&year=YYYY&month=MM`: how many clusters have which value, for everybody.
struct BreakdownEndpoint: Sendable {
    let published: PublishedBreakdowns
    let anonymityThreshold: Int
    let now: @Sendable () -> UTCInstant

    /// Answers with the breakdown, or with `{"error": "…"}`; pages of other origins may read both.
    func answer(_ request: Request) async throws -> Response {
        try await .forEveryOrigin {
            let format = try request.figureFormat()
            let month = try request.begunMonth(at: now())
            let document = try await document(try dimension(request), endingWith: month)
            return try .figures(document, as: format, name: "\(document.by)-\(month)") { CSVTable(document) }
        }
    }

    private func document(_ dimension: Dimension, endingWith month: CalendarMonth) async throws -> PublicBreakdowns {
        let windows = Window.Length.allCases.map { Window($0, endingWith: month) }
        guard let (day, breakdowns) = try await published.breakdowns(by: dimension, in: windows) else {
            throw Refusal.noEdition
        }
        return PublicBreakdowns(by: dimension, asOf: day, threshold: anonymityThreshold, breakdowns)
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
    fileprivate init(_ document: PublicBreakdowns) {
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

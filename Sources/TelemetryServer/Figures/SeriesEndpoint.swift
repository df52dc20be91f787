// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import TelemetryModel

/// `GET /api/series?of=NAME&year=YYYY&month=MM`: a public curve, a point for each month.
struct SeriesEndpoint: Sendable {
    let figures: any FigureSource
    let published: PublishedBreakdowns
    let anonymityThreshold: Int
    let now: @Sendable () -> UTCInstant

    /// Answers with the curve, or with `{"error": "…"}`; pages of other origins may read both.
    func answer(_ request: Request) async throws -> Response {
        try await .forEveryOrigin {
            let format = try request.figureFormat()
            let end = try request.begunMonth(at: now())
            let length = try request.windowLength()
            let months = try request.number("months", in: 1...60, default: 24)
            let windows = (0..<months).reversed().map { Window(length, endingWith: end - $0) }
            let series = try await series(of: try name(request), length, in: windows)
            return try .figures(series, as: format, name: "\(series.of.rawValue)-\(series.window)-\(end)") {
                CSVTable(series)
            }
        }
    }

    /// The curve over windows of a length.
    ///
    /// - Throws: Where one of them cannot be read.
    func series(of name: SeriesName, _ length: Window.Length, in windows: [Window]) async throws -> PublicSeries {
        guard let dimension = name.dimension else {
            let totals = try await figures.totals(of: windows)
            let points = windows.compactMap { window in
                totals[window].map { totals in
                    PublicSeries.Point(
                        window,
                        dataSince: totals.dataSince,
                        values: totals.publicValues(of: name, threshold: anonymityThreshold)
                    )
                }
            }
            return PublicSeries(of: name, length, threshold: anonymityThreshold, points: points)
        }
        guard let (day, breakdowns) = try await published.breakdowns(by: dimension, in: windows) else {
            throw Refusal.noEdition
        }
        let points = windows.compactMap { window in
            breakdowns[window].map { breakdown in
                PublicSeries.Point(
                    window,
                    values: Dictionary(breakdown.values.map { ($0.value, Int64($0.clustersAtEnd)) }) { $1 }
                )
            }
        }
        return PublicSeries(of: name, length, threshold: anonymityThreshold, asOf: day, points: points)
    }

    private func name(_ request: Request) throws(Refusal) -> SeriesName {
        let values = request.uri.queryParameters.getAll("of")
        guard values.count == 1, let name = SeriesName(rawValue: String(values[0])) else {
            throw .badRequest("give of once, one of \(SeriesName.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return name
    }
}

extension CSVTable {
    /// A line for each name of each month.
    init(_ series: PublicSeries) {
        columns = ["month", "start", "end", "name", "value"]
        rows = series.points.flatMap { point in
            point.values.sorted { $0.key < $1.key }.map { name, value in
                [.text(point.month), .text(point.start), .text(point.end), .text(name), .number(value)]
            }
        }
    }
}

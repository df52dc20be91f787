// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import ReportStore
import TelemetryModel

/// `GET /api/overview?year=YYYY&month=MM`: the public figures of the month, the quarter and the year that end with it.
struct OverviewEndpoint: Sendable {
    let store: ReportStore
    let anonymityThreshold: Int
    let now: @Sendable () -> UTCInstant

    /// Answers with the figures, or with `{"error": "…"}`; pages of other origins may read both.
    func answer(_ request: Request) async throws -> Response {
        var response: Response
        do {
            response = try .json(await overview(request))
        } catch {
            guard let refusal = Refusal(error) else { throw error }
            response = refusal.response
        }
        response.headers[.accessControlAllowOrigin] = "*"
        return response
    }

    private func overview(_ request: Request) async throws -> Overview {
        let month = try requestedMonth(request)
        let instant = now()
        guard month <= instant.month else { throw Refusal.badRequest("the month \(month) has not begun yet") }
        let totals = try await store.totals(of: Window.Length.allCases.map { Window($0, endingWith: month) })
        return Overview(endingWith: month, generatedAt: instant, threshold: anonymityThreshold) { window in
            totals[window] ?? WindowTotals(window: window, all: [:], established: [:])
        }
    }

    private func requestedMonth(_ request: Request) throws(Refusal) -> CalendarMonth {
        let year = try number("year", of: request, in: 2024...2100)
        return CalendarMonth(year: year, month: try number("month", of: request, in: 1...12))
    }

    private func number(
        _ name: String,
        of request: Request,
        in range: ClosedRange<Int>
    ) throws(Refusal) -> Int {
        let values = request.uri.queryParameters.getAll(name)
        guard values.count == 1, let text = values.first, text.allSatisfy(\.isASCII), !text.hasPrefix("+"),
            let number = Int(text), range.contains(number)
        else {
            throw .badRequest("give \(name) once, a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }
}

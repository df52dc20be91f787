// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import TelemetryModel

// What the public figures have in common: which month is asked for, and that pages of other origins may read the answer.
extension Request {
    /// The month of `year` and `month`, each given once.
    ///
    /// - Parameter latest: The month that runs; a later one has not begun.
    /// - Throws: `Refusal` with 400.
    func month(atMost latest: CalendarMonth) throws(Refusal) -> CalendarMonth {
        let year = try number("year", in: 2024...2100)
        let month = CalendarMonth(year: year, month: try number("month", in: 1...12))
        guard month <= latest else { throw .badRequest("the month \(month) has not begun yet") }
        return month
    }

    private func number(_ name: String, in range: ClosedRange<Int>) throws(Refusal) -> Int {
        let values = uri.queryParameters.getAll(name)
        guard values.count == 1, let text = values.first, text.allSatisfy(\.isASCII), !text.hasPrefix("+"),
            let number = Int(text), range.contains(number)
        else {
            throw .badRequest("give \(name) once, a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }
}

extension Response {
    /// What a body gives, or what it refuses, to be read by pages of every origin.
    ///
    /// - Throws: Errors that nobody foresaw.
    static func forEveryOrigin(_ body: () async throws -> Response) async throws -> Response {
        var response: Response
        do {
            response = try await body()
        } catch {
            guard let refusal = Refusal(error) else { throw error }
            response = refusal.response
        }
        response.headers[.accessControlAllowOrigin] = "*"
        return response
    }
}

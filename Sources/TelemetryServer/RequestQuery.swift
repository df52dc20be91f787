// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import TelemetryModel

// What stands behind the question mark, each name once.
extension Request {
    /// The month that `year` and `month` name.
    ///
    /// - Throws: `Refusal` with 400, also where it has not begun.
    func begunMonth(at instant: UTCInstant) throws(Refusal) -> CalendarMonth {
        let year = try number("year", in: 2024...2100)
        let month = CalendarMonth(year: year, month: try number("month", in: 1...12))
        guard month <= instant.month else { throw .badRequest("the month \(month) has not begun yet") }
        return month
    }

    /// The days from `from` to `to`, 400 at the most.
    ///
    /// - Throws: `Refusal` with 400, also where one of them has not begun.
    func begunDays(at instant: UTCInstant) throws(Refusal) -> ClosedRange<UTCDay> {
        let (first, last) = (try day("from"), try day("to"))
        guard first <= last, last <= instant.day, last.daysSinceEpoch - first.daysSinceEpoch < 400 else {
            throw .badRequest("from and to must be in this order, 400 days at the most, and not in the future")
        }
        return first...last
    }

    /// A whole number.
    ///
    /// - Parameters:
    ///   - name: Its name.
    ///   - range: What it may be.
    ///   - fallback: What it is where it is not given; nil where it has to be.
    /// - Returns: The number.
    /// - Throws: `Refusal` with 400.
    func number(
        _ name: String,
        in range: ClosedRange<Int>,
        default fallback: Int? = nil
    ) throws(Refusal) -> Int {
        let values = uri.queryParameters.getAll(name)
        if values.isEmpty, let fallback { return fallback }
        guard values.count == 1, let text = values.first, text.allSatisfy(\.isASCII), !text.hasPrefix("+"),
            let number = Int(text), range.contains(number)
        else {
            throw .badRequest("give \(name) once, a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// The length of a window, `month` where it is not given.
    ///
    /// - Throws: `Refusal` with 400.
    func windowLength() throws(Refusal) -> Window.Length {
        let lengths: [String: Window.Length] = ["month": .month, "quarter": .quarter, "year": .year]
        let values = uri.queryParameters.getAll("window")
        guard let text = values.first else { return .month }
        guard values.count == 1, let length = lengths[text] else {
            throw .badRequest("give window once: month, quarter or year")
        }
        return length
    }

    /// The dimension that `dimension` names.
    ///
    /// - Parameters:
    ///   - dimensions: Those that it may be.
    ///   - fallback: What it is where it is not given; nil where it has to be.
    /// - Returns: The dimension.
    /// - Throws: `Refusal` with 400.
    func dimension(of dimensions: [Dimension], default fallback: Dimension? = nil) throws(Refusal) -> Dimension {
        let values = uri.queryParameters.getAll("dimension")
        if values.isEmpty, let fallback { return fallback }
        guard values.count == 1, let dimension = dimensions.first(where: { $0.rawValue == values[0] }) else {
            let names = dimensions.map(\.rawValue).joined(separator: ", ")
            throw .badRequest("give dimension once, one of \(names)")
        }
        return dimension
    }

    /// A text that is not empty.
    ///
    /// - Throws: `Refusal` with 400.
    func text(_ name: String, longest: Int) throws(Refusal) -> String {
        let values = uri.queryParameters.getAll(name)
        guard values.count == 1, let text = values.first, (1...longest).contains(text.unicodeScalars.count) else {
            throw .badRequest("give \(name) once, 1 to \(longest) characters")
        }
        return String(text)
    }

    private func day(_ name: String) throws(Refusal) -> UTCDay {
        let values = uri.queryParameters.getAll(name)
        guard values.count == 1, let day = values.first.flatMap(UTCDay.init(iso8601:)) else {
            throw .badRequest("give \(name) once, a day such as 2026-03-31")
        }
        return day
    }
}

extension UTCDay {
    /// Reads `2026-03-31`; nil for anything else, and for days before 2024 and after 2100.
    init?(iso8601 text: some StringProtocol) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.map(\.utf8.count) == [4, 2, 2], parts.allSatisfy({ $0.utf8.allSatisfy { 0x30...0x39 ~= $0 } }),
            let year = Int(parts[0]), (2024...2100).contains(year), let number = Int(parts[1]),
            (1...12).contains(number), let day = Int(parts[2])
        else { return nil }
        let month = CalendarMonth(year: year, month: number)
        guard (1...month.lastDay.dayOfMonth).contains(day) else { return nil }
        self.init(daysSinceEpoch: month.firstDay.daysSinceEpoch + day - 1)
    }
}

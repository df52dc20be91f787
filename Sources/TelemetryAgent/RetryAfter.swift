// SPDX-License-Identifier: Apache-2.0

import TelemetryModel

/// What `Retry-After` asks for (RFC 9110, 10.2.3): a number of seconds, or a date.
///
/// - Parameters:
///   - text: The value of the field.
///   - now: What time it is where the answer comes from.
/// - Returns: How long to wait; nil where the text is neither.
func duration(ofRetryAfter text: String, now: UTCInstant) -> Duration? {
    let text = text.drop { $0 == " " }
    if !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) {
        // More digits than fit are more than anybody waits.
        return .seconds(Int64(text) ?? Int64(Int32.max))
    }
    return UTCInstant(httpDate: String(text)).map {
        .seconds(max(0, $0.secondsSinceEpoch - now.secondsSinceEpoch))
    }
}

extension UTCInstant {
    /// A date as header fields have it, in any of the three forms that a recipient must take (RFC 9110, 5.6.7).
    init?(httpDate text: String) {
        var words = text.split { " ,-:".contains($0) }
        // The form of C's asctime has the day after the month and the year last.
        if words.count == 7 {
            words = [words[0], words[2], words[1], words[6], words[3], words[4], words[5], "GMT"]
        }
        guard words.count == 8, words[7] == "GMT", let month = Self.months.firstIndex(of: words[2]),
            let day = Int(words[1]), (1...31).contains(day), let year = Self.year(words[3]),
            let hour = Int64(words[4]), let minute = Int64(words[5]), let second = Int64(words[6]),
            (0..<24).contains(hour), (0..<60).contains(minute), (0...60).contains(second)
        else { return nil }
        let calendar = CalendarMonth(year: year, month: month + 1)
        let date = UTCDay(daysSinceEpoch: calendar.firstDay.daysSinceEpoch + day - 1)
        guard date.month == calendar else { return nil }
        self = UTCInstant(startOf: date).advanced(bySeconds: hour * 3_600 + minute * 60 + second)
    }

    private static let months: [Substring] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// A year of four digits, or of two as the oldest form has it.
    private static func year(_ text: Substring) -> Int? {
        guard let year = Int(text), (0...9_999).contains(year) else { return nil }
        return text.utf8.count == 4 ? year : year < 70 ? 2_000 + year : 1_900 + year
    }
}

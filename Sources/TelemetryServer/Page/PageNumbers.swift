// SPDX-License-Identifier: Apache-2.0

/// How numbers look on a page, in English.
enum PageNumbers {
    /// `1,234,567`.
    static func whole(_ number: Int64) -> String {
        let digits = String(number.magnitude)
        var text = number < 0 ? "−" : ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { text += "," }
            text.append(digit)
        }
        return text
    }

    /// One decimal, `5.3`, which is left out where it is 0 and the number is 100 or more.
    static func decimal(_ number: Double) -> String {
        let tenths = Int64((number * 10).rounded())
        let (whole, rest) = tenths.quotientAndRemainder(dividingBy: 10)
        return abs(whole) >= 100 && rest == 0 ? Self.whole(whole) : "\(Self.whole(whole)).\(abs(rest))"
    }

    /// Bytes in the unit that leaves fewer than 1,024 of them, `3.5 TiB`.
    static func bytes(_ number: Int64) -> String {
        var (value, units) = (Double(number), ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"][...])
        while value >= 1_024, units.count > 1 {
            value /= 1_024
            units.removeFirst()
        }
        return "\(decimal(value)) \(units.first ?? "B")"
    }

    /// Numbers on a scale: `500`, `2k`, `1.5M`.
    static func short(_ number: Double) -> String {
        for (unit, name) in [(1e9, "G"), (1e6, "M"), (1e3, "k")] where number >= unit {
            return trimmed(number / unit) + name
        }
        return trimmed(number)
    }

    private static func trimmed(_ number: Double) -> String {
        number.rounded() == number ? "\(Int64(number))" : decimal(number)
    }
}

/// How a number changed.
struct PageChange {
    /// `up`, `down` or `same`, which the look goes by.
    let direction: String
    /// `+12 (+8%)`; nil where there is nothing to compare with.
    let text: String?

    init(from before: Int64, to after: Int64) {
        direction = after > before ? "up" : after < before ? "down" : "same"
        guard before > 0 else {
            text = nil
            return
        }
        let difference = after - before
        let percent = (Double(difference) / Double(before) * 100).rounded()
        let sign = difference > 0 ? "+" : ""
        text =
            difference == 0 ? "no change" : "\(sign)\(PageNumbers.whole(difference)) (\(sign)\(Self.percent(percent))%)"
    }

    private static func percent(_ value: Double) -> String { PageNumbers.whole(Int64(value)) }
}

extension PageNumbers {
    /// A number in a table that programs read too: whole, or to one decimal.
    static func cell(_ value: Double) -> String {
        value.rounded() == value ? whole(Int64(value)) : decimal(value)
    }
}

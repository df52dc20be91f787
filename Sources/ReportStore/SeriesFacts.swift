// SPDX-License-Identifier: Apache-2.0

import TelemetryModel

/// What a stored series means for the totals, looked up once: the items that a sample of it adds to.
final class SeriesFacts: Sendable {
    /// The metric.
    let metric: Metric
    /// The labels as they are stored, see `SeriesKey`.
    let labels: [UInt8]
    /// Whether samples of the series carry an identifier of eight bytes.
    let hasIdentifier: Bool
    /// An identifier that is not one of eight bytes, as a number that stands for its text.
    let identifierText: Int
    /// Items that the value of a sample is added to; of workloads, those that count distinct identifiers.
    let sums: [Int]
    /// Items that are the highest value of a sample.
    let highest: [Int]
    /// An item that is 1 where the first of `sums` is above 0, else 0.
    let presence: Int?
    /// Items that are 1 where the value is above 0: values of dimensions.
    let values: [Int]

    init(
        key: SeriesKey,
        identifierText: Int,
        sums: [Int],
        highest: [Int],
        presence: Int?,
        values: [Int]
    ) {
        metric = key.metric
        labels = key.labels
        hasIdentifier = key.hasIdentifier
        self.identifierText = identifierText
        self.sums = sums
        self.highest = highest
        self.presence = presence
        self.values = values
    }
}

/// A series as it is stored: a metric and its labels, each a marker and a text.
///
/// An identifier of sixteen hexadecimal digits is not part of the series, but stands as eight bytes in each report, as it
/// is the same in no two clusters.
struct SeriesKey: Hashable {
    let metric: Metric
    let labels: [UInt8]

    /// What stands for a label's value.
    private enum Marker: Int64 {
        case absent = 0
        case text = 1
        /// The eight bytes stand in the report.
        case identifier = 2
    }

    init(metric: Metric, labels: [UInt8]) {
        self.metric = metric
        self.labels = labels
    }

    /// The key of a series, and the identifier that is no part of it.
    static func of(_ series: Series) -> (key: Self, identifier: UInt64?) {
        var writer = ByteWriter()
        var identifier: UInt64?
        for (position, value) in series.labels.enumerated() {
            guard let value else {
                writer.write(Marker.absent.rawValue)
                continue
            }
            if position == series.metric.identifierLabel, let number = identifierNumber(value) {
                writer.write(Marker.identifier.rawValue)
                identifier = number
            } else {
                writer.write(Marker.text.rawValue)
                writer.write(value)
            }
        }
        return (Self(metric: series.metric, labels: writer.bytes), identifier)
    }

    /// The series with an identifier in its place; nil where the bytes are damaged.
    func series(identifier: UInt64?) -> Series? {
        var reader = ByteReader(labels)
        var values: [String?] = []
        while !reader.isAtEnd {
            switch reader.number().flatMap(Marker.init(rawValue:)) {
            case .none: return nil
            case .absent: values.append(nil)
            case .text:
                guard let text = reader.text() else { return nil }
                values.append(text)
            case .identifier: values.append(hexadecimalDigits(identifier ?? 0))
            }
        }
        guard values.count <= metric.definition.labels.count else { return nil }
        return Series(metric, values)
    }

    /// Whether reports have an identifier for this series.
    var hasIdentifier: Bool {
        var reader = ByteReader(labels)
        while let marker = reader.number() {
            if marker == Marker.identifier.rawValue { return true }
            if marker == Marker.text.rawValue { _ = reader.text() }
        }
        return false
    }

    /// The number of sixteen lower-case hexadecimal digits, which is how an identifier was replaced.
    private static func identifierNumber(_ text: String) -> UInt64? {
        guard text.utf8.count == 16 else { return nil }
        var number: UInt64 = 0
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): number = number << 4 | UInt64(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): number = number << 4 | UInt64(byte - UInt8(ascii: "a") + 10)
            default: return nil
            }
        }
        return number
    }
}

/// Sixteen lower-case hexadecimal digits of a number.
private func hexadecimalDigits(_ number: UInt64) -> String {
    let digits = String(number, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
}

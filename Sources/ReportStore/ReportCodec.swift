// SPDX-License-Identifier: Apache-2.0

import GRDB
import TelemetryModel

/// A report as the bytes of the `content` column and back.
///
/// Per sample the number of its series, the eight bytes of each identifier, and the value. An identifier is the same in
/// no two samples, so it is not interned but stands in the content.
enum ReportCodec {
    /// What stands for a label value in an interned series.
    private enum Marker: Int64 {
        case absent = 0
        case text = 1
        /// The eight bytes stand in the content.
        case identifier = 2
    }

    /// The bytes of a report.
    static func encode(_ report: Report, interner: inout Interner, in database: Database) throws -> [UInt8] {
        var content = ByteWriter()
        for sample in report.samples {
            var labels = ByteWriter()
            var identifiers: [[UInt8]] = []
            for (definition, value) in zip(sample.series.metric.definition.labels, sample.series.labels) {
                guard let value else {
                    labels.write(Marker.absent.rawValue)
                    continue
                }
                if definition.isIdentifier, let identifier = eightBytes(value) {
                    labels.write(Marker.identifier.rawValue)
                    identifiers.append(identifier)
                } else {
                    labels.write(Marker.text.rawValue)
                    labels.write(value)
                }
            }
            let key = Interner.SeriesKey(metric: sample.series.metric, labels: labels.bytes)
            content.write(try interner.id(of: key, in: database))
            for identifier in identifiers { content.write(identifier) }
            content.write(sample.value)
        }
        return content.bytes
    }

    /// The report of such bytes; nil where they are damaged or their series are gone.
    static func decode(_ bytes: [UInt8], interner: inout Interner, in database: Database) throws -> Report? {
        var reader = ByteReader(bytes)
        var samples: [Report.Sample] = []
        while !reader.isAtEnd {
            guard let id = reader.number(), let key = try interner.series(id, in: database),
                let labels = labels(of: key, identifiersFrom: &reader), let value = reader.number()
            else { return nil }
            samples.append(.init(Series(key.metric, labels), value))
        }
        return Report(samples)
    }

    private static func labels(of key: Interner.SeriesKey, identifiersFrom content: inout ByteReader) -> [String?]? {
        var reader = ByteReader(key.labels)
        var labels: [String?] = []
        while !reader.isAtEnd {
            switch reader.number().flatMap(Marker.init(rawValue:)) {
            case .none: return nil
            case .absent: labels.append(nil)
            case .text:
                guard let text = reader.text() else { return nil }
                labels.append(text)
            case .identifier:
                guard let identifier = content.raw(8) else { return nil }
                labels.append(hexadecimal(identifier))
            }
        }
        return labels
    }

    /// The bytes of sixteen lower-case hexadecimal digits, which is how an identifier was replaced.
    private static func eightBytes(_ text: String) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count == 16, let number = UInt64(text, radix: 16) else { return nil }
        let bytes = withUnsafeBytes(of: number.bigEndian, Array.init)
        return hexadecimal(bytes) == text ? bytes : nil
    }
}

// SPDX-License-Identifier: Apache-2.0

public import AsyncHTTPClient
import Exposition
import Foundation
import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import TelemetryModel

/// Reads samples as they lie in VictoriaMetrics, below the base URL of a single node or of vmselect.
public struct ExportClient: Sendable {
    /// A cluster as series name it.
    struct Cluster {
        /// The label that names it.
        enum Label: String, CaseIterable {
            /// What today's backend writes: the id as it was sent.
            case raw = "cluster_id"
            /// What these backends send on.
            case pseudonym = "cluster"

            /// A filter that leaves out what is named by another label, too.
            var others: String { self == .pseudonym ? ",cluster_id=\"\"" : "" }
        }

        let label: Label
        let value: String
    }

    /// A value; what is not finite is written as a text, or null.
    private struct Number: Decodable {
        let number: Double

        init(from decoder: any Decoder) throws {
            number = (try? decoder.singleValueContainer().decode(Double.self)) ?? .nan
        }
    }

    private let http: HTTPClient
    private let url: DatabaseURL

    /// The largest answer that is read: a month of one cluster.
    private static let largestAnswer = 1 << 30
    /// What reports are made of, as a filter of series.
    private static let names = Metric.allCases.map(\.definition.name).joined(separator: "|")

    /// A client for a base URL; the caller shuts the HTTP client down.
    public init(url: String, http: HTTPClient) {
        self.url = DatabaseURL(url)
        self.http = http
    }

    /// Every cluster that a label names.
    ///
    /// - Throws: `FiguresUnavailable`.
    func values(
        of label: Cluster.Label,
        in months: ClosedRange<CalendarMonth>
    ) async throws(FiguresUnavailable) -> [String] {
        let filter = "{__name__=~\"\(Self.names)\",\(label.rawValue)!=\"\"\(label.others)}"
        let body = try await ask("/api/v1/label/\(label.rawValue)/values", filter, months)
        let values = try DatabaseAnswer<[String]>.content(of: body)
        // A list that is cut off at `-search.maxTagValues` does not say so.
        guard values.count < 100_000 else {
            throw FiguresUnavailable("there may be more than 100,000 clusters; that is more than can be moved")
        }
        return values.sorted()
    }

    /// The samples of a cluster in a month by their time, in order of time; at each in a fixed order, without its label.
    ///
    /// - Throws: `FiguresUnavailable`.
    func samples(
        of cluster: Cluster,
        in month: CalendarMonth
    ) async throws(FiguresUnavailable) -> [(instant: UTCInstant, samples: [Sample])] {
        struct Line: Decodable {
            let metric: [String: String]
            let values: [Number?]
            let timestamps: [Int64]
        }
        let value = cluster.value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
        let filter = "{__name__=~\"\(Self.names)\",\(cluster.label.rawValue)=\"\(value)\"\(cluster.label.others)}"
        let body = try await ask("/api/v1/export", filter, month...month)
        var all: [(name: String, labels: [Label], line: Line)] = []
        for text in body.readableBytesView.split(separator: UInt8(ascii: "\n")) {
            guard let line = try? JSONDecoder().decode(Line.self, from: Self.json(text)),
                line.values.count == line.timestamps.count
            else { throw FiguresUnavailable("VictoriaMetrics exported what is no series") }
            let labels = line.metric.filter { $0.key != "__name__" && $0.key != cluster.label.rawValue }
            let sorted = labels.map { Label(name: $0.key, value: $0.value) }.sorted()
            all.append((line.metric["__name__"] ?? "", sorted, line))
        }
        // Sorted once, so that the samples of each time are.
        all.sort { $0.name == $1.name ? $0.labels.lexicographicallyPrecedes($1.labels) : $0.name < $1.name }
        var byTime: [Int64: [Sample]] = [:]
        for series in all {
            for (time, value) in zip(series.line.timestamps, series.line.values) {
                let sample = Sample(name: series.name, labels: series.labels, value: value?.number ?? .nan)
                // What was written twice at a time is one, the last.
                if let last = byTime[time]?.last, last.name == sample.name, last.labels == sample.labels {
                    byTime[time]?.removeLast()
                }
                byTime[time, default: []].append(sample)
            }
        }
        return byTime.sorted { $0.key < $1.key }
            .map { (UTCInstant(secondsSinceEpoch: $0.key / 1_000), $0.value) }
    }

    /// A line as JSON: older versions write infinities as they are.
    private static func json(_ line: ByteBufferView) -> Data {
        let text = String(decoding: line, as: UTF8.self)
        guard text.contains("Inf"), let begin = text.ranges(of: "\"values\":[").last?.upperBound else {
            return Data(line)
        }
        let values = text[begin...].replacing(/[+-]Inf/, with: "null")
        return Data((text[..<begin] + values).utf8)
    }

    private func ask(
        _ path: String,
        _ filter: String,
        _ months: ClosedRange<CalendarMonth>
    ) async throws(FiguresUnavailable) -> ByteBuffer {
        let start = UTCInstant(startOf: months.lowerBound.firstDay).secondsSinceEpoch
        let end = UTCInstant(startOf: (months.upperBound + 1).firstDay).secondsSinceEpoch
        let escaped = filter.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? filter
        let query = "match%5B%5D=\(escaped)&start=\(start)&end=\(end - 1).999&deny_partial_response=1"
        let request = url.request(.GET, "\(url.text)\(path)?\(query)")
        return try await http.wholeAnswer(to: request, within: .seconds(300), upTo: Self.largestAnswer)
    }
}

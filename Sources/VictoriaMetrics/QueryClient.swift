// SPDX-License-Identifier: Apache-2.0

public import AsyncHTTPClient
import Foundation
public import NIOCore
import NIOHTTP1
import TelemetryModel

/// Asks VictoriaMetrics below a base URL: of a single node, or of a cluster's vmselect (`/select/0/prometheus`).
///
/// An answer that is not whole is an error, also one that a node of the storage has no part in.
public struct QueryClient: Sendable {
    /// The values of one series, one for each span that it has any in.
    struct Series {
        let labels: [String: String]
        /// By number of the span.
        let values: [Int: Double]
    }

    private let http: HTTPClient
    private let url: DatabaseURL
    private let limit: TimeAmount

    /// The largest answer that is read; a breakdown by something that every cluster has of its own is megabytes.
    private static let largestAnswer = 256 << 20

    /// A client for a base URL.
    ///
    /// - Parameters:
    ///   - url: What `/api/v1/query` is put behind.
    ///   - http: Sends the requests; the caller shuts it down.
    ///   - limit: The time for one query.
    public init(url: String, http: HTTPClient, limit: TimeAmount = .seconds(60)) {
        self.url = DatabaseURL(url)
        self.http = http
        self.limit = limit
    }

    /// Evaluates an expression at the end of each span.
    ///
    /// - Throws: `FiguresUnavailable`.
    func evaluate(_ expression: String, _ span: QuerySpan) async throws(FiguresUnavailable) -> [Series] {
        // Neither a cache nor the offset for samples under way may move the window.
        var form = [("query", expression), ("nocache", "1"), ("deny_partial_response", "1")]
        let first = span.end.secondsSinceEpoch * 1_000 - 1
        if span.count == 1 {
            form.append(("time", Self.seconds(first)))
        } else {
            let last = first + Int64(span.count - 1) * span.length * 1_000
            form += [("start", Self.seconds(first)), ("end", Self.seconds(last)), ("step", "\(span.length)")]
        }
        form.append(("timeout", "\(limit.nanoseconds / 1_000_000_000)s"))
        let results = try await ask(span.count == 1 ? "/api/v1/query" : "/api/v1/query_range", form)
        return results.map { result in
            var values: [Int: Double] = [:]
            if let value = result.value { values[0] = value.number }
            for value in result.values ?? [] {
                let milliseconds = Int64((value.time * 1_000).rounded())
                values[Int((milliseconds - first) / (span.length * 1_000))] = value.number
            }
            return Series(labels: result.metric, values: values)
        }
    }

    private func ask(_ path: String, _ form: [(String, String)]) async throws(FiguresUnavailable) -> [Answer.Result] {
        var request = url.request(.POST, url.text + path)
        request.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
        request.body = .bytes(ByteBuffer(string: form.map { "\($0)=\(Self.escaped($1))" }.joined(separator: "&")))
        let body = try await http.wholeAnswer(to: request, within: limit, upTo: Self.largestAnswer)
        return try DatabaseAnswer<Answer>.content(of: body).result
    }

    private static func seconds(_ milliseconds: Int64) -> String {
        let fraction = String(milliseconds % 1_000)
        return "\(milliseconds / 1_000)." + String(repeating: "0", count: 3 - fraction.count) + fraction
    }

    private static func escaped(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? text
    }
}

/// The answer to a query.
private struct Answer: Decodable {
    struct Result: Decodable {
        let metric: [String: String]
        let value: Value?
        let values: [Value]?
    }

    /// `[1740787199.999,"12"]`.
    struct Value: Decodable {
        let time: Double
        let number: Double

        init(from decoder: any Decoder) throws {
            var values = try decoder.unkeyedContainer()
            time = try values.decode(Double.self)
            let text = try values.decode(String.self)
            guard let number = Double(text), number.isFinite else {
                throw DecodingError.dataCorruptedError(in: values, debugDescription: "no finite number")
            }
            self.number = number
        }
    }

    let result: [Result]
}

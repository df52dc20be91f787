// SPDX-License-Identifier: Apache-2.0

public import AsyncHTTPClient
public import NIOCore
import NIOHTTP1
import Gzip

/// What is to become of a batch after an attempt to import it.
public enum ImportOutcome: Equatable, Sendable {
    /// VictoriaMetrics has it.
    case imported
    /// It did not get there, or is refused for now (429, 5xx, the network): try again.
    case retry(reason: String)
    /// It is refused for good, with that status.
    case refused(status: Int)

    /// What an answer's status means.
    public init(status: Int) {
        switch status {
        case 200..<300: self = .imported
        // What is wrong with the samples; any other status is about the way to them, and that can be mended.
        case 400, 413, 422: self = .refused(status: status)
        default: self = .retry(reason: "the answer was \(status)")
        }
    }
}

/// Sends batches to an import URL of VictoriaMetrics: a single node's `/api/v1/import/prometheus`, or the same path of a
/// cluster's vminsert below `/insert/0/prometheus`.
public struct ImportClient: Sendable {
    private let http: HTTPClient
    private let url: String
    private let limit: TimeAmount

    /// A client for an import URL.
    ///
    /// - Parameters:
    ///   - url: The whole URL.
    ///   - http: Sends the requests; the caller shuts it down.
    ///   - limit: The time for one attempt.
    public init(url: String, http: HTTPClient, limit: TimeAmount = .seconds(30)) {
        self.url = url
        self.http = http
        self.limit = limit
    }

    /// Sends a batch once; what went wrong is the outcome, without addresses.
    public func send(_ batch: ImportBatch) async -> ImportOutcome {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers = ["Content-Type": "text/plain"]
        if !batch.body.isEmpty, let packed = GzipEncoder.encode(batch.body) {
            request.headers.add(name: "Content-Encoding", value: "gzip")
            request.body = .bytes(packed)
        } else {
            request.body = .bytes(batch.body)
        }
        do {
            let response = try await http.execute(request, timeout: limit)
            _ = try await response.body.collect(upTo: 1 << 20)
            return ImportOutcome(status: Int(response.status.code))
        } catch let error as HTTPClientError {
            return .retry(reason: error.shortDescription)
        } catch {
            return .retry(reason: "the connection failed (\(type(of: error)))")
        }
    }
}

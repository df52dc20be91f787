// SPDX-License-Identifier: Apache-2.0

public import AsyncHTTPClient
public import NIOCore
import Gzip
import NIOHTTP1
public import TelemetryModel

/// What is to become of a batch after an attempt to import it, or of an erasure.
public enum ImportOutcome: Equatable, Sendable {
    /// VictoriaMetrics has it.
    case imported
    /// It did not get there, or is refused for now (429, 5xx, the network): try again.
    ///
    /// Whether somebody answered: then what was sent before is still there.
    case retry(reason: String, isAnswer: Bool)
    /// It is refused for good, with that status.
    case refused(status: Int)

    /// What an answer's status means.
    public init(status: Int) {
        switch status {
        case 200..<300: self = .imported
        // What is wrong with the samples; any other status is about the way to them, and that can be mended.
        case 400, 413, 422: self = .refused(status: status)
        default: self = .retry(reason: "the answer was \(status)", isAnswer: true)
        }
    }
}

/// Sends batches to an import URL of VictoriaMetrics: a single node's `/api/v1/import/prometheus`, or the same path of a
/// cluster's vminsert below `/insert/0/prometheus`.
public struct ImportClient: Sendable {
    private let http: HTTPClient
    private let url: DatabaseURL
    /// Where series are deleted; nil where that is not known.
    private let deletion: DatabaseURL?
    private let limit: TimeAmount

    /// A client for an import URL.
    ///
    /// - Parameters:
    ///   - url: The whole URL.
    ///   - deletionURL: Where series are deleted; of a single node it is known from its import URL.
    ///   - http: Sends the requests; the caller shuts it down.
    ///   - limit: The time for one attempt.
    public init(url: String, deletionURL: String? = nil, http: HTTPClient, limit: TimeAmount = .seconds(30)) {
        self.url = DatabaseURL(url)
        deletion = (deletionURL ?? Self.deletionURL(of: url)).map(DatabaseURL.init)
        self.http = http
        self.limit = limit
    }

    /// Whether series can be deleted.
    public var canDelete: Bool { deletion != nil }

    /// Where a single node deletes series; nil for the URL of anything else.
    private static func deletionURL(of url: String) -> String? {
        let path = "/api/v1/import/prometheus"
        guard url.hasSuffix(path), !url.contains("/insert/") else { return nil }
        return url.dropLast(path.count) + "/api/v1/admin/tsdb/delete_series"
    }

    /// Deletes every series of a cluster once; what went wrong is the outcome.
    ///
    /// VictoriaMetrics finds series some seconds after their import only.
    public func delete(_ cluster: Pseudonym) async -> ImportOutcome {
        guard let deletion else {
            return .retry(reason: "it is not known where series are deleted, see --forward-delete-url", isAnswer: false)
        }
        // A pseudonym is hexadecimal.
        let query = (deletion.text.contains("?") ? "&" : "?") + "match%5B%5D=%7Bcluster%3D%22\(cluster)%22%7D"
        return await outcome(of: deletion.request(.POST, deletion.text + query))
    }

    /// Whether there is a sample of a cluster since a time; nil where that cannot be known now.
    public func hasSamples(of cluster: Pseudonym, since instant: UTCInstant) async -> Bool? {
        guard let deletion else { return nil }
        // Beside the place where series are deleted; of a cluster's vmselect below another path.
        let path = deletion.text.prefix { $0 != "?" }.replacing("/delete/", with: "/select/")
            .replacing("/api/v1/admin/tsdb/delete_series", with: "/api/v1/export")
        let query = "?match%5B%5D=%7Bcluster%3D%22\(cluster)%22%7D&start=\(instant.secondsSinceEpoch)"
        let request = deletion.request(.GET, path + query)
        // Whatever goes wrong, it is not known.
        guard let body = try? await http.wholeAnswer(to: request, within: limit, upTo: 64 << 20) else { return nil }
        return body.readableBytes > 0
    }

    /// When the process that takes the batches was started, in its own words; nil where it does not say.
    public func start() async -> String? {
        let request = url.request(.GET, url.root("/metrics"))
        // Whatever goes wrong, it is not known.
        guard let answer = try? await http.answer(to: request, within: limit, upTo: 4 << 20) else { return nil }
        let lines = String(buffer: answer.body).split(separator: "\n")
        return lines.first { $0.hasPrefix("process_start_time_seconds ") }.map(String.init)
    }

    /// Sends a batch once; what went wrong is the outcome, without addresses.
    public func send(_ batch: ImportBatch) async -> ImportOutcome {
        var request = url.request(.POST, url.text)
        request.headers.add(name: "Content-Type", value: "text/plain")
        if !batch.body.isEmpty, let packed = GzipEncoder.encode(batch.body, isFast: true) {
            request.headers.add(name: "Content-Encoding", value: "gzip")
            request.body = .bytes(packed)
        } else {
            request.body = .bytes(batch.body)
        }
        return await outcome(of: request)
    }

    private func outcome(of request: HTTPClientRequest) async -> ImportOutcome {
        do throws(Unanswered) {
            return ImportOutcome(status: try await http.answer(to: request, within: limit, upTo: 1 << 20).status)
        } catch {
            return .retry(reason: error.reason, isAnswer: false)
        }
    }
}

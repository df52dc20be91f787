// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Kubernetes
import NIOCore
import NIOHTTP1
public import TelemetryModel

/// A report on its way: exactly what is sent.
public struct TelemetryRequest: Sendable {
    /// The URL that it is sent to, by POST.
    public let endpoint: String
    /// The headers that it is sent with.
    public let headers: [(name: String, value: String)]
    /// The body.
    public let body: [UInt8]

    /// The request that carries a report of a cluster.
    public init(_ report: Report, of cluster: ClusterID, to endpoint: String) {
        self.endpoint = endpoint
        headers = [("Content-Type", "text/plain"), ("X-Cluster-ID", cluster.text)]
        body = report.text
    }
}

/// Sends requests to the endpoint; exactly the status 200 is a success.
struct Delivery: Sendable {
    let http: HTTPClient
    /// For a whole delivery, connection included.
    let limit: Duration

    /// Sends one request.
    ///
    /// - Throws: `AgentError`, or `CancellationError` where the task was cancelled.
    func deliver(_ request: TelemetryRequest) async throws {
        var message = HTTPClientRequest(url: request.endpoint)
        message.method = .POST
        message.headers = HTTPHeaders(request.headers.map { ($0.name, $0.value) })
        message.body = .bytes(request.body)
        let response = try await answer(to: message)
        // The body is ignored, and read only to keep the connection.
        _ = try? await withDeadline(.seconds(1)) { _ = try await response.body.collect(upTo: 1 << 16) }
        guard response.status == .ok else { throw AgentError.refused(status: Int(response.status.code)) }
    }

    /// The head of what a request is answered with.
    private func answer(to message: HTTPClientRequest) async throws -> HTTPClientResponse {
        do {
            let response = try await withDeadline(limit) { try await http.execute(message, deadline: .distantFuture) }
            guard let response else { throw AgentError.undeliverable(reason: "no answer in time") }
            return response
        } catch let error as AgentError {
            throw error
        } catch let error as HTTPClientError where error == .cancelled {
            throw CancellationError()
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            throw AgentError.undeliverable(reason: Self.reason(of: error))
        }
    }

    /// A failure of the connection in words, without addresses.
    private static func reason(of error: any Error) -> String {
        switch error {
        case let error as HTTPClientError where error == .connectTimeout: "no connection in time"
        case let error as HTTPClientError: error.shortDescription
        case is IOError: "no connection"
        default: "the connection failed (\(type(of: error)))"
        }
    }
}

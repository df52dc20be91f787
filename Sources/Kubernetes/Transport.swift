// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import FoundationEssentials
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// Requests to one API server: credentials, deadlines, limits, and errors with a type.
struct Transport: Sendable {
    let http: HTTPClient
    let configuration: KubernetesConfiguration
    let limits: KubernetesClient.Limits
    /// Waits before a page is asked for again.
    var pause: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    private let tokens: TokenSource
    /// The URL that paths are appended to; it has the TLS server name for a host where one is set.
    private let base: String

    init(configuration: KubernetesConfiguration, limits: KubernetesClient.Limits, http: HTTPClient) {
        self.configuration = configuration
        self.limits = limits
        self.http = http
        tokens = TokenSource(configuration.token)
        base = configuration.requestBase
    }

    /// What a request asks for.
    struct Call: Sendable {
        var method = HTTPMethod.GET
        var path: String
        var query: [(name: String, value: String)] = []
        var accept = "application/json"
        var body: (contentType: String, bytes: [UInt8])?
        /// Whether the answer may be compressed; a stream of small events is not.
        var acceptsCompression = true

        /// Path and query.
        var target: String {
            let pairs = query.map { "\($0.name)=\(percentEncoded($0.value))" }
            return pairs.isEmpty ? path : "\(path)?\(pairs.joined(separator: "&"))"
        }
    }

    /// The whole body of a successful answer.
    ///
    /// - Throws: `KubernetesError`, or `CancellationError` where the task was cancelled.
    func body(of call: Call) async throws -> ByteBuffer {
        let body = try await withDeadline(limits.call) {
            let response = try await open(call)
            return try await mappingErrors(of: call) {
                try await response.body.collect(upTo: limits.responseBytes)
            }
        }
        guard let body else { throw KubernetesError.deadlineExceeded(path: call.path) }
        return body
    }

    /// The body of a successful answer, read as JSON.
    func decode<Value: Decodable>(_ type: Value.Type, from call: Call) async throws -> Value {
        let body = try await body(of: call)
        return try Self.decode(type, from: body.readableBytesView, path: call.path)
    }

    /// The head of a successful answer, with the body still to be read.
    func open(_ call: Call) async throws -> HTTPClientResponse {
        let request = try request(for: call)
        let limit = TimeAmount.nanoseconds(limits.call.nanoseconds)
        return try await mappingErrors(of: call) {
            let response = try await http.execute(request, timeout: limit)
            guard (200..<300).contains(response.status.code) else {
                let body = try? await withDeadline(limits.call) {
                    try await response.body.collect(upTo: Self.largestErrorBody)
                }
                throw Failure(response.status, response.headers, body ?? nil, path: call.path).error
            }
            return response
        }
    }

    /// Reads JSON; errors say the place in it and never what stands there.
    static func decode<Value: Decodable>(
        _ type: Value.Type,
        from bytes: some Collection<UInt8>,
        path: String
    ) throws -> Value {
        do {
            return try decoder.decode(type, from: Data(bytes))
        } catch {
            throw KubernetesError.invalidResponse(path: path, reason: "not the JSON that this call answers with")
        }
    }

    private func request(for call: Call) throws -> HTTPClientRequest {
        var request = HTTPClientRequest(url: base + call.target)
        request.method = call.method
        request.headers.add(name: "Accept", value: call.accept)
        request.headers.add(name: "User-Agent", value: "cozy-telemetry")
        if call.acceptsCompression { request.headers.add(name: "Accept-Encoding", value: "gzip") }
        if let token = try tokens.current() {
            request.headers.add(name: "Authorization", value: "Bearer \(token)")
        }
        if let body = call.body {
            request.headers.add(name: "Content-Type", value: body.contentType)
            request.body = .bytes(body.bytes)
        }
        return request
    }

    /// Runs a part of a call and gives whatever goes wrong a type.
    func mappingErrors<Result>(of call: Call, _ operation: () async throws -> Result) async throws -> Result {
        do {
            return try await operation()
        } catch {
            throw mapped(error, path: call.path)
        }
    }

    /// The typed error of a failure of the connection or of the answer.
    func mapped(_ error: any Error, path: String) -> any Error {
        switch error {
        case is KubernetesError, is ExpiredList, is CancellationError:
            return error
        case is NIOTooManyBytesError:
            let reason = "it is larger than \(limits.responseBytes) bytes"
            return KubernetesError.invalidResponse(path: path, reason: reason)
        case let error as HTTPClientError where error == .cancelled:
            return CancellationError()
        case let error as HTTPClientError where error == .deadlineExceeded || error == .readTimeout:
            return KubernetesError.deadlineExceeded(path: path)
        default:
            return KubernetesError.unreachable(server: configuration.server, reason: Self.reason(of: error))
        }
    }

    /// A failure of the connection in words.
    private static func reason(of error: any Error) -> String {
        switch error {
        case let error as HTTPClientError where error == .connectTimeout: "no connection in time"
        case let error as HTTPClientError where error == .remoteConnectionClosed: "the connection was closed"
        case let error as NIOSSLError: "TLS: \(error)"
        case let error as IOError: String(cString: strerror(error.errnoCode))
        case let error as HTTPClientError: error.shortDescription
        case is NIOConnectionError: "connection refused, or there is no such host"
        // What other errors say may hold what was sent.
        default: "\(type(of: error))"
        }
    }

    /// A list needs it for every item.
    private static let decoder = JSONDecoder()

    /// No `Status` of the server needs more.
    private static let largestErrorBody = 1 << 20
}

extension Duration {
    /// The duration in nanoseconds, at most 2⁶³ − 1.
    var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? .max : product + attoseconds / 1_000_000_000
    }
}

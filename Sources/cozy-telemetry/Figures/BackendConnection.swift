// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import TelemetryModel

/// Where a backend is, and as whom it is asked.
struct BackendAddress: Sendable {
    /// The URL without a slash at its end.
    let base: String
    /// What names it on the command line, for those who have to mend it.
    let setting: String
    /// The secret of a role; nil for what everybody may read.
    let token: String?
    /// How it is reached.
    private let configuration: HTTPClient.Configuration

    /// A backend at a URL.
    init(
        _ url: String,
        setting: String,
        token: String? = nil,
        configuration: HTTPClient.Configuration = .init()
    ) {
        base = url.hasSuffix("/") ? String(url.dropLast()) : url
        self.setting = setting
        self.token = token
        self.configuration = configuration
    }

    /// Asks it something, or several things over one connection.
    ///
    /// - Throws: What the body throws.
    func withConnection<Value>(_ body: (BackendConnection) async throws -> Value) async throws -> Value {
        var configuration = configuration
        // A refused connection is an answer, not a reason to try for half a minute.
        configuration.connectionPool.retryConnectionEstablishment = false
        return try await HTTPClient.withHTTPClient(configuration: configuration) { http in
            try await body(BackendConnection(address: self, http: http))
        }
    }
}

/// A backend that can be asked.
struct BackendConnection: Sendable {
    let address: BackendAddress
    let http: HTTPClient

    /// The public figures of a month, its quarter and its year; of a private listener, with every name in them.
    func overview(endingWith month: CalendarMonth) async throws -> Overview {
        try await figures(address.token == nil ? "/api/overview" : "/v1/overview", endingWith: month)
    }

    /// Asks for figures that end with a month.
    ///
    /// - Parameters:
    ///   - path: The path.
    ///   - query: What is asked beside the month; values without letters that a URL would have to escape.
    ///   - month: The month.
    /// - Returns: The document.
    /// - Throws: `BackendFailure`.
    func figures<Answer: Decodable>(
        _ path: String,
        _ query: [String] = [],
        endingWith month: CalendarMonth
    ) async throws -> Answer {
        let query = (query + ["year=\(month.year)", "month=\(month.month)"]).joined(separator: "&")
        return try await answer(to: HTTPClientRequest(url: "\(address.base)\(path)?\(query)"), path)
    }

    /// The document that a good answer has.
    ///
    /// - Throws: `BackendFailure`, with the backend's own words where it refuses.
    func answer<Answer: Decodable>(to request: HTTPClientRequest, _ path: String) async throws -> Answer {
        var request = request
        if let token = address.token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        let (head, body): (HTTPClientResponse, ByteBuffer)
        do {
            head = try await http.execute(request, timeout: .seconds(30))
            body = try await head.body.collect(upTo: 16 * 1024 * 1024)
        } catch {
            // Whoever was told to stop has not met a backend that is silent.
            try Task.checkCancellation()
            throw BackendFailure.silent(address, reason: BackendFailure.reason(of: error))
        }
        let bytes = Data(body.readableBytesView)
        guard head.status == .ok else { throw BackendFailure(address, path, head, said: bytes) }
        guard let answer = try? JSONDecoder().decode(Answer.self, from: bytes) else {
            throw BackendFailure.foreign(address, path: path, status: 200)
        }
        return answer
    }
}

// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import ReportStore
import TelemetryModel

/// Why a request is not served.
///
/// This is the one place where errors become statuses.
struct Refusal: Error, Equatable {
    var status: HTTPResponse.Status
    /// What is wrong and what would be right, for the one who asked.
    var message: String
    var headers: HTTPFields = [:]

    /// The refusal that an error stands for; nil for one that nobody foresaw.
    init?(_ error: any Error) {
        switch error {
        case let refusal as Refusal: self = refusal
        case let error as ReportError: self = .badRequest(error.description)
        case let error as SignatureError: self = .unproven(error)
        case let error as StoreError: self = .unavailable(error)
        case is FiguresUnavailable: self = .busy("the figures cannot be read now")
        case is AccessError: self = .busy("access cannot be decided or written down now")
        case is NIOTooManyBytesError: self.init(status: .contentTooLarge, message: "the body is too large")
        default: return nil
        }
    }

    init(status: HTTPResponse.Status, message: String, headers: HTTPFields = [:]) {
        self.status = status
        self.message = message
        self.headers = headers
    }

    /// The refusal that an error is answered with; one that nobody foresaw is reported and becomes 500.
    init(_ error: any Error, reportingTo logger: Logger) {
        if let refusal = Refusal(error) {
            self = refusal
        } else {
            logger.error("a request failed", metadata: ["error.type": "\(type(of: error))"])
            self.init(status: .internalServerError, message: "something went wrong here")
        }
    }

    /// Whether the same request may be taken later.
    var isForLater: Bool { status == .tooManyRequests || status.kind == .serverError }

    static func badRequest(_ message: String) -> Self { Self(status: .badRequest, message: message) }

    /// This backend takes reports and sends them on, and knows no figures.
    static var noFigures: Self {
        Self(status: .notFound, message: "this backend has no figures; ask one without --mode forward-only")
    }

    /// What is told of breakdowns is made once a day, and is not made yet.
    static var noEdition: Self { .busy("the breakdowns of the day are not made yet") }

    /// The insights are being computed, and there are none yet.
    static func noInsights(after seconds: Int) -> Self {
        Self(
            status: .serviceUnavailable,
            message: "the insights are being computed; try again later",
            headers: [.retryAfter: "\(seconds)"]
        )
    }

    /// It is not shown who sends.
    static func unproven(_ error: SignatureError) -> Self {
        Self(status: .unauthorized, message: error.description, headers: [.wwwAuthenticate: "Signature"])
    }

    /// The body ends before its end, or is cut wrongly.
    static var brokenBody: Self { badRequest("the body broke off or is not well-formed HTTP") }

    /// Too many reports came, of one cluster or from one network.
    static func tooMany(_ limit: RateLimiter.Limit, after wait: TimeAmount) -> Self {
        let reason =
            switch limit {
            case .cluster: "this cluster sends too often"
            case .network: "too many requests come from this network"
            case .newCluster: "too many new clusters come from this network"
            }
        return tooMany("\(reason); try again later", after: wait)
    }

    /// Too many listen to what happens.
    static var tooManyListeners: Self { tooMany("too many listen already; try again later", after: .seconds(30)) }

    /// Too many requests come without a token that lets in.
    static func tooManyStrangers(after wait: TimeAmount) -> Self {
        tooMany("too many requests are refused; try again later", after: wait)
    }

    private static func tooMany(_ message: String, after wait: TimeAmount) -> Self {
        let seconds = (wait.nanoseconds + 999_999_999) / 1_000_000_000
        return Self(status: .tooManyRequests, message: message, headers: [.retryAfter: "\(max(1, seconds))"])
    }

    /// A head did not come in its time.
    static var slowHead: Self { Self(status: .requestTimeout, message: "the head of the request took too long") }

    /// A body did not come in its time.
    static var slowBody: Self { Self(status: .requestTimeout, message: "the body of the request took too long") }

    /// The request line and the header fields are over a limit.
    static var headTooLarge: Self {
        Self(status: .requestHeaderFieldsTooLarge, message: "the head of the request is too large")
    }

    /// The path has no such method.
    static func method(taken list: String) -> Self {
        Self(status: .methodNotAllowed, message: "this path takes \(list)", headers: [.allow: list])
    }

    /// The body as it travels is over a limit in bytes.
    static func bodyTooLarge(limit: Int) -> Self {
        Self(status: .contentTooLarge, message: "the body is over \(limit) bytes")
    }

    /// Bodies under way take all the memory that they may.
    static var tooManyBodies: Self { busy("too many reports are being read; try again later") }

    /// The store cannot answer now.
    ///
    /// Its reasons name files and are for the operator, not for who asked.
    private static func unavailable(_ error: StoreError) -> Self {
        if case .busy = error { return busy("too many reports at once; try again later") }
        return busy("the store is not available")
    }

    /// It cannot be served now, and may be in a while.
    static func busy(_ message: String) -> Self {
        Self(status: .serviceUnavailable, message: message, headers: [.retryAfter: "30"])
    }

    /// The body, `{"error": "…"}`.
    var body: ByteBuffer {
        // Two texts are always JSON; were they not, the status would still be right.
        (try? ByteBuffer(json: ["error": message])) ?? ByteBuffer()
    }

    /// The response, `{"error": "…"}`.
    var response: Response {
        var response = Response.json(body, status: status)
        for field in headers { response.headers[field.name] = field.value }
        return response
    }
}

extension Response {
    /// A JSON document with sorted keys.
    static func json(_ value: some Encodable, status: HTTPResponse.Status = .ok) throws -> Response {
        json(try ByteBuffer(json: value), status: status)
    }

    /// Bytes that are a JSON document.
    static func json(_ document: ByteBuffer, status: HTTPResponse.Status) -> Response {
        Response(
            status: status,
            headers: [.contentType: "application/json; charset=utf-8"],
            body: ResponseBody(byteBuffer: document)
        )
    }

    /// A plain text.
    static func text(_ text: String, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status,
            headers: [.contentType: "text/plain; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text))
        )
    }
}

extension ByteBuffer {
    /// A JSON document with sorted keys, on one line.
    init(json value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        self.init(bytes: try encoder.encode(value))
    }
}

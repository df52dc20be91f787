// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPTypes
import Hummingbird
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
        case let error as StoreError: self = .unavailable(error)
        case is NIOTooManyBytesError: self.init(status: .contentTooLarge, message: "the body is too large")
        default: return nil
        }
    }

    init(status: HTTPResponse.Status, message: String, headers: HTTPFields = [:]) {
        self.status = status
        self.message = message
        self.headers = headers
    }

    static func badRequest(_ message: String) -> Self { Self(status: .badRequest, message: message) }

    /// The store cannot answer now.
    ///
    /// Its reasons name files and are for the operator, not for who asked.
    private static func unavailable(_ error: StoreError) -> Self {
        let message =
            if case .busy = error { "too many reports at once; try again later" } else { "the store is not available" }
        return Self(status: .serviceUnavailable, message: message, headers: [.retryAfter: "30"])
    }

    /// The response, `{"error": "…"}`.
    var response: Response {
        // Two texts are always JSON; were they not, the status would still be right.
        var response = (try? Response.json(["error": message], status: status)) ?? Response(status: status)
        for field in headers { response.headers[field.name] = field.value }
        return response
    }
}

extension Response {
    /// A JSON document with sorted keys.
    static func json(_ value: some Encodable, status: HTTPResponse.Status = .ok) throws -> Response {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let bytes = try encoder.encode(value)
        return Response(
            status: status,
            headers: [.contentType: "application/json; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
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

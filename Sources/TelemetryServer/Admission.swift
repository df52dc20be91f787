// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import NIOHTTP1
import TelemetryModel

/// What the head of a `POST /` says, once it is found in order.
struct Admission: Equatable {
    /// How the body is packed.
    enum Encoding: Equatable {
        case plain
        case gzip
    }

    let sender: Sender
    let encoding: Encoding
    /// The hash of the network that it came from.
    var network: UInt64 = 0

    /// Decides on the head of a request to `/`.
    ///
    /// - Parameters:
    ///   - method: The method; `POST` is taken.
    ///   - fields: The header fields of the request.
    ///   - limits: What is taken.
    /// - Throws: A refusal with 400, 401, 405, 413 or 415.
    init(
        _ method: HTTPMethod,
        _ fields: RequestFields,
        limits: IngestConnectionState.Limits
    ) throws(Refusal) {
        guard method == .POST else { throw .method(taken: "GET, HEAD, POST") }
        sender = try Sender(fields, mustSign: limits.requiresSignatures)
        guard Self.isText(fields.contentType) else {
            throw Refusal(status: .unsupportedMediaType, message: "the body must be text/plain")
        }
        encoding = try Self.encoding(fields.contentEncoding)
        if let length = fields.contentLength, length > limits.body { throw .bodyTooLarge(limit: limits.body) }
    }

    /// No content type is taken as text.
    private static func isText(_ type: RequestFields.Field) -> Bool {
        if type.count == 0 || type == RequestFields.Field(count: 1, value: "text/plain") { return true }
        let essence = type.value.prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" }
        return type.count == 1 && essence.lowercased() == "text/plain"
    }

    private static func encoding(_ field: RequestFields.Field) throws(Refusal) -> Encoding {
        if field.count == 0 { return .plain }
        switch field.value.lowercased() {
        case "" where field.count == 1, "identity" where field.count == 1: return .plain
        case "gzip" where field.count == 1, "x-gzip" where field.count == 1: return .gzip
        default:
            throw Refusal(
                status: .unsupportedMediaType,
                message: "the body may be packed with gzip or not at all",
                headers: [.acceptEncoding: "gzip"]
            )
        }
    }
}

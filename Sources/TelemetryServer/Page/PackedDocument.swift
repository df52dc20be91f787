// SPDX-License-Identifier: Apache-2.0

import Gzip
import HTTPTypes
import Hummingbird
import NIOCore
import TelemetryModel

/// A document as it is sent, packed and not.
struct PackedDocument: Sendable {
    private let plain: ByteBuffer
    /// The same packed with gzip, where that is smaller.
    private let packed: ByteBuffer?
    private let tag: String
    private let type: String

    init(_ bytes: [UInt8], type: String) {
        plain = ByteBuffer(bytes: bytes)
        packed = GzipEncoder.encode(bytes).flatMap { $0.count < bytes.count ? ByteBuffer(bytes: $0) : nil }
        tag = "\"\(hexadecimal(sha256(bytes).prefix(12)))\""
        self.type = type
    }

    /// Answers a request for the document: packed where that is understood, and not again where it is known.
    func response(to request: Request, headers: HTTPFields) -> Response {
        var headers = headers
        headers[.eTag] = tag
        headers[.vary] = "Accept-Encoding"
        let known = request.headers[.ifNoneMatch].map { $0 == "*" || $0.contains(tag) } ?? false
        guard !known else { return Response(status: .notModified, headers: headers) }
        headers[.contentType] = type
        guard let packed, request.takesGzip else {
            return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: plain))
        }
        headers[.contentEncoding] = "gzip"
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: packed))
    }
}

extension Request {
    /// Whether the answer may be packed with gzip (RFC 9110, 12.5.3).
    fileprivate var takesGzip: Bool {
        let codings = headers[values: .acceptEncoding].flatMap { $0.split(separator: ",") }
        return codings.contains { coding in
            let parts = coding.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" }.lowercased() }
            guard ["gzip", "x-gzip", "*"].contains(parts.first) else { return false }
            return parts.dropFirst().allSatisfy { !$0.hasPrefix("q=") || (Double($0.dropFirst(2)) ?? 0) > 0 }
        }
    }
}

/// Header fields of pages.
enum PageHeaders {
    static let html = "text/html; charset=utf-8"

    /// A page loads what we ship and nothing else, sends nothing anywhere, and is in no frame.
    static let page: HTTPFields = [
        .contentSecurityPolicy:
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; "
            + "base-uri 'none'; frame-ancestors 'none'"
    ]

    /// A page whose scripts ask the backend, and whoever signs in.
    static func signedIn(by issuer: String?) -> HTTPFields {
        let policy = page[.contentSecurityPolicy] ?? ""
        return [.contentSecurityPolicy: policy + "; connect-src 'self'" + (issuer.map { " " + $0 } ?? "")]
    }

    /// A file whose path is another one when it is: kept for a year.
    static let file: HTTPFields = [.cacheControl: "public, max-age=31536000, immutable"]
}

extension HTTPFields {
    /// Both, where the later one is said instead of the earlier one.
    static func + (left: Self, right: Self) -> Self {
        var fields = left
        for field in right { fields[field.name] = field.value }
        return fields
    }
}

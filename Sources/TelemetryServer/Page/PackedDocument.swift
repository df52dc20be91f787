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
        tag = hexadecimal(sha256(bytes).prefix(12))
        self.type = type
    }

    /// Answers a request for the document: packed where that is understood, and not again where it is known.
    func response(to request: Request, headers: HTTPFields) -> Response {
        var headers = headers
        let packed = request.takesGzip ? packed : nil
        // What is packed is another representation (RFC 9110, 8.8.3).
        let tag = packed == nil ? "\"\(tag)\"" : "\"\(tag)-gz\""
        headers[.eTag] = tag
        headers[.vary] = "Accept-Encoding"
        guard !request.knows(tag) else { return Response(status: .notModified, headers: headers) }
        headers[.contentType] = type
        if packed != nil { headers[.contentEncoding] = "gzip" }
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: packed ?? plain))
    }
}

extension Request {
    /// Whether the document of a tag is there already (RFC 9110, 13.1.2).
    fileprivate func knows(_ tag: String) -> Bool {
        headers[values: .ifNoneMatch].flatMap { $0.split(separator: ",") }.contains { known in
            let known = known.trimmed
            return known == "*" || known == tag || known == "W/" + tag
        }
    }

    /// Whether the answer may be packed with gzip (RFC 9110, 12.5.3); what is said of gzip counts more than what is said of all.
    fileprivate var takesGzip: Bool {
        let codings = headers[values: .acceptEncoding].flatMap { $0.split(separator: ",") }.map { coding in
            let parts = coding.split(separator: ";").map { $0.trimmed.lowercased() }
            let isTaken = parts.dropFirst().allSatisfy { !$0.hasPrefix("q=") || (Double($0.dropFirst(2)) ?? 0) > 0 }
            return (name: parts.first ?? "", isTaken: isTaken)
        }
        let named = codings.filter { ["gzip", "x-gzip"].contains($0.name) }
        return (named.isEmpty ? codings.filter { $0.name == "*" } : named).contains(where: \.isTaken)
    }
}

extension Substring {
    /// Without blanks at its ends.
    fileprivate var trimmed: String {
        var text = self
        while text.first == " " || text.first == "\t" { text.removeFirst() }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return String(text)
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

// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import NIOHTTP1

/// What the header fields of a request say that matters to a connection, read in one pass and without copies.
struct RequestFields: Equatable {
    /// A field that should stand once at the most.
    struct Field: Equatable {
        /// How often it stands.
        var count = 0
        /// The value that stood last.
        var value = ""

        /// Takes a value.
        mutating func add(_ value: String) {
            count += 1
            self.value = value
        }
    }

    var clusterID = Field()
    var contentType = Field()
    var contentEncoding = Field()
    var contentDigest = Field()
    var signatureInput = Field()
    var signature = Field()
    /// For whom proxies say that they speak, a field each.
    var forwardedFor: [String] = []
    /// The length of the body in bytes where it was announced.
    var contentLength: Int?
    /// Whether the body comes in chunks.
    var isChunked = false
    /// Whether the sender waits for 100 Continue before it sends the body.
    var expectsContinue = false
    /// Whether the sender would speak something else from now on; nothing after it is read as HTTP.
    var asksForUpgrade = false

    /// Fields of a request without any.
    init() {}

    /// Reads the fields of a request.
    init(_ headers: HTTPHeaders) {
        for (name, value) in headers { take(name, value) }
    }

    /// Reads the fields of a request that has come through to the routes.
    init(_ fields: HTTPFields) {
        for field in fields { take(field.name.canonicalName, field.value) }
    }

    /// Whether a body is announced.
    var announcesBody: Bool { isChunked || (contentLength ?? 0) > 0 }

    /// Most names are told apart by their length alone.
    private mutating func take(_ name: String, _ value: String) {
        switch name.utf8.count {
        case 6 where name.isSame(as: "expect"): expectsContinue = value.isSame(as: "100-continue")
        case 7 where name.isSame(as: "upgrade"): asksForUpgrade = true
        case 9 where name.isSame(as: "signature"): signature.add(value)
        case 12 where name.isSame(as: "x-cluster-id"): clusterID.add(value)
        case 12 where name.isSame(as: "content-type"): contentType.add(value)
        case 14 where name.isSame(as: "content-length"): contentLength = Int(value)
        case 14 where name.isSame(as: "content-digest"): contentDigest.add(value)
        case 15 where name.isSame(as: "signature-input"): signatureInput.add(value)
        case 15 where name.isSame(as: "x-forwarded-for"): forwardedFor.append(value)
        case 16 where name.isSame(as: "content-encoding"): contentEncoding.add(value)
        case 17 where name.isSame(as: "transfer-encoding"): isChunked = true
        default: break
        }
    }
}

extension String {
    /// Whether the text is another one of ASCII letters, digits and hyphens in lower case, whatever case this one is in.
    fileprivate func isSame(as other: String) -> Bool {
        guard utf8.count == other.utf8.count else { return false }
        var others = other.utf8.makeIterator()
        // A plain loop: through `zip` this took a twenty-fifth of the event loop's time.
        for byte in utf8 where byte | 0x20 != others.next() { return false }
        return true
    }
}

extension HTTPRequestHead {
    /// Whether the path of the target is `/`, be it `/`, `/?query`, `http://host` or `http://host/?query`.
    var isForRoot: Bool {
        if uri.utf8.first == UInt8(ascii: "/") { return Self.isRoot(uri[...]) }
        guard let scheme = uri.firstRange(of: "://") else { return false }
        return Self.isRoot(uri[scheme.upperBound...].drop { !Self.endsHost($0) })
    }

    /// Whether it is for whoever takes reports: `/` is read by the routes.
    var isForReports: Bool { isForRoot && method != .GET && method != .HEAD }

    /// Says of a report on HTTP/2 whose length is not told what HTTP/1 would: that its body comes in parts.
    mutating func announceBody() {
        guard isForReports, !headers.contains(name: "content-length") else { return }
        headers.add(name: "transfer-encoding", value: "chunked")
    }

    /// Whether it asks how the process is.
    var isProbe: Bool { uri == "/healthz" || uri == "/readyz" }

    private static func isRoot(_ target: Substring) -> Bool {
        let path = target.utf8.first == UInt8(ascii: "/") ? target.dropFirst() : target
        return path.isEmpty || path.utf8.first == UInt8(ascii: "?") || path.utf8.first == UInt8(ascii: "#")
    }

    private static func endsHost(_ character: Character) -> Bool {
        character == "/" || character == "?" || character == "#"
    }
}

// SPDX-License-Identifier: Apache-2.0

import Gzip
public import TelemetryModel

/// The body of a request as it travels.
public struct RequestBody: Equatable, Sendable {
    /// The bytes.
    public let bytes: [UInt8]
    /// Whether they are packed with gzip.
    public let isPacked: Bool

    /// A report's text, packed where that is wanted and makes it smaller.
    public init(_ text: [UInt8], packed: Bool = false) {
        if packed, let bytes = GzipEncoder.encode(text), bytes.count < text.count {
            self.bytes = bytes
            isPacked = true
        } else {
            bytes = text
            isPacked = false
        }
    }

    fileprivate var headers: [(name: String, value: String)] {
        [("Content-Type", "text/plain")] + (isPacked ? [("Content-Encoding", "gzip")] : [])
    }
}

/// A report on its way: exactly what is sent.
public struct TelemetryRequest: Sendable {
    /// The method, `POST` for a report.
    let method: String
    /// The URL that it is sent to.
    public let endpoint: String
    /// The headers that it is sent with.
    public let headers: [(name: String, value: String)]
    /// The body.
    public let body: [UInt8]

    /// The request that carries a body of a cluster, signed as it travels where the cluster has a key.
    ///
    /// Every attempt is made anew, with another nonce.
    ///
    /// - Throws: What the cryptographic library throws where it cannot sign.
    public init(
        _ body: RequestBody,
        from identity: AgentIdentity,
        to endpoint: String,
        at instant: UTCInstant,
        tag: MessageSignature.Tag = .report
    ) throws {
        let sender = try identity.headers(path: urlPath(endpoint), body: body.bytes, tag: tag, at: instant)
        self.init(endpoint: endpoint, headers: body.headers + sender, body: body.bytes)
    }

    init(
        _ method: String = "POST",
        endpoint: String,
        headers: [(name: String, value: String)],
        body: [UInt8]
    ) {
        self.method = method
        self.endpoint = endpoint
        self.headers = headers
        self.body = body
    }

    /// The value of a header; nil where it is missing.
    func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
}

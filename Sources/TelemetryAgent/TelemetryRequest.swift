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

    /// The request that carries a report of a cluster, without a signature.
    public init(_ report: Report, of cluster: ClusterID, to endpoint: String) {
        self.init(RequestBody(report.text), of: cluster, to: endpoint)
    }

    /// The request that carries a body of a cluster, without a signature.
    public init(_ body: RequestBody, of cluster: ClusterID, to endpoint: String) {
        self.init(endpoint: endpoint, headers: body.headers + [("X-Cluster-ID", cluster.text)], body: body.bytes)
    }

    /// The request that carries a body of the cluster with a key, signed as it travels.
    ///
    /// Every attempt is signed anew, with another nonce.
    ///
    /// - Throws: What the cryptographic library throws where it cannot sign.
    public init(
        _ body: RequestBody,
        signedBy key: ClusterKey,
        to endpoint: String,
        at instant: UTCInstant,
        nonce: [UInt8] = (0..<16).map { _ in .random(in: .min ... .max) },
        tag: MessageSignature.Tag = .report
    ) throws {
        let signed = try key.signedHeaders(
            method: "POST",
            path: urlPath(endpoint),
            body: body.bytes,
            at: instant,
            nonce: nonce,
            tag: tag
        )
        self.init(endpoint: endpoint, headers: body.headers + signed, body: body.bytes)
    }

    /// The request that carries a body of a cluster, signed now where the cluster has a key.
    ///
    /// - Throws: What the cryptographic library throws where it cannot sign.
    init(_ body: RequestBody, from identity: AgentIdentity, to endpoint: String, at instant: UTCInstant) throws {
        switch identity {
        case .key(let key): try self.init(body, signedBy: key, to: endpoint, at: instant)
        case .uid(let id, _): self.init(body, of: id, to: endpoint)
        }
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

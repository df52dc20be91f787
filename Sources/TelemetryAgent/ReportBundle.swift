// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
public import TelemetryModel

/// Reports that somebody carries to the backend, from a cluster that cannot reach it: what would have been sent, signed so
/// that it is taken for 30 days.
///
/// As a file it is JSON that can be read before it is carried. Reports that are not signed cannot be carried.
public struct ReportBundle: Sendable {
    /// The URL that the reports go to.
    public let endpoint: String
    /// The requests, in the order in which they are sent.
    public let requests: [TelemetryRequest]

    /// A bundle of a cluster's reports.
    ///
    /// - Throws: What the cryptographic library throws where it cannot sign.
    public init(
        _ bodies: [RequestBody],
        signedBy key: ClusterKey,
        to endpoint: String,
        at instant: UTCInstant
    ) throws {
        self.endpoint = endpoint
        requests = try bodies.map { body in
            try TelemetryRequest(body, from: .key(key), to: endpoint, at: instant, tag: .bundle)
        }
    }

    init(endpoint: String, requests: [TelemetryRequest]) {
        self.endpoint = endpoint
        self.requests = requests
    }

    /// The file.
    public var file: [UInt8] {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            return Array(try encoder.encode(Document(self))) + [UInt8(ascii: "\n")]
        }
    }

    /// The same reports for another URL, which must have the same path, as that is signed.
    ///
    /// - Throws: `BundleError.otherPath`.
    public func redirected(to endpoint: String) throws(BundleError) -> ReportBundle {
        let path = urlPath(self.endpoint)
        guard urlPath(endpoint) == path else { throw .otherPath(signed: path) }
        return ReportBundle(
            endpoint: endpoint,
            requests: requests.map { TelemetryRequest(endpoint: endpoint, headers: $0.headers, body: $0.body) }
        )
    }

    /// Verifies that every report is the one that was signed, and lately enough to be taken.
    ///
    /// - Throws: `BundleError.unproven`.
    public func verify(at now: UTCInstant) throws(BundleError) {
        for (index, request) in requests.enumerated() {
            do throws(SignatureError) {
                try Self.verify(request, at: now)
            } catch {
                throw .unproven(report: index + 1, error)
            }
        }
    }

    private static func verify(_ request: TelemetryRequest, at now: UTCInstant) throws(SignatureError) {
        func value(_ name: String) -> String { request.header(name) ?? "" }
        let signature = try MessageSignature(
            contentDigest: value("Content-Digest"),
            signatureInput: value("Signature-Input"),
            signature: value("Signature")
        )
        guard let cluster = ClusterID(value("X-Cluster-ID")) else { throw .malformed(field: "X-Cluster-ID") }
        let path = urlPath(request.endpoint)
        try signature.verify(method: "POST", path: path, body: request.body, cluster: cluster, at: now)
    }
}

// The form of the file.
extension ReportBundle {
    /// What the first member says.
    static let format = "cozy-telemetry bundle 1"
    /// The headers that a report is sent with, all of them and no other.
    static let headerNames = ["Content-Digest", "Content-Type", "Signature", "Signature-Input", "X-Cluster-ID"]

    private struct Document: Encodable {
        struct Request: Encodable {
            let body: String
            let headers: [String: String]
        }

        let format: String
        let requests: [Request]
        let url: String

        init(_ bundle: ReportBundle) {
            format = ReportBundle.format
            url = bundle.endpoint
            requests = bundle.requests.map { request in
                Request(
                    body: String(decoding: request.body, as: UTF8.self),
                    headers: Dictionary(request.headers.map { ($0.name, $0.value) }) { first, _ in first }
                )
            }
        }
    }
}

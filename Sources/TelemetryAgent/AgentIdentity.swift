// SPDX-License-Identifier: Apache-2.0

public import TelemetryModel

/// How the agent is asked to call its cluster.
public enum IdentityMode: String, CaseIterable, Sendable {
    /// By an id derived from a key of its own, with which it signs.
    case key
    /// By the UID of the namespace kube-system, unsigned, as the clients in the field do.
    case uid
}

/// Who a cluster is when it reports.
public enum AgentIdentity: Sendable {
    /// It has a key of its own and signs.
    case key(ClusterKey)
    /// It is called by the UID of the namespace kube-system and does not sign; why, in words, where a key was asked for.
    case uid(ClusterID, reason: String?)

    /// What the cluster calls itself.
    public var clusterID: ClusterID {
        switch self {
        case .key(let key): key.clusterID
        case .uid(let id, _): id
        }
    }

    /// The header fields that say who sends a request: `X-Cluster-ID`, and what signs it where there is a key.
    ///
    /// They are for one attempt; the next one has fields of its own.
    ///
    /// - Parameters:
    ///   - method: The method.
    ///   - path: The path of the URL without its query; `/` where it has none.
    ///   - body: The body as it travels, packed where it is.
    ///   - tag: What the request is.
    ///   - instant: When it is sent.
    /// - Returns: The fields in the order to send them.
    /// - Throws: What the cryptographic library throws where it cannot sign.
    public func headers(
        method: String = "POST",
        path: String,
        body: [UInt8],
        tag: MessageSignature.Tag = .report,
        at instant: UTCInstant = .now()
    ) throws -> [(name: String, value: String)] {
        switch self {
        case .uid(let id, _):
            return [("X-Cluster-ID", id.text)]
        case .key(let key):
            // The system's generator is a cryptographic one.
            let nonce = (0..<16).map { _ in UInt8.random(in: .min ... .max) }
            return try key.signedHeaders(method: method, path: path, body: body, at: instant, nonce: nonce, tag: tag)
        }
    }
}

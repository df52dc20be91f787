// SPDX-License-Identifier: Apache-2.0

/// A decision that is to be remembered; it holds no secret, no id of a cluster and no address.
public struct AuditEntry: Equatable, Sendable {
    /// What was decided.
    public enum Decision: String, CaseIterable, Codable, Sendable {
        case allowed, refused
    }

    /// Who asked: `token:…`, `oidc:…`, `uid:…` of a command, or `nobody` who was known.
    public var who: String
    /// What was asked, such as `cluster.erase`.
    public var operation: String
    /// What it was to be done to: a pseudonym, the number of a token, a dimension.
    public var object: String?
    /// Whether it might be done.
    public var decision: Decision
    /// Why it was refused.
    public var reason: String?

    /// A decision.
    public init(
        who: String,
        operation: String,
        object: String? = nil,
        decision: Decision = .allowed,
        reason: String? = nil
    ) {
        self.who = who
        self.operation = operation
        self.object = object
        self.decision = decision
        self.reason = reason
    }
}

/// A line of the audit log: an entry, its place, and what ties it to the line before.
///
/// A line is a JSON object that ends with `,"hash":"…"}`. The hash is the SHA-256, in hexadecimal, of everything before that
/// comma; `previous` is the hash of the line before, of the first line 64 zeros. So no line can be changed, left out or moved
/// without the lines behind it showing it.
struct AuditLine: Codable, Equatable {
    let decision: AuditEntry.Decision
    let object: String?
    let operation: String
    let previous: String
    let reason: String?
    /// From 1 on.
    let sequence: Int
    /// RFC 3339.
    let time: String
    let who: String
    let hash: String
}

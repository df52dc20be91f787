// SPDX-License-Identifier: Apache-2.0

/// What somebody may do on the private listener; each role may do what those before it may.
public enum Role: String, CaseIterable, Codable, Comparable, Sendable {
    /// Reads aggregates, without *k*.
    case viewer
    /// Also reads rows by pseudonym.
    case analyst
    /// Also erases, and looks after tokens and the audit log.
    case admin

    /// The one that may less comes first.
    public static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }

    /// The names of all roles, for messages.
    public static let names = allCases.map(\.rawValue).joined(separator: ", ")

    private var rank: Int {
        switch self {
        case .viewer: 0
        case .analyst: 1
        case .admin: 2
        }
    }
}

/// Somebody who has shown who they are.
struct Principal: Equatable, Sendable {
    /// What the audit log calls them: `token:` with its number, `oidc:` with the issuer's subject.
    let name: String
    /// The highest role that they have; nil for none.
    let role: Role?
}

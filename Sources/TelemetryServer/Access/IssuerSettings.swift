// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The issuer of OpenID Connect whose access tokens are taken, and what they have to say.
public struct IssuerSettings: Equatable, Sendable {
    /// Who has to have issued a token, as its claim `iss` says it.
    public let url: String
    /// Whom a token has to be for, one of its claim `aud`.
    public let audience: String
    /// As which client the maintainers' view signs in; it is public, with PKCE.
    public let clientID: String
    /// The claims that lead to the roles, from the outermost on.
    public let roleClaim: [String]
    /// What stands before `viewer`, `analyst` and `admin` there.
    public let rolePrefix: String

    /// Where Keycloak has the roles of a realm.
    public static let standardClaim = "realm_access.roles"
    /// Roles of a realm are shared by all that it is for, and many have an `admin` of their own.
    public static let standardPrefix = "cozy-telemetry-"

    /// An issuer; nil where its URL is not safe, or the audience or a part of the claim is empty.
    ///
    /// - Parameters:
    ///   - url: An `https` URL, or an `http` one of the loopback address.
    ///   - audience: The audience.
    ///   - clientID: The client of the maintainers' view; nil for the audience.
    ///   - roleClaim: Names of claims with dots in between; a dot within a name is written `\\.`.
    ///   - rolePrefix: What stands before the names of roles.
    public init?(
        url: String,
        audience: String,
        clientID: String? = nil,
        roleClaim: String = Self.standardClaim,
        rolePrefix: String = Self.standardPrefix
    ) {
        let claims = Self.names(in: roleClaim)
        guard Self.isSafe(url), !audience.isEmpty, !claims.contains("") else { return nil }
        self.url = url
        self.audience = audience
        self.clientID = clientID ?? audience
        self.roleClaim = claims
        self.rolePrefix = rolePrefix
    }

    /// Whether what is fetched from a URL is what its owner sent.
    static func isSafe(_ url: String) -> Bool {
        guard let parts = URLComponents(string: url), let host = parts.host, !host.isEmpty, parts.user == nil,
            parts.fragment == nil
        else { return false }
        return parts.scheme == "https"
            || parts.scheme == "http" && ["127.0.0.1", "::1", "[::1]", "localhost"].contains(host)
    }

    private static func names(in path: String) -> [String] {
        var names = [""]
        var isEscaped = false
        for character in path {
            switch (character, isEscaped) {
            case ("\\", false): isEscaped = true
            case (".", false): names.append("")
            default:
                names[names.count - 1].append(character)
                isEscaped = false
            }
        }
        return names
    }
}

// SPDX-License-Identifier: Apache-2.0

import JWTKit
public import Logging
import TelemetryModel

/// Takes the access tokens of an OpenID Connect issuer, such as Keycloak.
public final class TokenIssuer: Sendable {
    /// Gets the body of a 200 from a URL, without following to another place; it is bounded in size and time.
    public typealias Fetch = @Sendable (_ url: String) async throws -> [UInt8]

    private let settings: IssuerSettings
    private let keys: IssuerKeys

    /// Signatures with a key that only the issuer has; the others would let whoever can verify also sign.
    static let algorithms: Set<String> = [
        "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
    ]

    /// An issuer whose keys are fetched when the first token comes.
    public init(_ settings: IssuerSettings, logger: Logger, fetch: @escaping Fetch) {
        self.settings = settings
        keys = IssuerKeys(of: settings.url, fetch: fetch, logger: logger)
    }

    /// Who a token is of.
    func principal(of token: String, at instant: UTCInstant) async throws(CredentialError) -> Principal {
        let (identifier, algorithm) = try Self.header(of: token)
        var key = try await keys.key(identifier, at: instant)
        // The issuer says what its key is for, not the token.
        guard key.algorithm == nil || key.algorithm == algorithm else {
            throw .invalid("the token is signed with another algorithm than its key is for")
        }
        key.algorithm = algorithm
        let claims: AccessClaims
        do {
            // Alone in its collection, as that would fall back to another key otherwise.
            claims = try await JWTKeyCollection().add(jwk: key).verify(token)
        } catch {
            throw .invalid("the signature of the token is wrong")
        }
        return try claims.principal(settings, at: instant)
    }

    /// The key and the algorithm that a token names.
    private static func header(of token: String) throws(CredentialError) -> (key: String, algorithm: JWK.Algorithm) {
        guard let header = try? DefaultJWTParser().parse(Array(token.utf8), as: AccessClaims.self).header else {
            throw .noSuchToken
        }
        guard let name = header.alg, algorithms.contains(name), let algorithm = JWK.Algorithm(rawValue: name) else {
            throw .invalid("the token is not signed with an algorithm that is taken")
        }
        // What has to be understood and is not (RFC 7515, 4.1.11).
        guard header.fields["crit"] == nil else { throw .invalid("the token has extensions that are not known") }
        guard let key = header.kid else { throw .invalid("the token names no key") }
        return (key, algorithm)
    }
}

// SPDX-License-Identifier: Apache-2.0

import Foundation
import JWTKit
import Synchronization
import TelemetryModel

@testable import TelemetryServer

/// An issuer of OpenID Connect in the test's own process: what it answers, and tokens that it or somebody else signs.
final class StandInIssuer: Sendable {
    struct IsDown: Error {}

    /// A key pair, ES256.
    struct Key: Sendable {
        let identifier: String
        let pair = ES256PrivateKey()

        /// The public half as an issuer publishes it.
        func published(use: String = "sig", algorithm: String? = "ES256") -> [String: String] {
            // They are read back below where they are used; base64 becomes base64url.
            let (x, y) = pair.publicKey.parameters ?? ("", "")
            var fields = ["kty": "EC", "crv": "P-256", "kid": identifier, "use": use, "x": url(x), "y": url(y)]
            fields["alg"] = algorithm
            return fields
        }

        private func url(_ base64: String) -> String {
            base64.replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
        }
    }

    private struct State {
        var keys: [[String: String]]
        var isDown = false
        var name: String
        var keysURL: String
        var fetches = 0
    }

    static let url = "https://keycloak.test/realms/cozy"
    let settings: IssuerSettings
    private let state: Mutex<State>

    /// An issuer with one key.
    init(_ key: Key) throws {
        guard let settings = IssuerSettings(url: Self.url, audience: "cozy-telemetry") else { throw IsDown() }
        self.settings = settings
        state = Mutex(State(keys: [key.published()], name: Self.url, keysURL: Self.url + "/certs"))
    }

    /// Answers as the issuer does.
    var fetch: TokenIssuer.Fetch {
        { [self] url in
            let (isDown, name, keysURL, keys) = state.withLock { state in
                state.fetches += url.hasSuffix("/certs") ? 1 : 0
                return (state.isDown, state.name, state.keysURL, state.keys)
            }
            guard !isDown else { throw IsDown() }
            switch url {
            case Self.url + "/.well-known/openid-configuration":
                return Array(try JSONEncoder().encode(["issuer": name, "jwks_uri": keysURL]))
            case Self.url + "/certs": return Array(try JSONEncoder().encode(["keys": keys]))
            default: throw IsDown()
            }
        }
    }

    /// How often the keys were asked for.
    var fetches: Int { state.withLock { $0.fetches } }

    /// Has other keys from now on.
    func publish(_ keys: [[String: String]]) { state.withLock { $0.keys = keys } }

    /// Answers nothing from now on, or does again.
    func setDown(_ isDown: Bool) { state.withLock { $0.isDown = isDown } }

    /// Says another name of itself, or another place of its keys.
    func say(name: String = StandInIssuer.url, keysURL: String = StandInIssuer.url + "/certs") {
        state.withLock { ($0.name, $0.keysURL) = (name, keysURL) }
    }

    /// What Keycloak puts in an access token; nil takes a claim away.
    static func claims(
        at instant: UTCInstant,
        roles: [String] = ["cozy-telemetry-viewer", "offline_access"],
        changing changes: [String: AccessClaims.Value?] = [:]
    ) -> AccessClaims {
        let now = Double(instant.secondsSinceEpoch)
        var claims: [String: AccessClaims.Value] = [
            "iss": .text(url), "aud": .list([.text("account"), .text("cozy-telemetry")]), "typ": .text("Bearer"),
            "sub": .text("5b1e7a52-0000-4000-8000-000000000001"), "exp": .number(now + 300), "iat": .number(now),
            "realm_access": .object(["roles": .list(roles.map { .text($0) })]),
        ]
        for (name, value) in changes { claims[name] = value }
        return AccessClaims(claims)
    }

    /// A token that a key signs.
    static func token(_ claims: AccessClaims, by key: Key, naming identifier: String? = nil) async throws -> String {
        let name = JWKIdentifier(string: identifier ?? key.identifier)
        return try await JWTKeyCollection().add(ecdsa: key.pair, kid: name).sign(claims, kid: name)
    }
}

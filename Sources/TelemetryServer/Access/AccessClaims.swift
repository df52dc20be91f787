// SPDX-License-Identifier: Apache-2.0

import JWTKit
import TelemetryModel

/// What an access token says, in whatever form.
struct AccessClaims: JWTPayload {
    /// A value of JSON, as far as anything here looks at it.
    indirect enum Value: Codable, Equatable {
        case text(String)
        case number(Double)
        case list([Value])
        case object([String: Value])
        case other

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let text = try? container.decode(String.self) {
                self = .text(text)
            } else if let number = try? container.decode(Double.self) {
                self = .number(number)
            } else if let list = try? container.decode([Self].self) {
                self = .list(list)
            } else if let object = try? container.decode([String: Self].self) {
                self = .object(object)
            } else {
                self = .other
            }
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .text(let text): try container.encode(text)
            case .number(let number): try container.encode(number)
            case .list(let list): try container.encode(list)
            case .object(let object): try container.encode(object)
            case .other: try container.encodeNil()
            }
        }

        /// The text, or the texts of the list.
        var texts: [String] {
            switch self {
            case .text(let text): [text]
            case .list(let list): list.compactMap { if case .text(let text) = $0 { text } else { nil } }
            case .number, .object, .other: []
            }
        }
    }

    let claims: [String: Value]

    /// Clocks may differ by so many seconds.
    private static let leeway = 30.0

    init(_ claims: [String: Value]) { self.claims = claims }

    init(from decoder: any Decoder) throws {
        claims = try decoder.singleValueContainer().decode([String: Value].self)
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(claims)
    }

    /// Nothing; `principal` looks at the claims, by the receiving clock.
    func verify(using algorithm: some JWTAlgorithm) async throws {}

    /// Claims that tokens have which tell a client who has logged in, and access tokens do not (OpenID Connect Core, 2
    /// and 3.3.2.11).
    private static let onlyInIDTokens = ["nonce", "at_hash", "c_hash"]

    /// Who a token is of, whose signature was verified (RFC 7519, 4.1; RFC 9068, 4).
    func principal(_ settings: IssuerSettings, at instant: UTCInstant) throws(CredentialError) -> Principal {
        let now = Double(instant.secondsSinceEpoch)
        guard claims["iss"] == .text(settings.url) else { throw .invalid("the token is of another issuer") }
        guard claims["aud"]?.texts.contains(settings.audience) == true else {
            throw .invalid("the token is for another audience")
        }
        guard case .number(let end) = claims["exp"], now < end + Self.leeway else {
            throw .invalid("the token is expired")
        }
        if let begin = claims["nbf"] {
            guard case .number(let begin) = begin, begin - Self.leeway <= now else {
                throw .invalid("the token is not valid yet")
            }
        }
        // Keycloak says of each token what it is; one that tells a client who has logged in is not for this.
        if let kind = claims["typ"] {
            guard kind == .text("Bearer") else { throw .invalid("the token is not an access token") }
        } else if Self.onlyInIDTokens.contains(where: { claims[$0] != nil }) {
            throw .invalid("the token is not an access token")
        }
        guard case .text(let subject) = claims["sub"], !subject.isEmpty else {
            throw .invalid("the token is of nobody")
        }
        return Principal(name: "oidc:\(subject)", role: role(settings))
    }

    /// The highest role that the token has.
    private func role(_ settings: IssuerSettings) -> Role? {
        var value = Value.object(claims)
        for name in settings.roleClaim {
            guard case .object(let claims) = value, let next = claims[name] else { return nil }
            value = next
        }
        let names = Set(value.texts)
        return Role.allCases.filter { names.contains(settings.rolePrefix + $0.rawValue) }.max()
    }
}

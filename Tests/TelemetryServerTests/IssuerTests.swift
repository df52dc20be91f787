// SPDX-License-Identifier: Apache-2.0

import Foundation
import JWTKit
import NIOHTTP1
import TelemetryModel
import TelemetryTesting
import Testing

@testable import TelemetryServer

@Suite("Tokens of an issuer")
struct IssuerTests {
    private static let now = UTCInstant(startOf: CalendarMonth(year: 2026, month: 3).firstDay)
    private let key = StandInIssuer.Key(identifier: "one")
    private let issuer: StandInIssuer
    private let log = LogRecorder()

    init() throws { issuer = try StandInIssuer(key) }

    private func checker() -> TokenIssuer { TokenIssuer(issuer.settings, logger: log.logger, fetch: issuer.fetch) }

    private func token(changing changes: [String: AccessClaims.Value?] = [:]) async throws -> String {
        try await StandInIssuer.token(StandInIssuer.claims(at: Self.now, changing: changes), by: key)
    }

    @Test("a token of the issuer has the highest of its roles, and is known by its subject")
    func accepted() async throws {
        let checker = checker()
        for (roles, role) in [
            (["cozy-telemetry-viewer"], Role.viewer), (["cozy-telemetry-viewer", "cozy-telemetry-analyst"], .analyst),
            (["cozy-telemetry-admin"], .admin), (["admin", "viewer", "cozy-telemetry-root"], nil), ([], nil),
        ] as [([String], Role?)] {
            let claims = StandInIssuer.claims(at: Self.now, roles: roles)
            let principal = try await checker.principal(of: StandInIssuer.token(claims, by: key), at: Self.now)
            #expect(principal == Principal(name: "oidc:5b1e7a52-0000-4000-8000-000000000001", role: role))
        }
        #expect(issuer.fetches == 1)
    }

    @Test(
        "another issuer or audience, a token that is expired, not valid yet, of another kind or of nobody is refused",
        arguments: [
            ("iss", .text("https://keycloak.test/realms/other"), "issuer"), ("iss", nil, "issuer"),
            ("iss", .list([.text(StandInIssuer.url)]), "issuer"), ("aud", .text("account"), "audience"),
            ("aud", nil, "audience"), ("aud", .list([]), "audience"), ("exp", nil, "expired"),
            ("exp", .number(Double(now.secondsSinceEpoch) - 30), "expired"), ("exp", .text("9999999999"), "expired"),
            ("nbf", .number(Double(now.secondsSinceEpoch) + 31), "not valid yet"), ("nbf", .text("0"), "not valid yet"),
            ("typ", .text("ID"), "not an access token"), ("typ", .text("Refresh"), "not an access token"),
            ("sub", nil, "nobody"), ("sub", .text(""), "nobody"),
        ] as [(String, AccessClaims.Value?, String)]
    )
    func refusedClaims(name: String, value: AccessClaims.Value?, reason: String) async throws {
        let token = try await token(changing: [name: value])
        let error = await #expect(throws: CredentialError.self) {
            try await checker().principal(of: token, at: Self.now)
        }
        #expect(error?.description.contains(reason) == true, "\(String(describing: error))")
    }

    @Test("of issuers that do not say what a token is, those that tell who has logged in are refused")
    func idTokens() async throws {
        for name in ["nonce", "at_hash", "c_hash"] {
            let changes: [String: AccessClaims.Value?] = ["typ": nil, name: .text("a")]
            let token = try await token(changing: changes)
            await #expect(throws: CredentialError.self) { try await checker().principal(of: token, at: Self.now) }
        }
        let access = try await token(changing: ["typ": nil])
        #expect(try await checker().principal(of: access, at: Self.now).role == .viewer)
        // Keycloak may put a nonce into access tokens, and says that they are.
        let marked = try await token(changing: ["nonce": .text("a")])
        #expect(try await checker().principal(of: marked, at: Self.now).role == .viewer)
    }

    @Test("clocks may differ by half a minute, and one audience may be a text")
    func leeway() async throws {
        let seconds = Double(Self.now.secondsSinceEpoch)
        for changes in [
            ["exp": .number(seconds - 29)], ["nbf": .number(seconds + 30)], ["aud": .text("cozy-telemetry")],
        ] as [[String: AccessClaims.Value?]] {
            let token = try await token(changing: changes)
            #expect(try await checker().principal(of: token, at: Self.now).role == .viewer)
        }
    }

    @Test("a token that is not signed, or with a shared secret, or by somebody else, or was changed, is refused")
    func refusedSignatures() async throws {
        let claims = StandInIssuer.claims(at: Self.now, roles: ["cozy-telemetry-admin"])
        let good = try await StandInIssuer.token(claims, by: key)
        let parts = good.split(separator: ".").map(String.init)
        let name = JWKIdentifier(string: "one")
        let publicKey = key.pair.publicKey.pemRepresentation
        let secret = try await JWTKeyCollection().add(
            hmac: HMACKey(from: publicKey),
            digestAlgorithm: .sha256,
            kid: name
        )
        .sign(claims, kid: name)
        let unsigned = try await JWTKeyCollection().addUnsecuredNone(kid: name).sign(claims, kid: name)
        let other = try await StandInIssuer.token(claims, by: StandInIssuer.Key(identifier: "one"))
        let weaker = try await StandInIssuer.token(StandInIssuer.claims(at: Self.now), by: key)
        let changed = [parts[0], parts[1], String(weaker.split(separator: ".")[2])].joined(separator: ".")
        let larger = try await JWTKeyCollection().add(ecdsa: ES384PrivateKey(), kid: name).sign(claims, kid: name)
        for token in [
            secret, unsigned, other, changed, larger, "\(parts[0]).\(parts[1]).", "\(parts[0]).\(parts[1])", "..",
            "a.b.c",
            good + ".x",
        ] {
            let error = await #expect(throws: CredentialError.self, "\(token)") {
                try await checker().principal(of: token, at: Self.now)
            }
            if case .unavailable = error { Issue.record("\(token)") }
        }
        #expect(try await checker().principal(of: good, at: Self.now).role == .admin)
    }

    @Test(
        "an algorithm that is not on the list is refused before a key is looked for",
        arguments: ["none", "HS256", "RSA-OAEP", "es256", ""]
    )
    func algorithms(name: String) async throws {
        let parts = try await token().split(separator: ".").map(String.init)
        let header = Data("{\"alg\":\"\(name)\",\"kid\":\"one\"}".utf8).base64EncodedString().replacing("=", with: "")
        let error = await #expect(throws: CredentialError.self) {
            try await checker().principal(of: "\(header).\(parts[1]).\(parts[2])", at: Self.now)
        }
        #expect(error == .invalid("the token is not signed with an algorithm that is taken"))
        #expect(issuer.fetches == 0)
    }

    @Test(
        "a key for encryption, for another algorithm or of a kind that is not known verifies nothing, and hinders no other"
    )
    func otherKeys() async throws {
        let (second, third) = (StandInIssuer.Key(identifier: "two"), StandInIssuer.Key(identifier: "three"))
        issuer.publish([
            ["kty": "AKP", "kid": "new", "alg": "ML-DSA-44"], ["kty": "oct", "kid": "shared", "k": "AAAA"],
            second.published(use: "enc"), third.published(algorithm: "ES384"), key.published(algorithm: nil),
        ])
        let checker = checker()
        let claims = StandInIssuer.claims(at: Self.now)
        for key in [second, third] {
            let token = try await StandInIssuer.token(claims, by: key)
            await #expect(throws: CredentialError.self) { try await checker.principal(of: token, at: Self.now) }
        }
        #expect(try await checker.principal(of: token(), at: Self.now).role == .viewer)
    }

    @Test("a new key is fetched when a token names it, but not more often than every ten seconds")
    func rotation() async throws {
        let (checker, next) = (checker(), StandInIssuer.Key(identifier: "two"))
        _ = try await checker.principal(of: token(), at: Self.now)
        issuer.publish([next.published()])
        let claims = StandInIssuer.claims(at: Self.now)
        let rotated = try await StandInIssuer.token(claims, by: next)
        for second in [1, 5, 9] as [Int64] {
            await #expect(throws: CredentialError.self) {
                try await checker.principal(of: rotated, at: Self.now.advanced(bySeconds: second))
            }
        }
        #expect(issuer.fetches == 1)
        #expect(try await checker.principal(of: rotated, at: Self.now.advanced(bySeconds: 10)).role == .viewer)
        #expect(issuer.fetches == 2)
        // The old key was withdrawn.
        let old = try await token()
        await #expect(throws: CredentialError.self) {
            try await checker.principal(of: old, at: Self.now.advanced(bySeconds: 11))
        }
        for number in 0..<100 {
            let unknown = try await StandInIssuer.token(claims, by: next, naming: "\(number)")
            await #expect(throws: CredentialError.self) {
                try await checker.principal(of: unknown, at: Self.now.advanced(bySeconds: 12))
            }
        }
        #expect(issuer.fetches == 2)
    }

    @Test("many tokens that come at once fetch the keys once")
    func together() async throws {
        let (checker, token) = (checker(), try await token())
        try await withThrowingTaskGroup(of: Role?.self) { tasks in
            for _ in 0..<50 { tasks.addTask { try await checker.principal(of: token, at: Self.now).role } }
            for try await role in tasks { #expect(role == .viewer) }
        }
        #expect(issuer.fetches == 1)
    }

    @Test("an issuer that is down is 503 at first; later the keys that are known are good for a day")
    func down() async throws {
        let (checker, token) = (checker(), try await token(changing: ["exp": .number(4e9)]))
        issuer.setDown(true)
        for second in [0, 1] as [Int64] {
            let error = await #expect(throws: CredentialError.self) {
                try await checker.principal(of: token, at: Self.now.advanced(bySeconds: second))
            }
            #expect(error == .unavailable("the keys of the issuer cannot be fetched now"))
        }
        #expect(log.recorded.count == 1 && log.recorded[0].hasPrefix("error the keys of the issuer cannot be fetched"))
        issuer.setDown(false)
        #expect(try await checker.principal(of: token, at: Self.now.advanced(bySeconds: 10)).role == .viewer)
        issuer.setDown(true)
        let begin = Self.now.advanced(bySeconds: 10)
        for second in [3_599, 3_600, 86_399] as [Int64] {
            #expect(try await checker.principal(of: token, at: begin.advanced(bySeconds: second)).role == .viewer)
        }
        let error = await #expect(throws: CredentialError.self) {
            try await checker.principal(of: token, at: begin.advanced(bySeconds: 86_400))
        }
        #expect(error == .unavailable("the keys of the issuer cannot be fetched now"))
    }

    @Test("metadata of another issuer, or keys at an unsafe place, are not used")
    func wrongMetadata() async throws {
        let token = try await token()
        for (name, keysURL) in [
            ("https://evil.test", StandInIssuer.url + "/certs"), (StandInIssuer.url, "http://keycloak.test/certs"),
        ] {
            issuer.say(name: name, keysURL: keysURL)
            let error = await #expect(throws: CredentialError.self) {
                try await checker().principal(of: token, at: Self.now)
            }
            #expect(error == .unavailable("the keys of the issuer cannot be fetched now"))
        }
        #expect(issuer.fetches == 0)
    }

    @Test(
        "which issuers and claims can be set",
        arguments: [
            ("https://keycloak.test/realms/cozy", "a", "realm_access.roles", true),
            ("http://127.0.0.1:8080/x", "a", "b", true),
            ("http://[::1]:8080/x", "a", "b", true), ("http://localhost", "a", "b", true),
            ("http://keycloak.test", "a", "b", false), ("keycloak.test", "a", "b", false), ("", "a", "b", false),
            ("https://user@keycloak.test", "a", "b", false), ("https://", "a", "b", false),
            ("https://keycloak.test", "", "b", false), ("https://keycloak.test", "a", "b..c", false),
            ("https://keycloak.test", "a", "", false), ("http://127.0.0.1.evil.test", "a", "b", false),
        ]
    )
    func settings(url: String, audience: String, claim: String, isUsable: Bool) {
        #expect((IssuerSettings(url: url, audience: audience, roleClaim: claim) != nil) == isUsable)
    }

    @Test("roles are found under a path of claims, also those of a client whose name has a dot")
    func roleClaim() throws {
        let settings = try #require(
            IssuerSettings(
                url: StandInIssuer.url,
                audience: "cozy-telemetry",
                roleClaim: #"resource_access.cozy\.telemetry.roles"#,
                rolePrefix: ""
            )
        )
        let access = AccessClaims.Value.object(["cozy.telemetry": .object(["roles": .list([.text("analyst")])])])
        let claims = StandInIssuer.claims(at: Self.now, roles: ["admin"], changing: ["resource_access": access])
        #expect(try claims.principal(settings, at: Self.now).role == .analyst)
    }

    @Test("a token of the issuer opens what its role may, and the audit log has its subject")
    func route() async throws {
        let (issuer, key) = (issuer, key)
        try await RunningTestBackend.with(adjust: { $0.issuer = issuer.settings }, fetch: issuer.fetch) {
            backend async throws in
            let token = try await StandInIssuer.token(StandInIssuer.claims(at: backend.clock.now), by: key)
            #expect(try await backend.admin("/v1/overview?year=2026&month=3", token: token).status == 200)
            #expect(try await backend.admin("/v1/tokens", token: token).status == 403)
            issuer.setDown(true)
            backend.clock.now = backend.clock.now.advanced(bySeconds: 290)
            let next = StandInIssuer.Key(identifier: "two")
            let rotated = try await StandInIssuer.token(StandInIssuer.claims(at: backend.clock.now), by: next)
            let unavailable = try await backend.admin("/v1/tokens", token: rotated)
            #expect(unavailable.status == 503 && unavailable.headers.first(name: "Retry-After") != nil)
            let own = try backend.token(.admin)
            #expect(try await backend.admin("/v1/tokens", token: own).status == 200)
            backend.clock.now = backend.clock.now.advanced(bySeconds: 100)
            let expired = try await backend.admin("/v1/overview?year=2026&month=3", token: token)
            #expect(expired.status == 401 && expired.body == "{\"error\":\"the token is expired\"}")
            let audit = try backend.audit.lines().joined()
            #expect(audit.contains("\"who\":\"oidc:5b1e7a52-0000-4000-8000-000000000001\""))
            #expect(!audit.contains(token.suffix(40)))
        }
    }
}

@Suite("When keys are fetched")
struct KeyFreshnessTests {
    private func at(_ second: Int64) -> UTCInstant { UTCInstant(secondsSinceEpoch: 1_000_000 + second) }

    @Test("at first, for an unknown key after a pause, and once an hour")
    func working() {
        var freshness = KeyFreshness()
        #expect(freshness.action(isKnown: false, at: at(0)) == .fetch)
        freshness.begin(at: at(0))
        #expect(freshness.action(isKnown: false, at: at(0)) == .unavailable)
        freshness.succeed()
        #expect(freshness.action(isKnown: true, at: at(3_599)) == .use)
        #expect(freshness.action(isKnown: true, at: at(3_600)) == .fetch)
        #expect(freshness.action(isKnown: false, at: at(9)) == .unknownKey)
        #expect(freshness.action(isKnown: false, at: at(10)) == .fetch)
        #expect(freshness.action(isKnown: false, at: at(-1)) == .fetch)
    }

    @Test("where the issuer fails, known keys are good for a day from when they were fetched")
    func failing() {
        var freshness = KeyFreshness()
        freshness.begin(at: at(0))
        freshness.succeed()
        freshness.begin(at: at(86_395))
        #expect(freshness.action(isKnown: true, at: at(86_399)) == .use)
        #expect(freshness.action(isKnown: true, at: at(86_400)) == .unavailable)
        #expect(freshness.action(isKnown: false, at: at(86_400)) == .unavailable)
        #expect(freshness.action(isKnown: true, at: at(86_405)) == .fetch)
    }
}

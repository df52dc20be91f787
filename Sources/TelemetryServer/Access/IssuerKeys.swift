// SPDX-License-Identifier: Apache-2.0

import Foundation
import JWTKit
import Logging
import TelemetryModel

/// The keys that an issuer signs with, found as OpenID Connect Discovery 1.0 has it, and kept.
actor IssuerKeys {
    /// Why the keys cannot be had.
    private enum FetchError: Error, CustomStringConvertible {
        case malformed(String)

        var description: String {
            switch self {
            case .malformed(let what): what
            }
        }
    }

    private let issuer: String
    private let fetch: TokenIssuer.Fetch
    private let logger: Logger
    private var keys: [String: JWK] = [:]
    private var freshness = KeyFreshness()
    private var fetching: Task<Void, Never>?
    private var lastFailure: String?

    init(of issuer: String, fetch: @escaping TokenIssuer.Fetch, logger: Logger) {
        self.issuer = issuer
        self.fetch = fetch
        self.logger = logger
    }

    /// The key of an identifier.
    func key(_ identifier: String, at now: UTCInstant) async throws(CredentialError) -> JWK {
        // Who comes while keys are fetched waits for them.
        if let fetching, keys[identifier] == nil { await fetching.value }
        if freshness.action(isKnown: keys[identifier] != nil, at: now) == .fetch { await load(at: now) }
        switch (freshness.action(isKnown: keys[identifier] != nil, at: now), keys[identifier]) {
        case (.use, let key?): return key
        case (.unavailable, _): throw .unavailable("the keys of the issuer cannot be fetched now")
        default: throw .invalid("the token is signed with a key that the issuer does not have")
        }
    }

    private func load(at now: UTCInstant) async {
        freshness.begin(at: now)
        // A task of its own: a request that is given up must not end what others wait for.
        let task = Task { await fetchKeys() }
        fetching = task
        await task.value
        fetching = nil
    }

    private func fetchKeys() async {
        do {
            struct Metadata: Decodable {
                let issuer: String
                let jwks_uri: String
            }
            let base = issuer.hasSuffix("/") ? String(issuer.dropLast()) : issuer
            let metadata = try JSONDecoder().decode(
                Metadata.self,
                from: Data(try await fetch(base + "/.well-known/openid-configuration"))
            )
            guard metadata.issuer == issuer else { throw FetchError.malformed("the metadata is of another issuer") }
            guard IssuerSettings.isSafe(metadata.jwks_uri) else {
                throw FetchError.malformed("the keys are not at an https URL")
            }
            let found = try JSONDecoder().decode(KeySet.self, from: Data(try await fetch(metadata.jwks_uri))).signing
            guard !found.isEmpty else { throw FetchError.malformed("there is no key to verify signatures with") }
            keys = found
            freshness.succeed()
            lastFailure = nil
        } catch {
            let reason = error is DecodingError ? "the answer is not the JSON that it should be" : "\(error)"
            guard lastFailure != reason else { return }
            lastFailure = reason
            logger.error(
                "the keys of the issuer cannot be fetched",
                metadata: ["issuer": "\(issuer)", "reason": "\(reason)"]
            )
        }
    }
}

/// A set of keys (RFC 7517, 5), as far as they can be used here.
private struct KeySet: Decodable {
    private struct Entry: Decodable {
        let key: JWK?
        let use: String?

        private enum CodingKeys: String, CodingKey { case use }

        init(from decoder: any Decoder) throws {
            // A kind of key that is not known is not used (RFC 7517, 5).
            key = try? JWK(from: decoder)
            use = try decoder.container(keyedBy: CodingKeys.self).decodeIfPresent(String.self, forKey: .use)
        }
    }

    private let keys: [Entry]

    /// The keys that signatures are made with, by identifier.
    var signing: [String: JWK] {
        var found: [String: JWK] = [:]
        for entry in keys where entry.use == nil || entry.use == "sig" {
            guard let key = entry.key, let identifier = key.keyIdentifier?.string else { continue }
            found[identifier] = key
        }
        return found
    }
}

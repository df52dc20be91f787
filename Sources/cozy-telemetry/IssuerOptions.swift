// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import TelemetryAgent
import TelemetryServer

/// Whose access tokens a backend takes beside its own.
struct IssuerOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Take access tokens of this OpenID Connect issuer for /v1/, such as https://keycloak.example/realms/cozy.",
            valueName: "url"
        )
    )
    var oidcIssuer: String?

    @Option(help: ArgumentHelp("Whom they have to be for; needed with --oidc-issuer.", valueName: "audience"))
    var oidcAudience: String?

    @Option(
        help: ArgumentHelp(
            "As which client the maintainers' view signs in. (default: the audience)",
            valueName: "client"
        )
    )
    var oidcClientId: String?

    @Option(
        help: ArgumentHelp(
            "The claim that has the roles, a path of names. (default: \(IssuerSettings.standardClaim))",
            valueName: "path"
        )
    )
    var oidcRoleClaim: String?

    @Option(
        help: ArgumentHelp(
            "What stands before viewer, analyst and admin there. (default: \(IssuerSettings.standardPrefix))",
            valueName: "text"
        )
    )
    var oidcRolePrefix: String?

    @Option(
        help: ArgumentHelp(
            "Trust the authorities in this PEM file for the issuer, in place of the system's.",
            valueName: "file"
        ),
        completion: .file()
    )
    var oidcCaFile: String?

    /// The names of these settings.
    static let names: Set<String> = [
        "oidc-issuer", "oidc-audience", "oidc-client-id", "oidc-role-claim", "oidc-role-prefix", "oidc-ca-file",
    ]

    /// What stood on the command line.
    var flags: [String: String?] {
        [
            "oidc-issuer": oidcIssuer, "oidc-audience": oidcAudience,
            "oidc-client-id": oidcClientId, "oidc-role-claim": oidcRoleClaim,
            "oidc-role-prefix": oidcRolePrefix, "oidc-ca-file": oidcCaFile,
        ]
    }

    /// The issuer; nil where there is none.
    ///
    /// - Throws: `CommandFailure` where it is not usable.
    static func issuer(of sources: Settings) throws -> IssuerSettings? {
        guard let url = sources["oidc-issuer"] else {
            guard names.allSatisfy({ sources[$0] == nil }) else {
                throw CommandFailure.usage("oidc-issuer is missing, which the other oidc- settings are about")
            }
            return nil
        }
        let issuer = IssuerSettings(
            url: url,
            audience: sources["oidc-audience"] ?? "",
            clientID: sources["oidc-client-id"],
            roleClaim: sources["oidc-role-claim"] ?? IssuerSettings.standardClaim,
            rolePrefix: sources["oidc-role-prefix"] ?? IssuerSettings.standardPrefix
        )
        guard let issuer else {
            throw CommandFailure.usage(
                "oidc-issuer must be an https URL, oidc-audience be given, and oidc-role-claim be names with dots in between"
            )
        }
        return issuer
    }

    /// How the keys of an issuer are fetched; nil where there is no issuer.
    ///
    /// - Throws: `CommandFailure` where the authorities cannot be read.
    static func fetch(of sources: Settings) throws -> TokenIssuer.Fetch? {
        guard let issuer = sources["oidc-issuer"] else { return nil }
        let configuration: HTTPClient.Configuration
        do {
            configuration = try DeliveryTransport(
                to: issuer,
                environment: ProcessInfo.processInfo.environment,
                authorities: sources["oidc-ca-file"],
                certificate: nil,
                key: nil
            ).httpClientConfiguration
        } catch {
            throw CommandFailure.usage(error.description)
        }
        return { url in
            try await HTTPClient.withHTTPClient(configuration: configuration) { client in
                let answer = try await client.execute(HTTPClientRequest(url: url), timeout: .seconds(5))
                guard answer.status == .ok else {
                    throw CommandFailure.unavailable("\(url) answered \(answer.status.code)")
                }
                return Array((try await answer.body.collect(upTo: 1 << 20)).readableBytesView)
            }
        }
    }
}

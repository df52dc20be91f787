// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import ReportStore
import TelemetryModel
import TelemetryServer

/// `cozy-telemetry admin`: who may see what of a backend, and what was done.
struct AdminCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "admin",
        abstract: "Look after access to a backend: tokens, the audit log, erasures.",
        discussion: """
            The commands work on the files of the data directory, also while the backend runs; run them as the user that \
            it runs as. What they change is written to the audit log first.
            """,
        subcommands: [AdminTokenCommand.self, AdminAuditCommand.self, AdminEraseCommand.self]
    )
}

/// `cozy-telemetry admin token`: tokens for `/v1/…` of the private listener.
struct AdminTokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Create, list and revoke tokens for /v1/ of the private listener.",
        subcommands: [TokenCreateCommand.self, TokenListCommand.self, TokenRevokeCommand.self]
    )
}

extension AuditEntry {
    /// What the user of a command does.
    static func ofCommand(_ operation: String, on object: String? = nil) -> Self {
        Self(who: "uid:\(getuid())", operation: operation, object: object)
    }
}

extension StoreOptions {
    /// Runs something with the tokens of the data directory, with a line in the audit log before.
    ///
    /// - Throws: `CommandFailure`, or what the body throws.
    func withTokens<Value>(_ entry: AuditEntry, _ body: (TokenFile) throws -> Value) async throws -> Value {
        let directory = try await directory()
        do {
            try AuditLog(directory: directory).append(entry, at: .now())
            return try body(TokenFile(directory: directory))
        } catch let error as AccessError {
            throw CommandFailure.failed(error.description)
        }
    }
}

/// `cozy-telemetry admin token create`: a new token, shown once.
struct TokenCreateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Print a new token, which nobody can read again; it counts at once.",
        discussion: """
            A viewer reads aggregates, without folding what few clusters have. An analyst also reads rows by pseudonym. \
            An admin also erases, and looks after tokens and the audit log. Only a hash of the token is kept.
            """
    )

    @Option(help: ArgumentHelp("What it may do: \(Role.names).", valueName: "role"))
    var role: String

    @Option(help: ArgumentHelp("For how long it is good: 12h, 90d, ten years at the most.", valueName: "time"))
    var expires = "90d"

    @Option(help: ArgumentHelp("What it is for, shown in the list.", valueName: "text"))
    var name: String?

    @OptionGroup var options: StoreOptions

    func run() async throws {
        guard let role = Role(rawValue: role) else {
            throw CommandFailure.usage("there is no role `\(role)`; there are \(Role.names)")
        }
        guard let lifetime = TokenLifetime(expires) else {
            throw CommandFailure.usage("--expires must be hours or days, such as 12h or 90d, ten years at the most")
        }
        guard name.map(AccessToken.isName) ?? true else {
            throw CommandFailure.usage("--name must be 1 to 100 characters on one line")
        }
        let token = NewToken(role, for: lifetime, name: name, at: .now())
        try await options.withTokens(.ofCommand("token.create", on: token.shown.id)) { try $0.add(token) }
        Terminal.say(
            "The token \(token.shown.id), \(role.rawValue) until \(token.shown.expires); it is not shown again:"
        )
        Terminal.write(line: token.text)
    }
}

/// `cozy-telemetry admin token list`: every token there is, without what is secret.
struct TokenListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Print every token that was created, and when it was last used."
    )

    @OptionGroup var options: StoreOptions

    @Flag(help: "Print it as JSON.")
    var json = false

    func run() async throws {
        let tokens = try await options.withTokens(.ofCommand("tokens.list")) { try $0.all().map(\.shown) }
        if json { return try Terminal.writeJSON(tokens) }
        if tokens.isEmpty { Terminal.say("There are no tokens.") }
        let now = UTCInstant.now().rfc3339
        for token in tokens {
            let state =
                token.revoked.map { "revoked \($0)" } ?? (token.expires <= now ? "expired" : "until")
                + " \(token.expires)"
            let columns = [token.id, token.role.rawValue, state, "used \(token.lastUsed ?? "never")", token.name ?? ""]
            let widths = [14, 9, 31, 27, 0]
            let padded = zip(columns, widths).map {
                $0.padding(toLength: max($1, $0.count), withPad: " ", startingAt: 0)
            }
            Terminal.write(line: padded.joined().trimmingCharacters(in: .whitespaces))
        }
    }
}

/// `cozy-telemetry admin token revoke`: a token that is not taken any more.
struct TokenRevokeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "Revoke a token, at once."
    )

    @Argument(help: ArgumentHelp("Its number, as the list has it.", valueName: "number"))
    var id: String

    @OptionGroup var options: StoreOptions

    func run() async throws {
        guard AccessToken.isID(id) else {
            throw CommandFailure.usage("a token is named by its number, 12 digits as `admin token list` has them")
        }
        let token = try await options.withTokens(.ofCommand("token.revoke", on: id)) { tokens in
            try tokens.revoke(id, at: .now())
        }
        guard let token else { throw CommandFailure.failed("there is no token \(id)") }
        Terminal.write(line: "\(id) is revoked since \(token.revoked ?? "")")
    }
}

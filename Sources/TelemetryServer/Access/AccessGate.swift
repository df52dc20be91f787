// SPDX-License-Identifier: Apache-2.0

import Dispatch
import HTTPTypes
import Hummingbird
import Metrics
import NIOCore
import Synchronization
import TelemetryModel

/// Says who asks, whether they may, and has that written down before anything is done.
final class AccessGate: Sendable {
    private let tokens: TokenFile
    private let log: AuditLog
    /// Who is believed beside the tokens; nil for nobody.
    private let issuer: TokenIssuer?
    private let decisions: [AuditEntry.Decision: Counter]
    /// How many refusals of nobody are still written down; each is a line on a disk that others need.
    private let strangers = Mutex(TokenBuckets(interval: .milliseconds(100), burst: 100, size: 8))
    private let now: @Sendable () -> UTCInstant
    /// Files are read and synced here, one after the other, as nothing that serves may wait for a disk.
    private let files = DispatchQueue(label: "access-files")

    init(
        directory: String,
        issuer: TokenIssuer?,
        now: @escaping @Sendable () -> UTCInstant,
        factory: any MetricsFactory
    ) {
        decisions = Dictionary(
            uniqueKeysWithValues: AuditEntry.Decision.allCases.map { decision in
                let dimensions = [("decision", decision.rawValue)]
                return (
                    decision, Counter(label: "telemetry_access_decisions", dimensions: dimensions, factory: factory)
                )
            }
        )
        tokens = TokenFile(directory: directory)
        log = AuditLog(directory: directory)
        self.issuer = issuer
        self.now = now
    }

    /// Lets a request in, with what it asks for.
    ///
    /// - Parameters:
    ///   - request: The request.
    ///   - read: Reads what a request that may be done is to do.
    /// - Returns: What is to be done.
    /// - Throws: `Refusal` with 401, 403, 404 or 405, what `read` throws, or `AccessError`.
    func admit(
        _ request: Request,
        read: (AccessOperation) async throws -> AccessTask
    ) async throws -> AccessTask {
        let principal = try await identified(request)
        let operation = try await operation(of: request, by: principal)
        var entry = AuditEntry(who: principal.name, operation: operation.name, object: operation.object)
        switch AccessDecision(operation, by: principal) {
        case .allowed: break
        case .forbidden(let role):
            entry.decision = .refused
            entry.reason = "needs \(role.rawValue)"
            try await write(entry)
            throw Refusal.forbidden(needs: role)
        case .unauthenticated: throw Refusal.unauthenticated("give a token")
        }
        let task = await Result { try await read(operation) }
        if case .success(let task) = task { entry.object = task.object ?? entry.object }
        try await write(entry)
        return try task.get()
    }

    /// Does something with the files.
    func withFiles<Value: Sendable>(
        _ body: @escaping @Sendable (TokenFile, AuditLog) throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            files.async { [tokens, log] in continuation.resume(with: Result { try body(tokens, log) }) }
        }
    }

    /// Lines of the audit log; while they are read, decisions are made and written down.
    func auditLines(after sequence: Int, limit: Int) async throws -> [String] {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async { [log] in
                continuation.resume(with: Result { try log.lines(after: sequence, limit: limit) })
            }
        }
    }

    /// Who asks.
    private func identified(_ request: Request) async throws -> Principal {
        do {
            return try await principal(of: Credential(request.headers[values: .authorization]))
        } catch let error as CredentialError {
            if let wait = strangers.withLock({ $0.take(0, at: .now()) }) { throw Refusal.tooManyStrangers(after: wait) }
            let entry = AuditEntry(who: "nobody", operation: "identify", decision: .refused, reason: error.description)
            try await write(entry)
            throw Refusal(error)
        }
    }

    private func principal(of credential: Credential) async throws -> Principal {
        let instant = now()
        switch credential {
        case .token(let text):
            guard let holder = try await withFiles({ tokens, _ in try tokens.holder(of: text, at: instant) }) else {
                throw CredentialError.noSuchToken
            }
            return holder
        case .signed(let text):
            guard let issuer else { throw CredentialError.noSuchToken }
            return try await issuer.principal(of: text, at: instant)
        }
    }

    private func operation(of request: Request, by principal: Principal) async throws -> AccessOperation {
        do throws(Refusal) {
            return try AccessOperation(request.method, request.uri.path)
        } catch {
            try await write(
                AuditEntry(who: principal.name, operation: "unknown", decision: .refused, reason: error.message)
            )
            throw error
        }
    }

    private func write(_ entry: AuditEntry) async throws {
        let instant = now()
        try await withFiles { _, log in try log.append(entry, at: instant) }
        decisions[entry.decision]?.increment()
    }
}

/// What somebody shows to say who they are.
enum Credential: Equatable {
    /// One of our own tokens.
    case token(TokenText)
    /// Any other; it may be one that an issuer has signed.
    case signed(String)

    /// No token is longer, in bytes.
    private static let longest = 16 * 1024

    /// Reads the values of `Authorization` (RFC 6750, 2.1).
    init(_ fields: [String]) throws(CredentialError) {
        guard let field = fields.first else { throw .missing }
        let words = field.split(separator: " ")
        guard fields.count == 1, words.count == 2, words[0].lowercased() == "bearer",
            words[1].utf8.count <= Self.longest
        else { throw .invalid("it is not one bearer token") }
        self = TokenText(words[1]).map(Self.token) ?? .signed(String(words[1]))
    }
}

/// Why nobody is believed to be who they are.
///
/// No case carries anything of the token.
enum CredentialError: Error, Equatable, CustomStringConvertible {
    /// Nothing is shown.
    case missing
    /// What is shown proves nothing; the reason says why.
    case invalid(String)
    /// It cannot be told now.
    case unavailable(String)

    /// It is none that is taken; not told is whether it ever was.
    static let noSuchToken = Self.invalid("no such token, or it is expired or revoked")

    var description: String {
        switch self {
        case .missing: "no token is given"
        case .invalid(let reason), .unavailable(let reason): reason
        }
    }
}

extension Refusal {
    /// Nobody is believed to be who they are.
    init(_ error: CredentialError) {
        switch error {
        case .missing: self = .unauthenticated("give a token: Authorization: Bearer TOKEN")
        case .invalid(let reason): self = .unauthenticated(reason, error: "invalid_token")
        case .unavailable(let reason): self = .busy(reason)
        }
    }

    /// 401 with the challenge of RFC 6750, 3.
    static func unauthenticated(_ message: String, error: String? = nil) -> Self {
        let challenge = "Bearer realm=\"cozy-telemetry\"" + (error.map { ", error=\"\($0)\"" } ?? "")
        return Self(status: .unauthorized, message: message, headers: [.wwwAuthenticate: challenge])
    }

    /// 403: it takes another role.
    static func forbidden(needs role: Role) -> Self {
        Self(
            status: .forbidden,
            message: "this takes the role \(role.rawValue)",
            headers: [.wwwAuthenticate: "Bearer realm=\"cozy-telemetry\", error=\"insufficient_scope\""]
        )
    }
}

extension Result where Failure == any Error {
    /// What an asynchronous closure gives.
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}

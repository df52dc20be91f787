// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import TelemetryServer

/// `cozy-telemetry admin audit`: what was decided.
struct AdminAuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Show the audit log, and verify that nothing in it was changed.",
        subcommands: [AuditVerifyCommand.self, AuditShowCommand.self]
    )
}

extension StoreOptions {
    /// Runs something with the audit log of the data directory.
    ///
    /// - Throws: `CommandFailure`, or what the body throws.
    fileprivate func withAuditLog<Value>(_ body: (AuditLog) throws -> Value) async throws -> Value {
        let log = AuditLog(directory: try await directory())
        do {
            return try body(log)
        } catch let error as AccessError {
            throw CommandFailure.failed(error.description)
        }
    }
}

/// `cozy-telemetry admin audit verify`: whether every line follows the one before it.
struct AuditVerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Look through the chain of the audit log, and name the first line that is broken.",
        discussion: """
            It prints the hash of the last line. Note it elsewhere: with --expect it shows later that no line was taken \
            off the end and that the log was not written anew.
            """
    )

    @Option(help: ArgumentHelp("The hash of a line that has to be there.", valueName: "hash"))
    var expect: String?

    @OptionGroup var options: StoreOptions

    func run() async throws {
        let (path, found) = try await options.withAuditLog { ($0.path, try $0.verify(lookingFor: expect)) }
        if let broken = found.broken {
            throw CommandFailure.failed("\(path):\(broken.line): \(broken.reason)")
        }
        if let expect, !found.hasHash {
            throw CommandFailure.failed(
                "\(path): no line has the hash \(expect); lines are missing, or all were written anew"
            )
        }
        Terminal.write(line: "\(found.entries) entries, none changed; the last hash is \(found.last)")
    }
}

/// `cozy-telemetry admin audit show`: the lines.
struct AuditShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Print lines of the audit log, JSON objects as they stand there."
    )

    @Option(help: ArgumentHelp("Only lines behind this one.", valueName: "number"))
    var after = 0

    @Option(help: ArgumentHelp("So many lines at the most.", valueName: "lines"))
    var limit = Int.max

    @OptionGroup var options: StoreOptions

    func validate() throws {
        guard after >= 0, limit > 0 else { throw ValidationError("--after and --limit must not be below 0 and 1") }
    }

    func run() async throws {
        for line in try await options.withAuditLog({ try $0.lines(after: after, limit: limit) }) {
            Terminal.write(line: line)
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import ReportStore
import TelemetryServer

/// `cozy-telemetry store`: what whoever runs a backend does with its store.
struct StoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store",
        abstract:
            "Look after the store of a backend: figures about it, check, backup, restore, erase, outbox, migrate.",
        discussion: """
            `stats`, `check`, `backup` and `outbox` also work while the backend runs; `restore`, `erase`, `migrate` and `rotate-key` need it \
            stopped. Run them as the user that the backend runs as.
            """,
        subcommands: [
            StoreStatsCommand.self, StoreCheckCommand.self, StoreBackupCommand.self, StoreRestoreCommand.self,
            StoreEraseCommand.self, StoreRotateKeyCommand.self, StoreOutboxCommand.self, StoreMigrateCommand.self,
        ]
    )
}

/// Which store is meant.
struct StoreOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Where the store and its key are. (default: /var/lib/cozy-telemetry)", valueName: "dir"),
        completion: .directory
    )
    var dataDir: String?

    @Option(
        help: ArgumentHelp("The pseudonym key; pseudonym.key in that directory unless given.", valueName: "file"),
        completion: .file()
    )
    var pseudonymKeyFile: String?

    /// Runs something with the store of the directory, which the environment and the settings file name too.
    ///
    /// - Throws: `CommandFailure`, or what the body throws.
    func withStore<Value>(_ body: (StoreMaintenance) async throws -> Value) async throws -> Value {
        let flags = ["data-dir": dataDir, "pseudonym-key-file": pseudonymKeyFile]
        let sources = try await Settings(flags: flags, known: ServerOptions.names, file: nil)
        do {
            let keyFile = sources["pseudonym-key-file"]
            return try await body(StoreMaintenance(directory: sources.dataDirectory, keyFile: keyFile))
        } catch let error as StoreError {
            Terminal.endProgress()
            throw CommandFailure.failed(error.description)
        } catch let error as AccessError {
            throw CommandFailure.failed(error.description)
        }
    }

    /// The data directory, which the environment and the settings file name too.
    ///
    /// - Throws: `CommandFailure`.
    func directory() async throws -> String {
        try await Settings(flags: ["data-dir": dataDir], known: ServerOptions.names, file: nil).dataDirectory
    }

    /// Says how far a copy is.
    @Sendable static func say(_ progress: StoreMaintenance.Progress) {
        switch progress {
        case .checking: Terminal.progress("checking the file")
        case .copying(let bytes, let all):
            Terminal.progress("\(bytes >> 20) of \(all >> 20) MB written")
        }
    }
}

/// `cozy-telemetry store stats`: how much a store holds.
struct StoreStatsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats",
        abstract: "Print how much the store holds, also while the backend runs."
    )

    @OptionGroup var options: StoreOptions

    @Flag(help: "Print it as JSON.")
    var json = false

    func run() async throws {
        let statistics = try await options.withStore { try await $0.statistics() }
        if json { try Terminal.writeJSON(statistics) } else { Terminal.write(line: Self.text(of: statistics)) }
    }

    /// The statistics for people.
    static func text(of statistics: StoreStatistics) -> String {
        let rows: [(String, String)] = [
            ("clusters", "\(statistics.clusters)"), ("distinct reports", "\(statistics.distinctReports)"),
            ("sightings", "\(statistics.sightings)"), ("series", "\(statistics.series)"),
            ("totals", "\(statistics.totals)"), ("first month", statistics.firstMonth ?? "none"),
            ("last month", statistics.lastMonth ?? "none"), ("rows deleted before", statistics.rowsSince ?? "never"),
            ("bytes", "\(statistics.bytes)"), ("schema", statistics.schema),
        ]
        return rows.map { $0.padding(toLength: 20, withPad: " ", startingAt: 0) + " " + $1 }.joined(separator: "\n")
    }
}

/// `cozy-telemetry store check`: whether a store is whole.
struct StoreCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Compare everything that is derived with the reports it is derived from.",
        discussion: """
            It looks at one state of the store, also while the backend runs, whose log grows as long as it takes. With a \
            problem the exit status is 1; each is a line.
            """
    )

    @OptionGroup var options: StoreOptions

    @Flag(help: "Print what was found as JSON.")
    var json = false

    func run() async throws {
        let check = try await options.withStore { store in
            try await store.check { progress in
                switch progress {
                case .pages: Terminal.progress("checking the file")
                case .clusters(let count, let all): Terminal.progress("\(count) of \(all) clusters")
                }
            }
        }
        Terminal.endProgress()
        if json {
            try Terminal.writeJSON(check)
        } else if check.problems.isEmpty {
            Terminal.write(
                line: "no problems: \(check.clusters) clusters, \(check.sightings) sightings, \(check.totals) totals"
            )
        } else {
            for problem in check.problems { Terminal.write(line: problem) }
        }
        guard check.problems.isEmpty else {
            throw CommandFailure.failed(
                "the store has problems; stop the backend and restore a backup: cozy-telemetry store restore FILE"
            )
        }
    }
}

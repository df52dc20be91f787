// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation

/// What was found, for people and for programs.
struct Finding: Sendable {
    /// The answer of the backend.
    let document: any Encodable & Sendable
    /// The same as a table on a page.
    let table: @Sendable (Page) -> String
}

/// How figures are shown.
struct ViewOptions: ParsableArguments {
    @Flag(help: "Print the backend's answer as JSON.")
    var json = false

    @Option(
        defaultAsFlag: 5,
        parsing: .next,
        help: ArgumentHelp(
            "Ask again every so many seconds, 1 to 86400, until Control-C: in place on a terminal, elsewhere or with --json a line of JSON each time.",
            valueName: "seconds"
        )
    )
    var watch: Int?

    /// What `--help` says of all commands that show figures.
    static let discussion = """
        What is printed is the same on a terminal and in a pipe, but for colours, which only a terminal gets, and none \
        where NO_COLOR is set. Programs read --json.
        """

    func validate() throws {
        guard (1...86_400).contains(watch ?? 1) else { throw ValidationError("--watch must be from 1 to 86400") }
    }

    /// Asks a backend and shows what it says, once or until somebody ends it.
    ///
    /// - Throws: `BackendFailure`.
    func show(
        _ address: BackendAddress,
        _ ask: @escaping @Sendable (BackendConnection) async throws -> Finding
    ) async throws {
        guard let watch else {
            let finding = try await address.withConnection(ask)
            if json { try Terminal.writeJSON(finding.document) } else { Terminal.write(line: finding.table(.current)) }
            return
        }
        let isInPlace = Terminal.isShown && !json
        do {
            try await Interruption.task {
                try await address.withConnection { connection in
                    try await Watching(seconds: watch, isInPlace: isInPlace).run { try await ask(connection) }
                }
            }
        } catch is CancellationError {
            // Whoever watches ends it; that is no failure.
        }
    }
}

extension Page {
    /// The page that standard output is.
    static var current: Page {
        let environment = ProcessInfo.processInfo.environment
        let wantsColours = (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
        return Page(columns: Terminal.size.columns, isColoured: Terminal.isShown && wantsColours)
    }
}

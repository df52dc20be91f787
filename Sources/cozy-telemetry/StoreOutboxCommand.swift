// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import ReportStore

/// `cozy-telemetry store outbox`: what waits to be sent on, and what was refused.
struct StoreOutboxCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "outbox",
        abstract: "Show what waits to be sent on, and what was refused for good; have that sent again.",
        discussion: """
            Without --replay it also works while the backend runs. What is sent again is sent by the next start of a \
            backend with --forward-url.
            """
    )

    @OptionGroup var options: StoreOptions

    @Option(help: ArgumentHelp("So many refused reports are listed.", valueName: "reports"))
    var list = 20

    @Flag(help: "Have refused reports sent again; no backend may run.")
    var replay = false

    @Flag(help: "Print it as JSON.")
    var json = false

    /// What is printed as JSON.
    private struct Document: Encodable {
        let outbox: OutboxStatistics
        let refused: [RefusedEntry]
    }

    func validate() throws {
        guard list >= 0 else { throw ValidationError("--list must be 0 or more") }
    }

    func run() async throws {
        if replay {
            let count = try await options.withStore { try await $0.replayOutbox() }
            Terminal.write(line: "\(count) reports are sent again with the next start of the backend")
            return
        }
        let (outbox, refused) = try await options.withStore { store in
            (try await store.outboxStatistics(), try await store.refusedReports(limit: list))
        }
        guard !json else { return try Terminal.writeJSON(Document(outbox: outbox, refused: refused)) }
        Terminal.write(line: "waiting    \(outbox.waiting)" + (outbox.oldest.map { ", the oldest since \($0)" } ?? ""))
        Terminal.write(line: "set aside  \(outbox.setAside)")
        if outbox.erasures > 0 { Terminal.write(line: "erasures   \(outbox.erasures)") }
        for entry in refused {
            Terminal.write(
                line: "  \(entry.id)  status \(entry.status)  received \(entry.received)  cluster \(entry.cluster)"
            )
        }
        if outbox.setAside > refused.count { Terminal.write(line: "  and \(outbox.setAside - refused.count) more") }
    }
}

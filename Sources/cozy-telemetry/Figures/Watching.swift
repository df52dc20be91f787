// SPDX-License-Identifier: Apache-2.0

import Foundation
import TelemetryModel

/// Figures that are asked for over and over.
struct Watching {
    let seconds: Int
    /// On a terminal; otherwise a line of JSON each time.
    let isInPlace: Bool

    /// Asks and shows until the task is cancelled.
    ///
    /// The first answer has to come. After that a backend may be away for a while, which is said once.
    ///
    /// - Throws: `BackendFailure` that will not pass, or `CancellationError`.
    func run(_ ask: () async throws -> Finding) async throws {
        var last = try await ask()
        let screen = isInPlace ? Screen() : nil
        defer { screen?.close(leaving: last.table(.current)) }
        var failure: BackendFailure?
        while true {
            show(last, on: screen, failure)
            // As often as whoever watches asked for.
            try await Task.sleep(for: .seconds(seconds))
            do {
                last = try await ask()
                if let failure, screen == nil { Terminal.say("cozy-telemetry: \(failure.address.base) answers again") }
                failure = nil
            } catch let new as BackendFailure where new.isPassing {
                if failure == nil, screen == nil { Terminal.say("cozy-telemetry: \(new.problem); \(again)") }
                failure = new
            }
        }
    }

    private func show(_ finding: Finding, on screen: Screen?, _ failure: BackendFailure?) {
        if let screen {
            let now = UTCInstant.now().rfc3339
            let status =
                failure.map { "\(now)  \($0.problem); \(again)" } ?? "\(now)  every \(seconds) s, Control-C ends it"
            screen.draw(finding.table(.current), status: TextTable.Cell(status, failure == nil ? .quiet : .heading))
        } else if failure == nil {
            // What was encoded once is encoded again.
            try? Terminal.writeJSON(finding.document, onOneLine: true)
        }
    }

    private var again: String { "asking again every \(seconds) s" }
}

/// A screen of its own, beside what stands on the terminal, that is drawn over and over.
struct Screen {
    /// Opens it; long lines end at its edge.
    init() { Terminal.write(Array("\u{1B}[?1049h\u{1B}[?7l".utf8)) }

    /// Draws a text from its upper left corner, as much of it as there is room for, and a line below.
    func draw(_ text: String, status: TextTable.Cell) {
        let rows = max(1, Terminal.size.rows - 2)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let status = TextTable([.left], [[status]]).text(on: .current)
        let shown =
            lines.prefix(rows).map(String.init) + Array(repeating: "", count: max(0, min(1, rows - lines.count)))
        Terminal.write(
            Array(("\u{1B}[H" + (shown + [status]).map { $0 + "\u{1B}[K" }.joined(separator: "\r\n") + "\u{1B}[J").utf8)
        )
    }

    /// Closes it, and leaves a text on the terminal as it was before.
    func close(leaving text: String) {
        Terminal.write(Array("\u{1B}[?7h\u{1B}[?1049l".utf8))
        Terminal.write(line: text)
    }
}

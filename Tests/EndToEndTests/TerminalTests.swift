// SPDX-License-Identifier: Apache-2.0

import Foundation
import TelemetryTesting
import Testing

@Suite("What a terminal shows")
struct TerminalTests {
    @Test("curves go from nothing to the highest value of each, wide names keep the columns straight")
    func curves() async throws {
        let values: [[String: Int]] = (0...8).map {
            ["Postgres": $0, "データ": 8 - $0, "e\u{301}té": $0 == 0 ? 0 : 1_000]
        }
        try await StandInBackend.with(.init(body: Self.series(values))) { backend in
            let ending = try await RunningProgram.run(["series", "applications", "--url", backend.url])
            #expect(ending.status == 0, "\(ending.errors)")
            let expected = """
                Applications   2025-01 to 2025-09   2025-09   in a month
                e\u{301}té             ████████               1000            =
                Postgres        ▁▂▃▄▅▆▇█                  8      +14.3 %
                データ         █▇▆▅▄▃▂▁                   0     -100.0 %

                """
            #expect(ending.output == expected)
        }
    }

    @Test("what could move the cursor is not shown as it came")
    func controls() async throws {
        let body = Self.series([["a\u{1B}[2J\u{202E}b": 1]])
        try await StandInBackend.with(.init(body: body)) { backend in
            let ending = try await RunningProgram.run(["series", "applications", "--url", backend.url])
            #expect(ending.output.contains("a\u{FFFD}[2J\u{FFFD}b"), "\(ending.output)")
        }
    }

    @Test("bars are as long as the terminal is wide, to an eighth of a letter, and never gone")
    func bars() async throws {
        let values = [("v1.0", 80), ("v0.9", 45), ("v0.8", 5)].map { name, clusters in
            #"{"value": "\#(name)", "clusters": \#(clusters), "clusters_at_end": 5}"#
        }.joined(separator: ",")
        let body = """
            {"by": "cozystack_version", "as_of": "2025-09-05", "k": 5, "periods": {"month": {"label": "September 2025",
            "start": "2025-09-01", "end": "2025-09-30", "values": [\(values)]}}}
            """
        try await StandInBackend.with(.init(body: body)) { backend in
            for (columns, length) in [(50, 19), (200, 40), (20, 10)] {
                let ending = try await RunningProgram.runOnTerminal(
                    ["breakdown", "cozystack_version", "--url", backend.url],
                    columns: columns,
                    environment: ["NO_COLOR": "1"]
                )
                let lines = ending.output.split(whereSeparator: \.isNewline)
                #expect(lines[2].filter { $0 == "█" }.count == length, "\(ending.output)")
                #expect(lines[3].contains("▌") || length != 40, "\(ending.output)")
                #expect(lines[4].contains { "▏▎▍▌▋▊▉█".contains($0) }, "\(ending.output)")
                #expect(columns < 50 || lines.dropLast().allSatisfy { $0.count <= columns }, "\(ending.output)")
            }
        }
    }

    @Test("a terminal gets colours, but not with NO_COLOR or where it has none; a pipe never does")
    func colours() async throws {
        try await Server.with { server in
            let arguments = ["overview", "--url", server.url]
            let colourful = try await RunningProgram.runOnTerminal(arguments)
            #expect(colourful.status == 0)
            #expect(colourful.output.contains("\u{1B}[1m"), "\(colourful.output)")
            for environment in [["NO_COLOR": "1"], ["TERM": "dumb"]] {
                let plain = try await RunningProgram.runOnTerminal(arguments, environment: environment)
                #expect(plain.output.contains("Clusters") && !plain.output.contains("\u{1B}"), "\(plain.output)")
            }
            let piped = try await RunningProgram.run(arguments, environment: ["TERM": "xterm"])
            #expect(piped.output.contains("Clusters") && !piped.output.contains("\u{1B}"))
        }
    }

    @Test("an export on a terminal says on standard error how far it is, and writes only rows to standard output")
    func progress() async throws {
        try await StandInBackend.with(.init(status: 500, body: "{}")) { backend in
            let watched = try await RunningProgram.runOnTerminal(["export", "--url", backend.url])
            #expect(watched.output.contains("0 of "), "\(watched.output)")
            let piped = try await RunningProgram.run(["export", "--url", backend.url])
            #expect(!piped.errors.contains("0 of ") && piped.output.hasPrefix("source,"), "\(piped.errors)")
        }
    }

    /// A document of monthly points from January 2025.
    private static func series(_ values: [[String: Int]]) -> String {
        let points = values.enumerated().map { index, values -> [String: Any] in
            [
                "month": "2025-0\(index + 1)", "start": "2025-0\(index + 1)-01", "end": "2025-0\(index + 1)-28",
                "values": values,
            ]
        }
        let document: [String: Any] = ["of": "applications", "window": "month", "k": 5, "points": points]
        // Dictionaries of texts and numbers are always JSON.
        return String(decoding: (try? JSONSerialization.data(withJSONObject: document)) ?? Data(), as: UTF8.self)
    }
}

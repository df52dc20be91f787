// SPDX-License-Identifier: Apache-2.0

import Foundation
import TelemetryModel
import TelemetryTesting
import Testing

@Suite("Completion scripts and the manual page")
struct CompletionTests {
    private let directory: TemporaryDirectory

    init() async throws {
        directory = try TemporaryDirectory()
        let program = RunningProgram.executable.path
        let written = try await RunningProgram(
            command: ["bash", Self.script("completions.sh"), program, directory.path]
        ).ending()
        try #require(written.status == 0, "\(written.errors)")
    }

    @Test("bash completes commands, dimensions and series", arguments: CompletionTests.lines)
    func bash(line: String, expected: Set<String>) async throws {
        let words = line.split(separator: " ", omittingEmptySubsequences: false)
        let script = """
            source "$1"; shift
            COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
            _cozy-telemetry cozy-telemetry "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
            printf '%s\\n' "${COMPREPLY[@]}"
            """
        let file = directory.path + "/cozy-telemetry.bash"
        let ending = try await RunningProgram(command: ["bash", "-c", script, "bash", file] + words.map(String.init))
            .ending()
        let offered = Set(ending.output.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) })
        #expect(expected.isSubset(of: offered), "\(ending.output) \(ending.errors)")
        #expect(!offered.contains("nothing"))
    }

    @Test(
        "fish completes commands, dimensions and series",
        .enabled(if: present("fish"), "needs fish"),
        arguments: lines
    )
    func fish(line: String, expected: Set<String>) async throws {
        let file = directory.path + "/cozy-telemetry.fish"
        let ending = try await RunningProgram(
            command: ["fish", "--no-config", "-c", "source \(file); complete -C '\(line)'"],
            environment: ["HOME": directory.path]
        ).ending()
        let offered = Set(ending.output.split(separator: "\n").map { String($0.prefix { $0 != "\t" }) })
        #expect(expected.isSubset(of: offered), "\(ending.output) \(ending.errors)")
    }

    @Test("zsh completes commands, dimensions and series at the Tab key", .enabled(if: present("zsh"), "needs zsh"))
    func zsh() async throws {
        let keyboard = Pipe()
        let shell = try RunningProgram(
            command: ["python3", "-c", "import pty, sys; pty.spawn(sys.argv[1:])", "zsh", "-f", "-i"],
            environment: ["TERM": "dumb", "HOME": directory.path, "PS1": "> "],
            input: keyboard
        )
        let begin =
            "fpath=(\(directory.path) $fpath); autoload -Uz compinit; compinit -u -D; unsetopt zle_bracketed_paste"
        let typed = [
            "cozy-telemetry break\tcozys\t", "cozy-telemetry series kub\t", "cozy-telemetry export --form\tndj\t",
        ]
        // At the beginning of the line, what was completed becomes the argument of echo.
        let lines = [begin] + typed.map { $0 + "\u{1}echo it is \u{5}" } + ["exit"]
        try keyboard.fileHandleForWriting.write(contentsOf: Data((lines.joined(separator: "\n") + "\n").utf8))
        let output = await shell.ending().output
        try keyboard.fileHandleForWriting.close()
        let answers = output.split(whereSeparator: \.isNewline).filter { $0.hasPrefix("it is ") }
            .map { $0.trimmingCharacters(in: .whitespaces) }
        let expected = ["breakdown cozystack_version", "series kubernetes_version", "export --format ndjson"]
        #expect(answers == expected.map { "it is cozy-telemetry \($0)" }, "\(output)")
    }

    @Test("the manual page has every command and option, and mandoc finds nothing wrong")
    func manual() async throws {
        let dump = try await RunningProgram.run(["--experimental-dump-help"]).output
        let input = Pipe()
        let writing = try RunningProgram(command: ["python3", Self.script("manual/manual.py")], input: input)
        try input.fileHandleForWriting.write(contentsOf: Data(dump.utf8))
        try input.fileHandleForWriting.close()
        let page = await writing.ending()
        try #require(page.status == 0, "\(page.errors)")
        for heading in ["overview", "series", "admin token create", "store backup"] {
            #expect(page.output.contains("\n.Ss \(heading.replacing("-", with: "\\-"))\n"), "\(heading)")
        }
        for word in ["\\-\\-admin\\-url", "COZY_TELEMETRY_URL", "telemetry.sqlite", ".It 69"] {
            #expect(
                page.output.contains(word) || page.output.contains(word.replacing("\\-\\-", with: "\\-")),
                "\(word)"
            )
        }
        guard Self.present("mandoc") else { return }
        let file = directory.path + "/cozy-telemetry.1"
        try page.output.write(toFile: file, atomically: true, encoding: .utf8)
        let lint = try await RunningProgram(command: ["mandoc", "-T", "lint", file]).ending()
        #expect(lint.status == 0, "\(lint.output) \(lint.errors)")
        #expect(lint.output.isEmpty, "\(lint.output)")
    }

    static let lines: [(String, Set<String>)] = [
        ("cozy-telemetry ", ["agent", "overview", "series", "breakdown", "export", "store"]),
        ("cozy-telemetry breakdown ", Set(Dimension.allCases.map(\.rawValue))),
        ("cozy-telemetry series k", ["kubernetes_version"]),
        ("cozy-telemetry series nodes --window ", ["month", "quarter", "year"]),
        ("cozy-telemetry export --format ", ["csv", "ndjson"]),
        ("cozy-telemetry overview --ad", ["--admin-url"]),
    ]

    /// Whether a program is installed.
    static func present(_ name: String) -> Bool {
        ["/usr/bin/", "/bin/", "/usr/local/bin/"].contains { FileManager.default.isExecutableFile(atPath: $0 + name) }
    }

    /// A file of the folder Scripts.
    private static func script(_ name: String) -> String {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return root.appendingPathComponent("Scripts/" + name).path
    }
}

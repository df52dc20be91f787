// SPDX-License-Identifier: Apache-2.0

import Foundation
import TelemetryModel
import TelemetryTesting
import Testing

@Suite("What goes wrong where figures are asked for")
struct FigureErrorTests {
    @Test(
        "a name that there is not is 64, with the nearest that there is and all of them",
        arguments: [
            (["breakdown", "kernl"], "did you mean kernel?"),
            (["breakdown", "Bundle-Enabled"], "did you mean bundle_enabled?"),
            (["breakdown", "cozystack"], "did you mean cozystack_version?"),
            (["breakdown", "zzzzzz"], "There are cozystack_version,"),
            (["series", "node"], "did you mean nodes?"), (["series", "\u{1B}[2J"], "There are clusters, nodes,"),
            (["series", "nodes", "--window", "week"], "month"), (["export", "--format", "parquet"], "csv"),
            (["series", "nodes", "--months", "61"], "--months must be from 1 to 60"),
            (["overview", "--watch", "0"], "--watch must be from 1 to 86400"),
            (["overview", "--url", "ftp://x"], "must be an http or https URL"),
            (["overview", "--url", "http://user@x"], "must be an http or https URL"),
            (["overview", "--url", "http://x", "--admin-url", "http://y"], "not both"),
        ]
    )
    func usage(arguments: [String], words: String) async throws {
        let ending = try await RunningProgram.run(arguments)
        #expect(ending.status == 64)
        #expect(ending.errors.contains(words), "\(ending.errors)")
        #expect(!ending.errors.contains("\u{1B}"))
    }

    @Test("a backend that is not there is 69, with what to do; the environment names it as well")
    func nobody() async throws {
        for command in [
            ["overview"], ["series", "nodes"], ["breakdown", "kernel"], ["export"], ["overview", "--watch"],
        ] {
            let ending = try await RunningProgram.run(
                command,
                environment: ["COZY_TELEMETRY_URL": "http://127.0.0.1:1"]
            )
            #expect(ending.status == 69)
            #expect(ending.errors.contains("no answer from http://127.0.0.1:1: "), "\(ending.errors)")
            #expect(ending.errors.contains("cozy-telemetry server"), "\(ending.errors)")
            #expect(ending.errors.contains("--url or COZY_TELEMETRY_URL"), "\(ending.errors)")
            #expect(ending.output.isEmpty || command == ["export"])
        }
    }

    @Test("a private listener that is asked for public figures is 69, with the option that names the public one")
    func wrongListener() async throws {
        try await Server.with { server in
            let ending = try await RunningProgram.run(["overview", "--url", server.adminURL])
            #expect(ending.status == 69)
            #expect(ending.errors.contains("name the public listener of a backend"), "\(ending.errors)")
        }
    }

    @Test(
        "an answer that is no backend's, or one that refuses, is 69 with the next step",
        arguments: [
            (StandInBackend.Answer(body: "<html>"), "is no backend that has /api/overview"),
            (.init(status: 404, body: "not here"), "it answered 404"),
            (.init(status: 302, fields: ["Location": "/login"]), "it answered 302"),
            (.init(status: 403, body: #"{"error": "this takes the role viewer"}"#), "give the token of such a role"),
            (
                .init(status: 503, fields: ["Retry-After": "7"], body: #"{"error": "busy"}"#),
                "503: busy; try again in 7 s"
            ),
            (.init(status: 429, body: #"{"error": "too many"}"#), "429: too many; try again later"),
            (.init(status: 502, body: "<html>"), "answered 502; its log, or that of the proxy before it, says why"),
            (.init(status: 400, body: #"{"error": "\u001b[2Jno"}"#), "leave out --year and --month"),
        ]
    )
    func refusals(answer: StandInBackend.Answer, words: String) async throws {
        try await StandInBackend.with(answer) { backend in
            let ending = try await RunningProgram.run(["overview", "--url", backend.url])
            #expect(ending.status == 69)
            #expect(ending.errors.contains(words), "\(ending.errors)")
            #expect(!ending.errors.contains("\u{1B}"))
        }
    }

    @Test(
        "what is no token is 64 before anybody is asked, with what is wrong with it",
        arguments: [
            ("", "is empty"), ("\n \n", "is empty"), ("one\ntwo\n", "has more than one word"),
            ("Bearer one", "has more than one word"), ("\u{1B}[2J", "has letters that no token has"),
        ]
    )
    func noToken(text: String, words: String) async throws {
        let directory = try TemporaryDirectory()
        let file = directory.path + "/viewer.token"
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        let admin = ["overview", "--admin-url", "http://127.0.0.1:1"]
        let ending = try await RunningProgram.run(admin + ["--token-file", file])
        #expect(ending.status == 64)
        #expect(ending.errors.contains("--token-file: \(file) \(words); it takes one token, as"), "\(ending.errors)")
        let variable = try await RunningProgram.run(admin, environment: ["COZY_TELEMETRY_TOKEN": text])
        #expect(variable.status == 64)
        #expect(variable.errors.contains(text.isEmpty ? "takes a token" : "COZY_TELEMETRY_TOKEN \(words)"))
        #expect(!variable.errors.contains("\u{1B}"))
    }

    @Test("a variable for the backend that is empty is as good as none")
    func emptyVariable() async throws {
        // Whoever listens at the usual address, or nobody.
        let ending = try await RunningProgram.run(["overview"], environment: ["COZY_TELEMETRY_URL": ""])
        #expect(ending.status != 64, "\(ending.errors)")
    }

    @Test(
        "standard output that cannot be written to is said, but not that nobody reads it any more",
        arguments: [
            (">/dev/full", "cozy-telemetry: standard output: No space left on device\n"),
            // A pipe whose reader has ended.
            (">&3", ""),
        ]
    )
    func standardOutput(redirection: String, words: String) async throws {
        let script = """
            trap '' PIPE
            exec 3> >(true)
            wait $!
            "$0" export --url http://127.0.0.1:1 \(redirection)
            """
        let command = ["bash", "-c", script, RunningProgram.executable.path]
        let ending = try await RunningProgram(command: command).ending()
        #expect(ending.status == 1)
        #expect(ending.errors == words)
    }

    @Test("an export that fails leaves the file that was there, and nothing beside it")
    func brokenExport() async throws {
        let directory = try TemporaryDirectory()
        let file = directory.path + "/fleet.csv"
        try "of yesterday".write(toFile: file, atomically: true, encoding: .utf8)
        let ending = try await RunningProgram.run(["export", "--url", "http://127.0.0.1:1", "--output", file])
        #expect(ending.status == 69)
        #expect(try String(contentsOfFile: file, encoding: .utf8) == "of yesterday")
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["fleet.csv"])
        let folder = try await RunningProgram.run(["export", "--output", directory.path])
        #expect(folder.status == 64 && folder.errors.contains("is no file"), "\(folder.errors)")
        let nowhere = try await RunningProgram.run(["export", "--output", directory.path + "/none/fleet.csv"])
        #expect(nowhere.status == 1 && nowhere.errors.contains("No such file"), "\(nowhere.errors)")
    }
}

// SPDX-License-Identifier: Apache-2.0

import Foundation
import TelemetryModel
import TelemetryTesting
import Testing

@Suite("The commands about the store")
struct StoreCommandTests {
    private let directory: TemporaryDirectory
    private let elsewhere: TemporaryDirectory
    private var copy: String { elsewhere.path + "/copy" }
    private var storePath: String { directory.path + "/telemetry.sqlite" }

    init() throws {
        directory = try TemporaryDirectory()
        elsewhere = try TemporaryDirectory()
    }

    /// Runs `cozy-telemetry store …` on the data directory.
    private func store(
        _ arguments: [String],
        input: String? = nil,
        of path: String? = nil,
        within wrapper: [String] = []
    ) async throws -> RunningProgram.Ending {
        let pipe = input.map { _ in Pipe() }
        let arguments = ["store"] + arguments + ["--data-dir", path ?? directory.path]
        let program = try RunningProgram(arguments, within: wrapper, input: pipe)
        if let input, let pipe {
            try pipe.fileHandleForWriting.write(contentsOf: Data(input.utf8))
            try pipe.fileHandleForWriting.close()
        }
        return await program.ending()
    }

    private func clusters() async throws -> Int? {
        let stats = try await store(["stats", "--json"])
        #expect(stats.status == 0, "\(stats.errors)")
        let values = try JSONSerialization.jsonObject(with: Data(stats.output.utf8)) as? [String: Any]
        return values?["clusters"] as? Int
    }

    private func simulate(_ clusters: Int, against server: Server, rounds: Int = 1) throws -> RunningProgram {
        try RunningProgram([
            "simulate", "--telemetry-endpoint", server.url, "--clusters", "\(clusters)", "--rounds", "\(rounds)",
        ])
    }

    /// A data directory that a server has left.
    private func leaveStore(_ clusters: [String]) async throws {
        try await Server.with(directory: directory) { server in
            for cluster in clusters {
                let answer = try await server.post(cluster: cluster)
                #expect(answer.status == 200)
            }
        }
    }

    @Test("beside a backend under load: backup, check and stats work, restore and erase name its process")
    func besideBackend() async throws {
        try await Server.with(directory: directory) { server in
            #expect(try await server.post(cluster: "before").status == 200)
            let load = try simulate(2_000, against: server, rounds: 3)
            while try await server.acceptedReports() < 200 { await Task.yield() }
            let backup = try await store(["backup", copy])
            #expect(backup.status == 0, "\(backup.errors)")
            #expect(backup.output.contains("\(copy): ") && backup.output.contains(" bytes in "))
            #expect(backup.errors.contains(directory.path + "/pseudonym.key") && !backup.errors.contains("\r"))
            let check = try await store(["check"])
            #expect(check.status == 0 && check.output.hasPrefix("no problems: "), "\(check.output)\(check.errors)")
            #expect(try await clusters() ?? 0 > 100)
            for refused in [
                try await store(["restore", copy]), try await store(["erase"], input: "before\n"),
            ] {
                #expect(refused.status == 1)
                #expect(refused.errors.contains("by the process \(server.program.processIdentifier)"))
            }
            #expect(await load.ending().status == 0)
        }
        let attributes = try FileManager.default.attributesOfItem(atPath: copy)
        #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
        #expect(try FileManager.default.contentsOfDirectory(atPath: elsewhere.path) == ["copy"])
        let again = try await store(["backup", copy])
        #expect(again.status == 1 && again.errors.contains("--force"))
        #expect(try await store(["backup", copy, "--force"]).status == 0)
    }

    @Test("a restored backup serves, and the store before it is beside it")
    func restore() async throws {
        try await leaveStore(["a", "b"])
        #expect(try await store(["backup", copy]).status == 0)
        try await leaveStore(["c"])
        #expect(try await clusters() == 3)
        let restored = try await store(["restore", copy])
        #expect(restored.status == 0, "\(restored.errors)")
        let old = try #require(
            restored.output.split(separator: "\n").last?.split(separator: " ").last.map(String.init)
        )
        #expect(FileManager.default.fileExists(atPath: old) && old.hasPrefix(storePath + "."))
        #expect(try await clusters() == 2)
        try await Server.with(directory: directory) { server in
            let overview = try await server.overview()
            #expect(overview.periods.month.clusters == 2)
        }
        #expect(try await store(["restore", old]).status == 0)
        #expect(try await clusters() == 3)
        try FileManager.default.removeItem(atPath: directory.path + "/pseudonym.key")
        let withoutKey = try await store(["restore", copy])
        #expect(withoutKey.status == 0 && withoutKey.errors.contains("pseudonym.key is missing"))
    }

    @Test("erase takes the id from a pipe or a file, never says it, and is 0 the second time")
    func erase() async throws {
        try await leaveStore(["canary-1", "canary-2", "other"])
        let first = try await store(["erase"], input: "canary-1\n")
        #expect(first.status == 0, "\(first.errors)")
        #expect(first.output.hasPrefix("removed 1 sightings in 1 months"))
        let second = try await store(["erase"], input: "canary-1\n")
        #expect(second.status == 0 && second.output == "the store knows nothing about this cluster\n")
        let file = elsewhere.path + "/id"
        try "canary-2".write(toFile: file, atomically: true, encoding: .utf8)
        let json = try await store(["erase", "--json", "--cluster-id-file", file])
        #expect(json.status == 0 && json.output.contains("\"sightings\" : 1"))
        #expect(try await clusters() == 1)
        let wrong = try await store(["erase"], input: "canary 3\n")
        #expect(wrong.status == 64)
        #expect(try await store(["erase"], input: "").status == 64)
        #expect(try await store(["erase", "--cluster-id-file", elsewhere.path + "/none"]).status == 64)
        #expect(try await store(["erase", "canary-1"]).status == 64)
        for ending in [first, second, json, wrong] { #expect(!(ending.output + ending.errors).contains("canary")) }
    }

    @Test("a check that finds something is 1, each problem a line; no store, an older and a newer one say what to do")
    func problems() async throws {
        let none = try await store(["stats"])
        #expect(none.status == 1 && none.errors.contains(storePath) && none.errors.contains("--data-dir"))
        try await leaveStore(["a", "b"])
        func change(_ sql: String) async throws {
            #expect(try await RunningProgram(command: ["sqlite3", storePath, sql]).ending().status == 0)
        }
        try await change("UPDATE series SET uses = uses + 1; UPDATE cluster SET first_day = first_day - 1")
        let check = try await store(["check"])
        #expect(check.status == 1)
        #expect(check.output.split(separator: "\n").count == 3, "\(check.output)")
        #expect(check.errors.contains("restore"))
        #expect(try await store(["check", "--json"]).output.contains("\"problems\" : [\n"))
        try await change("INSERT INTO grdb_migrations (identifier) VALUES ('v999')")
        let newer = try await store(["check"])
        #expect(newer.status == 1 && newer.errors.contains("newer version"))
        let old = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Fixtures/store-v1/telemetry.sqlite")
        try Data(contentsOf: old).write(to: URL(fileURLWithPath: storePath))
        let older = try await store(["stats"])
        #expect(older.status == 1 && older.errors.contains("start the backend once"), "\(older.errors)")
    }

    @Test(
        "a stopped store on a file system that cannot be written is read",
        .enabled("\(PrivateMounts.whyNot)") { await PrivateMounts.areAvailable() }
    )
    func readOnly() async throws {
        try await leaveStore(["a", "b"])
        let place = try TemporaryDirectory()
        for hasLog in [true, false] {
            if !hasLog {
                for suffix in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: storePath + suffix) }
            }
            let mount = PrivateMounts.command(
                inPlaceOf: place.path,
                size: 1 << 24,
                copying: directory.path,
                isReadOnly: true
            )
            for command in [["stats"], ["check"], ["backup", "--force", copy]] {
                let ending = try await store(command, of: place.path, within: mount)
                #expect(ending.status == 0, "\(command), \(hasLog): \(ending.errors)")
            }
        }
    }

    @Test("a retention that is no time or too short is 64 with what it may be")
    func retention() async throws {
        for text in ["12mo", "1y", "soon"] {
            let ending = try await RunningProgram.run(["server", "--retention", text])
            #expect(ending.status == 64 && ending.errors.contains("13mo"))
        }
        let ending = try await RunningProgram.run(["server"], environment: ["COZY_TELEMETRY_RETENTION": "1mo"])
        #expect(ending.status == 64 && ending.errors.contains("`1mo`"))
        try await Server.with(["--retention", "3y"], directory: directory) { _ in }
    }
}

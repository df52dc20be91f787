// SPDX-License-Identifier: Apache-2.0

import Foundation
import TelemetryModel
import TelemetryTesting
import Testing

@Suite("Bad surroundings")
struct EnvironmentTests {
    @Test(
        "a data directory that can only be read is 1 with its path and the reason, with and without a store in it",
        .enabled("\(PrivateMounts.whyNot)") { await PrivateMounts.areAvailable() },
        arguments: [false, true]
    )
    func readOnly(hasStore: Bool) async throws {
        let (directory, source) = (try TemporaryDirectory(), try TemporaryDirectory())
        if hasStore { try await Server.with(directory: source) { _ in } }
        let mount = PrivateMounts.command(
            inPlaceOf: directory.path,
            size: 1 << 22,
            copying: source.path,
            isReadOnly: true
        )
        let complaint = try await Server.refusal(directory: directory, within: mount)
        #expect(complaint.contains(directory.path), "\(complaint)")
        #expect(complaint.contains("Read-only file system"), "\(complaint)")
    }

    @Test(
        "on a full disk reports are 503 with Retry-After, and 200 as soon as there is space, without a restart",
        .enabled("\(PrivateMounts.whyNot)") { await PrivateMounts.areAvailable() }
    )
    func fullDisk() async throws {
        let directory = try TemporaryDirectory()
        let mount = PrivateMounts.command(inPlaceOf: directory.path, size: 1 << 21)
        let server = try await Server.start(directory: directory, within: mount)
        #expect(try await server.post(cluster: "first").status == 200)
        let path = PrivateMounts.path(directory.path + "/filler", seenBy: server.program.processIdentifier)
        try fill(path)
        var accepted = 1
        var refused: [String] = []
        for cluster in (0..<50).map({ "c\($0)" }) where refused.count < 3 {
            let answer = try await server.post(cluster: cluster)
            guard answer.status != 200 else {
                accepted += 1
                continue
            }
            #expect(answer.status == 503)
            #expect(answer.retryAfter != nil)
            refused.append(cluster)
        }
        #expect(refused.count == 3)
        try FileManager.default.removeItem(atPath: path)
        for cluster in refused { #expect(try await server.post(cluster: cluster).status == 200) }
        #expect(try await server.overview().periods.month.clusters == accepted + refused.count)
        server.program.signal(SIGTERM)
        let ending = await server.program.ending()
        #expect(ending.status == 0)
        #expect(ending.errors.contains("full"), "\(ending.errors)")
    }

    /// Writes a file until nothing more fits.
    private func fill(_ path: String) throws {
        #expect(FileManager.default.createFile(atPath: path, contents: nil))
        let file = try #require(FileHandle(forWritingAtPath: path))
        defer { try? file.close() }
        for size in [1 << 16, 1 << 12, 1] {
            let bytes = Data(repeating: 0, count: size)
            while (try? file.write(contentsOf: bytes)) != nil {}
        }
    }

    @Test("while another process has the store locked, reports are 503 with Retry-After, and 200 once it has let go")
    func locked() async throws {
        let directory = try TemporaryDirectory()
        try await Server.with(directory: directory) { server in
            #expect(try await server.post(cluster: "a").status == 200)
            try await whileLocked(directory) {
                let refused = try await server.post(cluster: "b")
                #expect(refused.status == 503)
                #expect(refused.retryAfter != nil)
                #expect(await server.program.line(containing: "database is locked") != nil)
            }
            #expect(try await server.post(cluster: "b").status == 200)
            #expect(try await server.overview().periods.month.clusters == 2)
        }
    }

    @Test("a server that starts while another process has the store locked is 1 with its name and the reason")
    func lockedAtStart() async throws {
        let directory = try TemporaryDirectory()
        try await Server.with(directory: directory) { _ in }
        try await whileLocked(directory) {
            let complaint = try await Server.refusal(directory: directory)
            #expect(complaint.contains(directory.path + "/telemetry.sqlite"), "\(complaint)")
            #expect(complaint.contains("database is locked"), "\(complaint)")
        }
        try await Server.with(directory: directory) { _ in }
    }

    /// Runs a body while the sqlite3 shell is writing to a store.
    private func whileLocked(_ directory: TemporaryDirectory, _ body: () async throws -> Void) async throws {
        let input = Pipe()
        // The answers go where lines are waited for.
        let shell = ["sh", "-c", #"exec sqlite3 "$0" >&2"#, directory.path + "/telemetry.sqlite"]
        let other = try RunningProgram(command: shell, input: input)
        try input.fileHandleForWriting.write(contentsOf: Data("BEGIN EXCLUSIVE; SELECT 'locked';\n".utf8))
        #expect(await other.line(containing: "locked") != nil)
        try await body()
        try input.fileHandleForWriting.close()
        #expect(await other.ending().status == 0)
    }
}

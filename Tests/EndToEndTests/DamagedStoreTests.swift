// SPDX-License-Identifier: Apache-2.0

import FleetSimulator
import Foundation
import TelemetryTesting
import Testing

@Suite("Stores that cannot be used")
struct DamagedStoreTests {
    /// What happened to a file.
    enum Damage: Sendable, CustomTestStringConvertible {
        case page(Int)
        case truncated
        case text
        case noise

        var testDescription: String {
            switch self {
            case .page(let page): "noise over page \(page)"
            case .truncated: "cut in half"
            case .text: "a text"
            case .noise: "noise"
            }
        }

        /// The file afterwards.
        func applied(to file: Data) -> Data {
            switch self {
            case .page(let page):
                let start = (page - 1) * 4_096 % file.count
                return file.prefix(start) + Self.noise(4_096) + file.dropFirst(start + 4_096)
            case .truncated: return file.prefix(file.count / 2)
            case .text: return Data("not a database\n".utf8)
            case .noise: return Self.noise(file.count)
            }
        }

        /// Random bytes.
        private static func noise(_ count: Int) -> Data {
            var random = SeededGenerator(seed: 1)
            return Data((0..<count).map { _ in UInt8.random(in: .min ... .max, using: &random) })
        }
    }

    /// Damages the file of a store, and says what is in it then.
    ///
    /// A page that is not in use can be damaged without harm; then it is the next one.
    private func damage(_ file: URL, _ damage: Damage) async throws -> Data {
        let whole = try Data(contentsOf: file)
        let damaged = damage.applied(to: whole)
        try damaged.write(to: file)
        guard case .page(let page) = damage else { return damaged }
        let command = ["sqlite3", "file:\(file.path)?immutable=1", "PRAGMA quick_check(1)"]
        guard try await RunningProgram(command: command).ending().output == "ok\n" else { return damaged }
        try whole.write(to: file)
        return try await self.damage(file, .page(page + 1))
    }

    /// A data directory that a server has left, with some reports.
    private func usedDirectory() async throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        try await Server.with(directory: directory) { server in
            for number in 0..<20 {
                let answer = try await server.post("cozy_tenants_count \(number)\n", cluster: "c\(number)")
                #expect(answer.status == 200)
            }
        }
        return directory
    }

    /// The file of the store in a data directory.
    private func file(of directory: TemporaryDirectory) -> URL {
        URL(fileURLWithPath: directory.path + "/telemetry.sqlite")
    }

    @Test(
        "a damaged store is 1 with its name and what to do, and is left as it is",
        arguments: [.truncated, .text, .noise, .page(1), .page(2), .page(3), .page(5), .page(8), .page(13)] as [Damage]
    )
    func damaged(damage: Damage) async throws {
        let directory = try await usedDirectory()
        let file = file(of: directory)
        let damaged = try await self.damage(file, damage)
        let complaint = try await Server.refusal(directory: directory)
        #expect(complaint.contains(file.path), "\(complaint)")
        #expect(complaint.contains("restore") && complaint.contains("backup"), "\(complaint)")
        #expect(try Data(contentsOf: file) == damaged)
    }

    @Test("a store of a newer version is 1 with its name, and is left as it is")
    func newer() async throws {
        let directory = try await usedDirectory()
        let file = file(of: directory)
        let sql = "INSERT INTO grdb_migrations (identifier) VALUES ('v999')"
        #expect(try await RunningProgram(command: ["sqlite3", file.path, sql]).ending().status == 0)
        let newer = try Data(contentsOf: file)
        let complaint = try await Server.refusal(directory: directory)
        #expect(complaint.contains(file.path), "\(complaint)")
        #expect(complaint.contains("newer version"), "\(complaint)")
        #expect(try Data(contentsOf: file) == newer)
    }

    @Test("a second server on a data directory is 1 with the process id of the first, which goes on")
    func second() async throws {
        let directory = try TemporaryDirectory()
        try await Server.with(directory: directory) { server in
            let complaint = try await Server.refusal(directory: directory)
            #expect(complaint.contains("\(server.program.processIdentifier)"), "\(complaint)")
            #expect(complaint.contains(directory.path), "\(complaint)")
            #expect(try await server.post(cluster: "a").status == 200)
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import TelemetryTesting
import Testing

@Suite("The commands about access")
struct AdminCommandTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    /// Runs `cozy-telemetry admin …` on the data directory.
    private func admin(
        _ arguments: [String],
        environment: [String: String] = [:],
        input: String? = nil
    ) async throws -> RunningProgram.Ending {
        let pipe = input.map { _ in Pipe() }
        let program = try RunningProgram(
            ["admin"] + arguments + ["--data-dir", directory.path],
            environment: environment,
            input: pipe
        )
        if let input, let pipe {
            try pipe.fileHandleForWriting.write(contentsOf: Data(input.utf8))
            try pipe.fileHandleForWriting.close()
        }
        return await program.ending()
    }

    private func token(_ role: String) async throws -> String {
        let ending = try await admin(["token", "create", "--role", role, "--expires", "1h", "--name", "a test"])
        #expect(ending.status == 0, "\(ending.errors)")
        #expect(!ending.errors.contains("cozytel_"))
        return ending.output.trimmingCharacters(in: .newlines)
    }

    private func status(_ path: String, of server: Server, _ token: String) async throws -> UInt {
        var request = HTTPClientRequest(url: server.adminURL + path)
        request.headers = ["Authorization": "Bearer \(token)"]
        return try await HTTPClient.shared.execute(request, timeout: .seconds(30)).status.code
    }

    @Test("a token that a command creates beside a running backend counts at once, and no more once it is revoked")
    func tokens() async throws {
        try await Server.with(directory: directory) { server in
            let token = try await token("viewer")
            let id = String(token.split(separator: "_")[1])
            #expect(try await status("/v1/series?from=2026-01-01&to=2026-01-02", of: server, token) == 200)
            #expect(try await status("/v1/tokens", of: server, token) == 403)
            let list = try await admin(["token", "list"])
            #expect(list.output.hasPrefix("\(id)  viewer   until 20"), "\(list.output)")
            #expect(list.output.hasSuffix("a test\n") && !list.output.contains("never"))
            let json = try await admin(["token", "list", "--json"]).output
            #expect(json.contains("\"last_used\"") && !json.contains("hash"))
            let revoked = try await admin(["token", "revoke", id])
            #expect(revoked.status == 0 && revoked.output.hasPrefix("\(id) is revoked since 20"))
            #expect(try await status("/v1/series?from=2026-01-01&to=2026-01-02", of: server, token) == 401)
            #expect(try await admin(["token", "list"]).output.contains("revoked"))
            #expect(try await admin(["token", "revoke", "000000000000"]).status == 1)
            let verified = try await admin(["audit", "verify"])
            #expect(verified.status == 0 && verified.output.hasPrefix("9 entries, none changed"), "\(verified.output)")
        }
    }

    @Test("wrong roles, times, names and numbers are 64; no data directory is 1 with its path")
    func usage() async throws {
        for arguments in [
            ["create", "--role", "root"], ["create"], ["create", "--role", "admin", "--expires", "1w"],
            ["create", "--role", "admin", "--name", "a\nb"], ["revoke", "x"],
        ] {
            let ending = try await admin(["token"] + arguments)
            #expect(ending.status == 64, "\(arguments)")
        }
        let none = directory.path + "/none"
        let ending = try await RunningProgram.run(["admin", "token", "list", "--data-dir", none])
        #expect(ending.status == 1 && ending.errors.contains(none), "\(ending.errors)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).isEmpty)
    }

    @Test("verify names the first line that was changed and exits with 1; show prints the lines as they are")
    func audit() async throws {
        _ = try await token("viewer")
        _ = try await token("admin")
        let path = directory.path + "/audit.log"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(try await admin(["audit", "show"]).output == text)
        #expect(try await admin(["audit", "show", "--after", "1"]).output.hasPrefix("{\"sequence\":2,"))
        let good = try await admin(["audit", "verify"])
        let hash = try #require(good.output.split(separator: " ").last).trimmingCharacters(in: .newlines)
        #expect(try await admin(["audit", "verify", "--expect", hash]).status == 0)
        let missing = try await admin(["audit", "verify", "--expect", String(hash.reversed())])
        #expect(missing.status == 1 && missing.errors.contains("no line has the hash"))
        try text.replacing("token.create", with: "tokens.list").write(toFile: path, atomically: false, encoding: .utf8)
        let bad = try await admin(["audit", "verify"])
        #expect(bad.status == 1 && bad.output.isEmpty)
        #expect(bad.errors.contains("\(path):1: its content is not what its hash was made of"), "\(bad.errors)")
    }

    @Test("a cluster is erased from a stopped store and through a running backend, and its id is nowhere")
    func erases() async throws {
        var outputs: [RunningProgram.Ending] = []
        try await Server.with(directory: directory) { server in
            for cluster in ["canary-1", "canary-2", "other"] {
                #expect(try await server.post(cluster: cluster).status == 200)
            }
            let inUse = try await admin(["erase", "--cluster-uid", "canary-1"])
            #expect(inUse.status == 1 && inUse.errors.contains("--url"), "\(inUse.errors)")
            let noToken = try await admin(["erase", "--cluster-uid", "canary-1", "--url", server.adminURL])
            #expect(noToken.status == 64 && noToken.errors.contains("COZY_TELEMETRY_TOKEN"))
            for (role, status) in [("viewer", Int32(69)), ("admin", 0)] {
                let ending = try await admin(
                    ["erase", "--cluster-uid", "canary-1", "--url", server.adminURL],
                    environment: ["COZY_TELEMETRY_TOKEN": try await token(role)]
                )
                #expect(ending.status == status, "\(ending.errors)")
                outputs.append(ending)
            }
            #expect(outputs[0].errors.contains("answered 403: this takes the role admin"))
            #expect(outputs[1].output == "removed 1 sightings in 1 months\n")
            outputs += [inUse, noToken]
        }
        let offline = try await admin(["erase", "--cluster-uid", "-"], input: "canary-2\n")
        #expect(offline.status == 0 && offline.output == "removed 1 sightings in 1 months\n", "\(offline.errors)")
        let again = try await admin(["erase", "--cluster-uid", "canary-2", "--json"])
        #expect(again.status == 0 && again.output.contains("\"sightings\" : 0"))
        let wrong = try await admin(["erase", "--cluster-uid", "canary 3"])
        #expect(wrong.status == 64)
        let stats = try await RunningProgram.run(["store", "stats", "--json", "--data-dir", directory.path])
        #expect(stats.output.contains("\"clusters\" : 1"))
        for ending in outputs + [offline, again, wrong] {
            #expect(!(ending.output + ending.errors).contains("canary"))
        }
        let audit = try await admin(["audit", "show"]).output
        #expect(audit.split(separator: "\n").count { $0.contains("\"cluster.erase\"") } == 5, "\(audit)")
        #expect(!audit.contains("canary"))
    }
}

// SPDX-License-Identifier: Apache-2.0

import Foundation
import TelemetryModel
import TelemetryTesting
import Testing

/// Sends things that must not be found again, in every place of a request, and looks for them in everything that is left.
@Suite("Nothing personal is left anywhere")
struct CanaryTests {
    /// What must not be found; each is unlike anything that the backend prints by itself.
    private enum Canary {
        static let cluster = "6b1fca7e-90a1-4c3d-8e5f-c0ffee000001"
        static let refusedCluster = "6b1fca7e-90a1-4c3d-8e5f-c0ffee000002"
        static let workload = "7c2adb8f-01b2-4d4e-9f60-c0ffee000003"
        static let malformedCluster = "canary id with blanks"
        static let mail = "canary.person@mail.example"
        static let host = "canary-host.internal.example"
        static let path = "/home/canary/secrets"
        static let token = "canary-bearer-token"
        static let query = "canary-query"
        static let agent = "canary-user-agent"
        static let metric = "canary_unknown_metric"
        static let garbage = "canary garbage"
        static let forwarded = "203.0.113.77"
        static let address = "127.0.0.77"

        static let all = [
            cluster, refusedCluster, workload, malformedCluster, mail, host, path, token, query, agent, metric, garbage,
            forwarded, address,
        ]

        /// A canary as it could stand in bytes: as text, in capitals, without hyphens, as the bytes of its digits, in base64.
        static func forms(_ canary: String) -> [Data] {
            var forms = [canary, canary.uppercased(), Data(canary.utf8).base64EncodedString()]
            let digits = canary.filter { $0 != "-" }
            var bytes = Data()
            if digits.count == 32, digits.allSatisfy(\.isHexDigit) {
                forms.append(digits)
                var rest = Substring(digits)
                while let byte = UInt8(rest.prefix(2), radix: 16) {
                    bytes.append(byte)
                    rest = rest.dropFirst(2)
                }
            }
            return forms.map { Data($0.utf8) } + (bytes.isEmpty ? [] : [bytes])
        }
    }

    private static let body = """
        cozy_cluster_info{cozystack_version="v1.0.0",kubernetes_version="\(Canary.mail)",bundle_name="\(Canary.host)"} 1
        cozy_nodes_count{os="\(Canary.path)",kernel="\(Canary.address)"} 3
        cozy_tenants_count 2
        cozy_pvs_count{driver="\(Canary.mail)",size="5Gi"} 7
        cozy_workloads_count{uid="\(Canary.workload)",kind="etcd",type="\(Canary.mail)",version="\(Canary.forwarded)"} 3
        \(Canary.metric){a="\(Canary.mail)"} 1

        """

    /// One request from an address of its own, with canaries in every header; the status.
    private func send(_ server: Server, _ arguments: [String], path: String = "/") async throws -> String {
        let common = [
            "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--interface", Canary.address, "-A", Canary.agent,
            "-H", "Authorization: Bearer \(Canary.token)", "-H", "X-Forwarded-For: \(Canary.forwarded)",
            "-H", "Content-Type: text/plain", "-H", "Referer: http://\(Canary.host)/",
        ]
        let program = try RunningProgram(command: common + arguments + [server.url + path])
        return await program.ending().output
    }

    private func sendEverything(_ server: Server) async throws {
        let id = ["-H", "X-Cluster-ID: \(Canary.cluster)"]
        let refused = ["-H", "X-Cluster-ID: \(Canary.refusedCluster)"]
        let body = ["--data-binary", Self.body]
        #expect(try await send(server, id + body) == "200")
        #expect(try await send(server, id + body, path: "/?\(Canary.query)=1") != "")
        #expect(try await send(server, ["-H", "X-Cluster-ID: \(Canary.malformedCluster)"] + body) == "400")
        #expect(try await send(server, refused + ["--data-binary", "\(Canary.garbage) {"]) == "400")
        #expect(try await send(server, refused + ["--data-binary", "cozy_tenants_count \(Canary.garbage)"]) == "400")
        #expect(try await send(server, refused + body + ["-H", "Content-Encoding: gzip"]) == "400")
        #expect(try await send(server, refused + body + ["-H", "Signature: \(Canary.token)"]) != "")
        let key = ["-H", "X-Cluster-ID: 6b1fca7e-90a1-8c3d-8e5f-c0ffee000004"]
        #expect(try await send(server, key + body) == "401")
        #expect(try await send(server, refused + ["-X", "DELETE"], path: "/v1/cluster") == "401")
        #expect(try await send(server, refused, path: "/api/overview?year=\(Canary.query)") == "400")
        #expect(try await send(server, refused, path: "/api/breakdowns?by=\(Canary.query)") == "400")
        #expect(try await send(server, refused, path: "/\(Canary.query)") == "404")
    }

    /// Asks the private listener, with a token that is good and one that is not; the good one.
    private func askPrivately(_ server: Server, _ directory: TemporaryDirectory) async throws -> String {
        let made = try await RunningProgram.run([
            "admin", "token", "create", "--role", "admin", "--expires", "1d", "--data-dir", directory.path,
        ])
        let token = try #require(
            made.output.split(whereSeparator: \.isWhitespace).map(String.init).first { $0.count > 40 }
        )
        let good = ["-H", "Authorization: Bearer \(token)"]
        let clusters = "\(server.adminURL)/v1/clusters?year=2026&month=3"
        let erasure = ["-H", "Content-Type: application/json", "--data", "{\"cluster_uid\": \"\(Canary.cluster)\"}"]
        let requests = [
            (["-H", "Authorization: Bearer \(Canary.token)", clusters], "401"), (good + [clusters], "200"),
            (good + ["\(server.adminURL)/v1/\(Canary.query)"], "404"),
            (good + erasure + ["\(server.adminURL)/v1/erasures"], "200"),
        ]
        let common = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--interface", Canary.address]
        for (arguments, status) in requests {
            #expect(try await RunningProgram(command: common + arguments).ending().output == status, "\(arguments)")
        }
        return token
    }

    @Test(
        "no identifier, address, token or body is in the log at any level, in answers, metrics, the store, or its backup"
    )
    func canaries() async throws {
        let directory = try TemporaryDirectory()
        let backup = try TemporaryDirectory()
        var texts: [String: String] = [:]
        let server = try await Server.start(["--log-level", "trace"], directory: directory)
        try await sendEverything(server)
        let token = try await askPrivately(server, directory)
        try await sendEverything(server)
        texts["metrics"] = try await server.metrics()
        let overview = try await RunningProgram.run(["overview", "--json", "--url", server.url])
        texts["overview"] = overview.output + overview.errors
        let copy = try await RunningProgram.run([
            "store", "backup", "--data-dir", directory.path, backup.path + "/copy.sqlite",
        ])
        #expect(copy.status == 0, "\(copy.errors)")
        texts["backup command"] = copy.output + copy.errors
        // The log beside the store is looked at as it is, before anything is brought into the store.
        server.program.signal(SIGKILL)
        let ending = await server.program.ending()
        texts["output"] = ending.output
        texts["log"] = ending.errors
        #expect(ending.errors.contains("takes reports") || ending.output.contains("takes reports"))

        var places = texts.mapValues { Data($0.utf8) }
        for folder in [directory.path, backup.path] {
            for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
                places[name] = try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name))
            }
        }
        #expect(places.keys.contains("telemetry.sqlite-wal") && places.keys.contains("copy.sqlite"))
        // The search itself works: a value that is kept is found in the store, and the count in the metrics.
        #expect(
            places.contains { $0.key.hasPrefix("telemetry.sqlite") && $0.value.range(of: Data("v1.0.0".utf8)) != nil }
        )
        for (place, bytes) in places {
            for canary in Canary.all + [token] {
                for form in Canary.forms(canary) {
                    #expect(bytes.range(of: form) == nil, "\(canary) is in \(place)")
                }
            }
        }
    }
}

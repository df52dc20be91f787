// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import ReportStore
import TelemetryModel
import TelemetryTesting
import Testing

@testable import TelemetryServer

@Suite("/v1/ of the private listener")
struct AccessRouteTests {
    private static let march = "?year=2026&month=3"
    private static let kernel = "cozy_nodes_count{os=\"linux (Talos (v1.8.4))\",kernel=\"6.6.64-talos\"} 3\n"

    private func pseudonym(of cluster: String, in backend: RunningTestBackend) throws -> Pseudonym {
        let pseudonymizer = try PseudonymKeyFile.load(fromDirectory: backend.directory.path)
        return pseudonymizer.pseudonym(of: try #require(ClusterID(cluster)))
    }

    @Test("without a token, or with one that is none, it is 401 with a challenge, also where there is nothing")
    func unauthenticated() async throws {
        try await RunningTestBackend.with { backend async throws in
            let token = try backend.token(.admin)
            var changed = token
            changed.removeLast()
            for path in ["/v1/overview" + Self.march, "/v1/clusters", "/v1/tokens", "/v1/audit", "/v1/x", "/v1/"] {
                let none = try await backend.admin(path)
                #expect(none.status == 401)
                #expect(none.headers.first(name: "WWW-Authenticate") == "Bearer realm=\"cozy-telemetry\"")
                for wrong in ["Bearer " + changed, "Bearer x.y.z", "Basic " + token, token, "Bearer \(token) x"] {
                    let answer = try await backend.admin(path, authorization: [wrong])
                    #expect(answer.status == 401, "\(path) \(wrong)")
                    #expect(answer.headers.first(name: "WWW-Authenticate")?.contains("invalid_token") == true)
                    #expect(answer.body.hasPrefix("{\"error\":"))
                }
                let twice = try await backend.admin(path, authorization: ["Bearer \(token)", "Bearer \(token)"])
                #expect(twice.status == 401)
            }
            #expect(try await backend.admin("/v1/tokens", authorization: ["bearer " + token]).status == 200)
            #expect(try await backend.get("/v1/tokens").status == 404)
            let metrics = try await backend.metrics()
            #expect(metrics.contains("telemetry_access_decisions_total{decision=\"allowed\"} 1\n"))
            #expect(metrics.contains("telemetry_access_decisions_total{decision=\"refused\"} 42\n"))
        }
    }

    @Test("a role that may less is 403 and nothing is done; everybody may what is theirs")
    func forbidden() async throws {
        try await RunningTestBackend.with { backend async throws in
            #expect(try await backend.post(Self.kernel, as: "a").status == 200)
            let viewer = try backend.token(.viewer)
            let analyst = try backend.token(.analyst)
            let victim = "/v1/clusters/\(try pseudonym(of: "a", in: backend))"
            for (path, method) in [(victim, HTTPMethod.DELETE), ("/v1/erasures", .POST), ("/v1/tokens", .POST)] {
                for token in [viewer, analyst] {
                    let answer = try await backend.admin(path, method, token: token, body: "{\"cluster_uid\":\"a\"}")
                    #expect(answer.status == 403)
                    #expect(answer.body == "{\"error\":\"this takes the role admin\"}")
                }
            }
            #expect(try await backend.admin("/v1/clusters" + Self.march, token: viewer).status == 403)
            #expect(try await backend.admin("/v1/clusters" + Self.march, token: analyst).status == 200)
            #expect(try await backend.admin("/v1/overview" + Self.march, token: viewer).status == 200)
            #expect(backend.store.clusterCount == 1)
            #expect(try backend.tokens.all().count == 2)
        }
    }

    @Test("a viewer sees what few clusters have, by month and by day, which the public overview folds")
    func aggregates() async throws {
        try await RunningTestBackend.with { backend async throws in
            let report = "cozy_application_count{kind=\"RareThing\"} 2\n" + Self.kernel
            #expect(try await backend.post(report, as: "a").status == 200)
            let token = try backend.token(.viewer)
            let overview = try await backend.admin("/v1/overview" + Self.march, token: token)
            #expect(overview.body.contains("\"RareThing\":2"), "\(overview.body)")
            #expect(overview.headers.first(name: "Cache-Control") == "no-store")
            #expect(overview.headers.first(name: "Access-Control-Allow-Origin") == nil)
            #expect(try await !backend.get("/api/overview" + Self.march).body.contains("RareThing"))
            let breakdown = try await backend.admin("/v1/breakdowns/kernel\(Self.march)&window=year", token: token)
            #expect(
                breakdown.body
                    == "{\"dimension\":\"kernel\",\"end\":\"2026-03-31\",\"label\":\"April 2025 — March 2026\","
                    + "\"start\":\"2025-04-01\",\"values\":{\"6.6.64-talos\":{\"clusters\":1,\"clusters_at_end\":1}}}"
            )
            let series = try await backend.admin("/v1/series?from=2026-02-28&to=2026-03-01", token: token)
            #expect(series.body.contains("\"nodes\":3") && series.body.contains("\"day\":\"2026-02-28\""))
            for path in [
                "/v1/overview", "/v1/overview?year=2026&month=4", "/v1/breakdowns/kernel\(Self.march)&window=week",
                "/v1/series", "/v1/series?from=2026-03-01&to=2026-02-28", "/v1/series?from=2026-03-01&to=2026-03-02",
                "/v1/series?from=2024-12-01&to=2026-02-28",
            ] {
                let answer = try await backend.admin(path, token: token)
                #expect(answer.status == 400, "\(path): \(answer.body)")
            }
        }
    }

    @Test("an analyst reads the clusters of a month in parts, as one document and as lines; no part repeats a cluster")
    func clusters() async throws {
        try await RunningTestBackend.with { backend async throws in
            for number in 0..<5 {
                let body = number == 4 ? "cozy_tenants_count 7\n" : Self.kernel
                #expect(try await backend.post(body, as: "cluster-\(number)").status == 200)
            }
            let token = try backend.token(.analyst)
            var (path, lines): (String?, [String]) = ("/v1/clusters\(Self.march)&limit=2", [])
            while let next = path {
                let part = try await backend.admin(next, token: token, accept: "application/x-ndjson")
                #expect(part.headers.first(name: "Content-Type") == "application/x-ndjson")
                lines += part.body.split(separator: "\n").map(String.init)
                path = part.headers.first(name: "Link").flatMap { link in
                    link.split(separator: ">").first.map { String($0.dropFirst()) }
                }
            }
            #expect(lines.count == 5)
            let expected = try pseudonym(of: "cluster-4", in: backend)
            let row = try #require(lines.first { $0.contains("\(expected)") })
            #expect(row.contains("\"tenants\":7") && row.contains("\"first_day\":\"2026-03-01\""), "\(row)")
            #expect(lines.count { $0.contains("\"kernel\":[\"6.6.64-talos\"]") } == 4)
            #expect(!lines.joined().contains("cluster-"))
            let document = try await backend.admin("/v1/clusters\(Self.march)&limit=2", token: token)
            #expect(document.body.contains("\"next\":2"))
            #expect(
                try await backend.admin("/v1/clusters?year=2026&month=2", token: token).body.contains("\"clusters\":[]")
            )
            for query in ["&limit=0", "&limit=1001", "&after=-1", "&after=x", "&limit=1&limit=2"] {
                #expect(try await backend.admin("/v1/clusters" + Self.march + query, token: token).status == 400)
            }
        }
    }

    @Test("an admin erases by pseudonym and by UID, and nothing of the id is left in log or audit")
    func erases() async throws {
        try await RunningTestBackend.with { backend async throws in
            for cluster in ["canary-1", "canary-2"] {
                #expect(try await backend.post(Self.kernel, as: cluster).status == 200)
            }
            let token = try backend.token(.admin)
            let (first, second) = try (pseudonym(of: "canary-1", in: backend), pseudonym(of: "canary-2", in: backend))
            let erased = try await backend.admin("/v1/clusters/\(first)", .DELETE, token: token)
            #expect(erased.body == "{\"counted_in_finished_windows\":false,\"months\":1,\"sightings\":1}")
            #expect(backend.store.clusterCount == 1)
            let body = "{\"cluster_uid\":\"canary-2\"}"
            #expect(try await backend.admin("/v1/erasures", .POST, token: token, body: body).status == 200)
            #expect(backend.store.clusterCount == 0)
            #expect(
                try await backend.admin("/v1/erasures", .POST, token: token, body: body).body.contains("\"months\":0")
            )
            for wrong in ["", "{}", "[]", "{\"cluster_uid\":\"canary 3\"}", "{\"cluster_uid\":7}"] {
                let answer = try await backend.admin("/v1/erasures", .POST, token: token, body: wrong)
                #expect(answer.status == 400 && !answer.body.contains("canary"))
            }
            let long = String(repeating: "x", count: 5_000)
            #expect(try await backend.admin("/v1/erasures", .POST, token: token, body: long).status == 413)
            let audit = try backend.audit.lines().joined()
            #expect(audit.contains("\(first)") && audit.contains("\(second)"))
            for text in backend.log.recorded + [audit] { #expect(!text.contains("canary")) }
        }
    }

    @Test("an admin creates tokens that count at once, lists them without secrets, and revokes them at once")
    func tokens() async throws {
        try await RunningTestBackend.with { backend async throws in
            let admin = try backend.token(.admin)
            let body = "{\"role\":\"viewer\",\"expires\":\"1h\",\"name\":\"grafana\"}"
            let created = try await backend.admin("/v1/tokens", .POST, token: admin, body: body)
            #expect(created.status == 201)
            let fields = try JSONDecoder().decode([String: String].self, from: Data(created.body.utf8))
            let (token, id) = (try #require(fields["token"]), try #require(fields["id"]))
            #expect(try await backend.admin("/v1/overview" + Self.march, token: token).status == 200)
            let list = try await backend.admin("/v1/tokens", token: admin).body
            #expect(list.contains("\"name\":\"grafana\"") && list.contains("\"last_used\":\"2026-03-01T00:00:00Z\""))
            #expect(!list.contains("hash") && !list.contains(token))
            #expect(try await backend.admin("/v1/tokens/\(id)", .DELETE, token: admin).status == 200)
            #expect(try await backend.admin("/v1/overview" + Self.march, token: token).status == 401)
            #expect(try await backend.admin("/v1/tokens/000000000000", .DELETE, token: admin).status == 404)
            for wrong in [
                "{\"role\":\"root\"}", "{\"role\":\"admin\",\"expires\":\"soon\"}",
                "{\"role\":\"admin\",\"name\":\"\"}", "x",
            ] { #expect(try await backend.admin("/v1/tokens", .POST, token: admin, body: wrong).status == 400) }
            backend.clock.now = backend.clock.now.advanced(bySeconds: 91 * 86_400)
            #expect(try await backend.admin("/v1/tokens", token: admin).status == 401)
        }
    }

    @Test("every decision is a line of the audit log before its answer, without secrets")
    func audited() async throws {
        try await RunningTestBackend.with { backend async throws in
            let (viewer, admin) = (try backend.token(.viewer), try backend.token(.admin))
            _ = try await backend.admin("/v1/overview" + Self.march, token: viewer)
            _ = try await backend.admin("/v1/tokens", token: viewer)
            _ = try await backend.admin("/v1/audit")
            _ = try await backend.admin("/v1/nothing", token: viewer)
            _ = try await backend.admin("/v1/erasures", .POST, token: admin, body: "x")
            _ = try await backend.admin("/v1/breakdowns/os" + Self.march, token: admin)
            let answer = try await backend.admin("/v1/audit?limit=6", token: admin, accept: "application/x-ndjson")
            #expect(answer.headers.first(name: "Link") == "</v1/audit?limit=6&after=6>; rel=\"next\"")
            let lines = try answer.body.split(separator: "\n").map {
                try JSONDecoder().decode(AuditLine.self, from: Data($0.utf8))
            }
            let ids = [viewer, admin].map { "token:\($0.split(separator: "_")[1])" }
            #expect(
                lines.map { [$0.who, $0.operation, $0.object ?? "", $0.decision.rawValue, $0.reason ?? ""] } == [
                    [ids[0], "overview.read", "", "allowed", ""],
                    [ids[0], "tokens.list", "", "refused", "needs admin"],
                    ["nobody", "identify", "", "refused", "no token is given"],
                    [ids[0], "unknown", "", "refused", "there is nothing at this path"],
                    [ids[1], "cluster.erase", "", "allowed", ""], [ids[1], "breakdowns.read", "os", "allowed", ""],
                ]
            )
            #expect(try backend.audit.verify().entries == 7)
            #expect(try await backend.admin("/v1/audit?after=6&limit=1", token: admin).body.contains("\"next\":7"))
            let text = try backend.audit.lines().joined()
            for token in [viewer, admin] { #expect(!text.contains(try #require(token.split(separator: "_").last))) }
        }
    }

    @Test("a private listener without TLS that others reach is warned of", arguments: [("127.0.0.1:0", 0), (":0", 1)])
    func inTheClear(address: String, warnings: Int) async throws {
        let address = try #require(ListenAddress(address))
        try await RunningTestBackend.with(adjust: { $0.adminAddress = address }) { backend async throws in
            #expect(backend.log.recorded.count { $0.hasPrefix("warning tokens travel in the clear") } == warnings)
        }
    }

    @Test("tokens that cannot be read are 503 and logged with their path, and nobody is let in")
    func unreadableTokens() async throws {
        try await RunningTestBackend.with { backend async throws in
            let token = try backend.token(.admin)
            let path = backend.directory.path + "/" + TokenFile.fileName
            try "{".write(toFile: path, atomically: true, encoding: .utf8)
            #expect(try await backend.admin("/v1/tokens", token: token).status == 503)
            #expect(backend.log.recorded.contains { $0.hasPrefix("error access cannot be") && $0.contains(path) })
        }
    }

    @Test("where a decision cannot be written down it is 503 and nothing is done")
    func unwritable() async throws {
        try await RunningTestBackend.with { backend async throws in
            #expect(try await backend.post(Self.kernel, as: "a").status == 200)
            let token = try backend.token(.admin)
            try FileManager.default.createDirectory(atPath: backend.audit.path, withIntermediateDirectories: false)
            let victim = "/v1/clusters/\(try pseudonym(of: "a", in: backend))"
            let answer = try await backend.admin(victim, .DELETE, token: token)
            #expect(answer.status == 503)
            #expect(backend.store.clusterCount == 1)
            #expect(backend.log.recorded.contains { $0.hasPrefix("error access cannot be decided or written down") })
        }
    }
}

extension RunningTestBackend {
    /// The backend's tokens.
    var tokens: TokenFile { TokenFile(directory: directory.path) }

    /// The backend's audit log.
    var audit: AuditLog { AuditLog(directory: directory.path) }

    /// A new token of a role.
    func token(_ role: Role) throws -> String {
        let token = NewToken(role, for: .standard, name: nil, at: clock.now)
        try tokens.add(token)
        return token.text
    }

    /// Asks for a path of the private listener.
    func admin(
        _ path: String,
        _ method: HTTPMethod = .GET,
        token: String? = nil,
        authorization: [String] = [],
        accept: String? = nil,
        body: String? = nil
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: adminURL + path)
        request.method = method
        for value in authorization + (token.map { ["Bearer " + $0] } ?? []) {
            request.headers.add(name: "Authorization", value: value)
        }
        if let accept { request.headers.add(name: "Accept", value: accept) }
        if let body { request.body = .bytes(ByteBuffer(string: body)) }
        return try await answer(to: request)
    }
}

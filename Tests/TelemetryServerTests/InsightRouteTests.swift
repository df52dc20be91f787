// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOHTTP1
import TelemetryModel
import TelemetryTesting
import Testing

@testable import TelemetryServer

@Suite("/v1/insights/ of the private listener")
struct InsightRouteTests {
    private static let march = "?year=2026&month=3"
    private static let report = """
        cozy_cluster_info{cozystack_version="v1.0.0",kubernetes_version="v1.31.4"} 1
        cozy_nodes_count{os="linux (Talos (v1.8.4))",kernel="6.6.64-talos"} 3
        cozy_package_info{name="cozystack.core",variant="default"} 1

        """

    /// What each insight is asked for with.
    private static func paths() -> [String] {
        Insight.allCases.map { insight in
            let more =
                switch insight {
                case .curve: march + "&dimension=os&value=linux%20(Talos%20(v1.8.4))&months=2"
                case .refusals: ""
                default: march
                }
            return "/v1/insights/\(insight.rawValue)\(more)"
        }
    }

    @Test("a viewer gets all of them, with all names; nobody else does, and each is a line of the audit log")
    func roles() async throws {
        try await RunningTestBackend.with { backend async throws in
            #expect(try await backend.post(Self.report, as: "a").status == 200)
            let token = try backend.token(.viewer)
            for path in Self.paths() {
                #expect(try await backend.admin(path).status == 401, "\(path)")
                #expect(try await backend.get(path).status == 404, "\(path)")
                let answer = try await backend.admin(path, token: token)
                #expect(answer.status == 200, "\(path): \(answer.body)")
                #expect(answer.headers.first(name: "Cache-Control") == "no-store")
            }
            let lines = try backend.audit.lines().filter { $0.contains("\"operation\":\"insights.read\"") }
            #expect(lines.count == Insight.allCases.count)
            for (line, insight) in zip(lines, Insight.allCases) {
                #expect(line.contains("\"object\":\"\(insight.rawValue)\"") && line.contains("\"allowed\""))
            }
        }
    }

    @Test("the shapes")
    func shapes() async throws {
        try await RunningTestBackend.with { backend async throws in
            #expect(try await backend.post(Self.report, as: "a").status == 200)
            #expect(try await backend.post("cozy_x 1\n" + Self.report, as: "b").status == 200)
            #expect(try await backend.post("{", as: "c").status == 400)
            let token = try backend.token(.viewer)
            func body(_ path: String) async throws -> String {
                try await backend.admin("/v1/insights/" + path, token: token).body
            }
            let about =
                "\"clusters_damaged\":0,\"clusters_read\":2,\"dimension\":\"cozystack_version\",\"end\":\"2026-03-31\","
                + "\"generated_at\":\"2026-03-01T00:00:00Z\""
            #expect(
                try await body("adoption\(Self.march)&months=1") == "{\(about),"
                    + "\"months\":[{\"clusters\":2,\"current\":2,\"lag\":{\"median\":0,\"quarter\":0,\"three_quarters\":0},"
                    + "\"month\":\"2026-03\"}],\"start\":\"2026-03-01\",\"versions\":[{\"at_end\":[2],\"clusters\":2,"
                    + "\"days_to\":{\"half\":0,\"nine_tenths\":0,\"quarter\":0},\"first_seen\":\"2026-03-01\","
                    + "\"version\":\"v1.0.0\"}]}"
            )
            #expect(
                try await body("upgrades\(Self.march)&dimension=kubernetes_version").contains(
                    "\"moves\":0,\"paths\":[]"
                )
            )
            #expect(try await body("together\(Self.march)").contains("\"clusters\":2") == true)
            #expect(
                try await body("churn\(Self.march)&months=1").contains(
                    "\"months\":[{\"clusters\":2,\"kept\":0,\"month\":\"2026-03\",\"new\":2,\"returned\":0}]"
                )
            )
            #expect(
                try await body("sizes\(Self.march)&months=1").contains(
                    "\"nodes\":{\"clusters\":[0,0,2,0,0,0,0,0,0],\"unknown\":0}"
                )
            )
            #expect(
                try await body("curve\(Self.march)&dimension=cozystack_version&value=v1.0.0&months=2")
                    == "{\"dimension\":\"cozystack_version\",\"months\":[{\"clusters\":0,\"month\":\"2026-02\","
                    + "\"with_value\":0,\"with_value_at_end\":0},{\"clusters\":2,\"month\":\"2026-03\",\"with_value\":2,"
                    + "\"with_value_at_end\":2}],\"value\":\"v1.0.0\"}"
            )
            let refusals = try await body("refusals")
            #expect(refusals.contains("\"accepted\":2,\"dropped\":{\"labels\":0,\"replaced_values\":0,\"samples\":1}"))
            #expect(refusals.contains("\"reports\":1,\"status\":400}") && refusals.contains("\"since\":\"2026-03-01T"))
        }
    }

    @Test("what is not well-formed is 400 and says what would be, and what there is not is 404")
    func refused() async throws {
        try await RunningTestBackend.with { backend async throws in
            let token = try backend.token(.viewer)
            let curve = "curve" + Self.march
            for path in [
                "adoption", "adoption?year=2026&month=4", "adoption\(Self.march)&months=0",
                "adoption\(Self.march)&months=25", "adoption\(Self.march)&limit=1001", "churn\(Self.march)&months=x",
                "adoption\(Self.march)&dimension=os", "upgrades\(Self.march)&dimension=x",
                "together\(Self.march)&least=0",
                curve, curve + "&dimension=os", curve + "&value=a", curve + "&dimension=os&value=",
                curve + "&dimension=x&value=a", curve + "&dimension=os&value=a&value=b",
                curve + "&dimension=os&value=" + String(repeating: "x", count: 301),
            ] {
                let answer = try await backend.admin("/v1/insights/" + path, token: token)
                #expect(answer.status == 400, "\(path): \(answer.body)")
            }
            for path in ["", "x", "churn/x"] {
                #expect(try await backend.admin("/v1/insights/\(path)\(Self.march)", token: token).status == 404)
            }
            #expect(try await backend.admin("/v1/insights/churn", .POST, token: token).status == 405)
        }
    }

    @Test("a backend without figures has none of them, but what it refused")
    func forwardOnly() async throws {
        try await RunningTestBackend.with(adjust: { $0.isForwardOnly = true }) { backend async throws in
            let token = try backend.token(.viewer)
            for path in Self.paths() {
                let answer = try await backend.admin(path, token: token)
                #expect(answer.status == (path.hasSuffix("refusals") ? 200 : 404), "\(path): \(answer.body)")
            }
        }
    }
}

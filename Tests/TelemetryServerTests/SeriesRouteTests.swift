// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOHTTP1
import TelemetryModel
import TelemetryTesting
import Testing

@testable import TelemetryServer

@Suite("GET /api/series")
struct SeriesRouteTests {
    @Test(
        "parameters that are missing, repeated, malformed or out of range are 400 with a reason, for pages too",
        arguments: [
            "year=2026&month=3", "of=cats&year=2026&month=3", "of=nodes&of=nodes&year=2026&month=3", "of=nodes",
            "of=nodes&year=2026&month=4", "of=nodes&year=2026&month=3&months=0", "of=nodes&year=2026&month=3&months=61",
            "of=nodes&year=2026&month=3&window=week", "of=nodes&year=2026&month=3&format=xml",
            "of=nodes&year=2026&month=3&format=csv&format=json",
        ]
    )
    func refusesParameters(query: String) async throws {
        try await RunningTestBackend.with { backend async throws in
            let answer = try await backend.get("/api/series?" + query)
            #expect(answer.status == 400)
            #expect(try JSONDecoder().decode([String: String].self, from: Data(answer.body.utf8))["error"] != nil)
            #expect(answer.headers.first(name: "Access-Control-Allow-Origin") == "*")
        }
    }

    @Test("every curve of every window equals the definitions, and as CSV too", arguments: [31])
    func equalsTheDefinitions(seed: UInt64) async throws {
        try await RunningTestBackend.with { backend async throws in
            let first = CalendarMonth(year: 2025, month: 2)
            let reference = try await backend.submit(clusters: 20, from: first, months: 14, seed: seed)
            // Of the last month breakdowns are told from the next day on.
            let end = first + 13
            for name in SeriesName.allCases {
                for length in Window.Length.allCases {
                    let windows = (0..<14).map { Window(length, endingWith: first + $0) }
                    let expected = PublicSeries(
                        of: name,
                        length,
                        threshold: 5,
                        asOf: name.dimension == nil ? nil : backend.clock.now.day,
                        points: windows.map { .init($0, values: Self.values(of: name, in: $0, reference)) }
                    )
                    let query = "of=\(name.rawValue)&year=\(end.year)&month=\(end.month)&months=14&window=\(length)"
                    let answer = try await backend.get("/api/series?" + query)
                    let series = try JSONDecoder().decode(PublicSeries.self, from: Data(answer.body.utf8))
                    for (point, right) in zip(series.points, expected.points) {
                        #expect(point == right, "seed \(seed), \(query)")
                    }
                    #expect(series == expected)
                    let csv = try await backend.get("/api/series?format=csv&" + query)
                    #expect(csv.headers.first(name: "Content-Type") == "text/csv; charset=utf-8; header=present")
                    #expect(csv.body == Self.csv(expected), "seed \(seed), \(query)")
                }
            }
        }
    }

    private static func values(
        of name: SeriesName,
        in window: Window,
        _ reference: ReferenceFigures
    ) -> [String: Int64] {
        let totals = reference.totals(of: window)
        switch name {
        case .cozystackVersion, .kubernetesVersion:
            let counts = reference.breakdown(by: name.dimension ?? .kernel, in: window)
            let values = PublicBreakdown(counts, threshold: 5).values
            return Dictionary(values.map { ($0.value, Int64($0.clustersAtEnd)) }) { $1 }
        case .applications:
            var counts = reference.canonicalApplications(in: window)
            // The kinds of the fleet that are in no vocabulary: one that few have takes the other one with it.
            for kind in ["InHouseApp", "inhouseapp"] where counts[kind] == 0 { counts[kind] = nil }
            let kinds = ["InHouseApp", "inhouseapp"].filter { counts[$0] != nil }
            let isRare = kinds.map { totals.all[.clustersWithApplication(kind: $0)] ?? 0 < 5 }
            if isRare.contains(true) {
                if isRare.contains(false) { counts["other"] = kinds.reduce(0) { $0 + (counts[$1] ?? 0) } }
                for kind in kinds { counts[kind] = nil }
            }
            return counts
        case .capacity:
            return ["cpu", "memory"].reduce(into: [:]) { $0[$1] = totals.all[.capacity(resource: $1)] ?? 0 }
        case .clusters, .nodes, .tenants, .loadBalancers, .volumes:
            let figures: [SeriesName: Figure] = [
                .clusters: .clusters, .nodes: .nodes, .tenants: .tenants, .loadBalancers: .loadBalancers,
                .volumes: .volumes,
            ]
            let figure = figures[name] ?? .clusters
            return ["all": totals.all[figure] ?? 0, "established": totals.established[figure] ?? 0]
        }
    }

    private static func csv(_ series: PublicSeries) -> String {
        "month,start,end,name,value\r\n"
            + series.points.flatMap { point in
                point.values.sorted { $0.key < $1.key }.map {
                    "\(point.month),\(point.start),\(point.end),\($0),\($1)\r\n"
                }
            }.joined()
    }

    @Test("cells are quoted where they have to be, and none is a formula")
    func cells() {
        let table = CSVTable(
            columns: ["a", "b"],
            rows: [[.text("x,\"y\""), .number(-1)], [.text("=1+1"), .decimal(2.5)], [.text("two\nlines"), "plain"]]
        )
        #expect(table.text == "a,b\r\n\"x,\"\"y\"\"\",-1\r\n'=1+1,2.5\r\n\"two\nlines\",plain\r\n")
    }

    @Test("the overview and the breakdowns come as CSV too, with the numbers of their JSON")
    func others() async throws {
        try await RunningTestBackend.with { backend async throws in
            let start = backend.clock.now
            for cluster in 0..<7 {
                let id = "00000000-0000-4000-8000-00000000000\(cluster)"
                #expect(
                    try await backend.post("cozy_nodes_count{os=\"linux (A, B)\",kernel=\"6.1\"} 3\n", as: id).status
                        == 200
                )
            }
            backend.clock.now = start.advanced(bySeconds: 86_400)
            let overview = try await backend.get("/api/overview?year=2026&month=3&format=csv").body
            #expect(overview.hasPrefix("period,start,end,name,value\r\nmonth,2026-03-01,2026-03-31,clusters,7\r\n"))
            #expect(overview.contains("\r\nyear,2025-04-01,2026-03-31,avg_nodes_per_cluster,3.0\r\n"))
            let breakdown = try await backend.get("/api/breakdowns?by=os&year=2026&month=3&format=csv")
            #expect(breakdown.body.hasPrefix("period,start,end,value,clusters,clusters_at_end\r\n"))
            #expect(breakdown.body.contains("\r\nquarter,2026-01-01,2026-03-31,\"linux (A, B)\",5,5\r\n"))
            let website = try await backend.get("/api/oss-health?year=2026&month=3")
            #expect(website.body.contains(#""label":"Clusters","value":"7""#))
            #expect(try await backend.get("/api/oss-health?year=2026&month=4").status == 400)
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import FleetSimulator
import Foundation
import NIOHTTP1
import ReportStore
import TelemetryModel
import TelemetryTesting
import Testing

@testable import TelemetryServer

@Suite("GET /api/overview")
struct OverviewRouteTests {
    @Test(
        "parameters that are missing, repeated, malformed or out of range are 400 with a reason, for pages too",
        arguments: [
            "", "?year=2026", "?month=3", "?year=2026&month=13", "?year=2026&month=0", "?year=2023&month=3",
            "?year=2101&month=1", "?year=2026&month=3&month=4", "?year=x&month=3", "?year=2026&month=+3",
            "?year=2026&month=3.0", "?year=&month=",
        ]
    )
    func refusesParameters(query: String) async throws {
        try await RunningTestBackend.with { backend async throws in
            let answer = try await backend.get("/api/overview" + query)
            #expect(answer.status == 400)
            #expect(try JSONDecoder().decode([String: String].self, from: Data(answer.body.utf8))["error"] != nil)
            #expect(answer.headers.first(name: "Access-Control-Allow-Origin") == "*")
        }
    }

    @Test("a month that has not begun is 400, one without reports has zeros")
    func emptyAndFutureMonths() async throws {
        try await RunningTestBackend.with { backend async throws in
            #expect(try await backend.get("/api/overview?year=2026&month=4").status == 400)
            let answer = try await backend.get("/api/overview?year=2026&month=3")
            #expect(answer.status == 200)
            #expect(answer.headers.first(name: "Access-Control-Allow-Origin") == "*")
            let overview = try JSONDecoder().decode(Overview.self, from: Data(answer.body.utf8))
            #expect(overview.periods.month.clusters == 0)
            #expect(overview.periods.month.start == "2026-03-01")
            #expect(overview.periods.month.end == "2026-03-31")
            #expect(overview.periods.quarter.label == "January 2026 — March 2026")
            #expect(overview.periods.year.label == "April 2025 — March 2026")
        }
    }

    @Test("a store that cannot answer is 503, never zeros")
    func unavailable() async throws {
        try await RunningTestBackend.with { backend async throws in
            try await backend.closeStore()
            let answer = try await backend.get("/api/overview?year=2026&month=3")
            #expect(answer.status == 503)
            #expect(answer.headers.first(name: "Retry-After") != nil)
            #expect(try await backend.get("/readyz").status == 503)
            #expect(try await backend.get("/healthz").status == 200)
        }
    }

    @Test("it equals the definitions for random fleets of both generations over 14 months", arguments: [11, 12])
    func equalsTheDefinitions(seed: UInt64) async throws {
        try await RunningTestBackend.with { backend async throws in
            let first = CalendarMonth(year: 2025, month: 2)
            let reference = try await backend.submit(clusters: 20, from: first, months: 14, seed: seed)
            let end = first + 14
            backend.clock.now = UTCInstant(startOf: end.firstDay)
            for month in (0...14).map({ first + $0 }) {
                let answer = try await backend.get("/api/overview?year=\(month.year)&month=\(month.month)")
                let overview = try JSONDecoder().decode(Overview.self, from: Data(answer.body.utf8))
                let expected = Overview(
                    endingWith: month,
                    generatedAt: backend.clock.now,
                    threshold: 5,
                    totals: reference.totals
                )
                #expect(overview == expected, "seed \(seed), \(month)")
            }
        }
    }
}

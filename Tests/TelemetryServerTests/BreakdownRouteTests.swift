// SPDX-License-Identifier: Apache-2.0

import FleetSimulator
import Foundation
import NIOHTTP1
import ReportStore
import TelemetryModel
import TelemetryTesting
import Testing

@testable import TelemetryServer

@Suite("GET /api/breakdowns")
struct BreakdownRouteTests {
    /// An answer, as a page reads it.
    private struct Document: Decodable {
        struct Period: Decodable {
            let label: String
            let values: PublicBreakdown
        }

        let by: String
        let as_of: String
        let k: Int
        let periods: [String: Period]
    }

    private func document(_ backend: RunningTestBackend, _ query: String) async throws -> Document {
        let answer = try await backend.get("/api/breakdowns?" + query)
        #expect(answer.status == 200, "\(query): \(answer.body)")
        #expect(answer.headers.first(name: "Access-Control-Allow-Origin") == "*")
        return try JSONDecoder().decode(Document.self, from: Data(answer.body.utf8))
    }

    /// Has so many clusters report a version.
    private func report(_ backend: RunningTestBackend, _ version: String, clusters: Range<Int>) async throws {
        for cluster in clusters {
            let id = String(format: "00000000-0000-4000-8000-%012d", cluster)
            let body = "cozy_cluster_info{cozystack_version=\"\(version)\",kubernetes_version=\"v1.31.4\"} 1\n"
            let headers = ["Content-Type": "text/plain", "X-Cluster-ID": id]
            let answer = try await backend.post(Array(body.utf8), headers: .init(headers.map { ($0, $1) }))
            #expect(answer.status == 200)
        }
    }

    @Test(
        "parameters that are missing, repeated, malformed or out of range are 400 with a reason, for pages too",
        arguments: [
            "by=os", "year=2026&month=3", "by=OS&year=2026&month=3", "by=os&by=kernel&year=2026&month=3",
            "by=os&year=2026&month=13", "by=os&year=2026&month=4", "by=cluster&year=2026&month=3",
        ]
    )
    func refusesParameters(query: String) async throws {
        try await RunningTestBackend.with { backend async throws in
            let answer = try await backend.get("/api/breakdowns?" + query)
            #expect(answer.status == 400)
            #expect(try JSONDecoder().decode([String: String].self, from: Data(answer.body.utf8))["error"] != nil)
            #expect(answer.headers.first(name: "Access-Control-Allow-Origin") == "*")
        }
    }

    @Test("an edition that cannot be made, or that is of another month, is 503 and not nothing")
    func missing() async throws {
        try await RunningTestBackend.with { backend async throws in
            let march = backend.clock.now
            try await report(backend, "v1.0.0", clusters: 0..<7)
            #expect(try await document(backend, "by=os&year=2026&month=3").k == 5)

            // There is no file of this name that could be written.
            let block = backend.directory.path + "/published-breakdowns.json.new"
            try FileManager.default.createDirectory(atPath: block, withIntermediateDirectories: false)
            backend.clock.now = march.advanced(bySeconds: 31 * 86_400)
            for _ in 1...2 {
                #expect(try await backend.get("/api/breakdowns?by=os&year=2026&month=4").status == 503)
                // The former edition has the former month.
                #expect(try await document(backend, "by=os&year=2026&month=3").as_of == "2026-03-01")
            }
            let failures = backend.log.recorded.count { $0.contains("breakdowns of the day cannot be made") }
            #expect(failures == 1)
        }
    }

    @Test("after a clock that was months ahead, the windows that run are told by no other way")
    func clockAhead() async throws {
        try await RunningTestBackend.with { backend async throws in
            let march = backend.clock.now
            try await report(backend, "v1.0.0", clusters: 0..<7)
            backend.clock.now = march.advanced(bySeconds: 120 * 86_400)
            #expect(try await document(backend, "by=os&year=2026&month=6").as_of == "2026-06-29")
            backend.clock.now = march
            #expect(try await backend.get("/api/breakdowns?by=cozystack_version&year=2026&month=3").status == 503)
        }
    }

    @Test("what clusters report today is told tomorrow, in multiples of k, and what few have under other")
    func daily() async throws {
        try await RunningTestBackend.with { backend async throws in
            let query = "by=cozystack_version&year=2026&month=3"
            let start = backend.clock.now
            let first = try await document(backend, query)
            #expect(first.by == "cozystack_version" && first.k == 5)
            #expect(first.periods.mapValues(\.values.values) == ["month": [], "quarter": [], "year": []])
            try await report(backend, "v1.0.0", clusters: 0..<13)
            try await report(backend, "v0.41.0", clusters: 13..<20)
            try await report(backend, "v0.40.0", clusters: 20..<22)
            #expect(try await document(backend, query).periods["month"]?.values.values == [])

            backend.clock.now = start.advanced(bySeconds: 86_400)
            let second = try await document(backend, query)
            #expect(second.as_of > first.as_of)
            // Two clusters alone are no group: they take the next smallest value with them.
            let expected: [PublicBreakdown.Value] = [
                .init(value: "v1.0.0", clusters: 10, clustersAtEnd: 10),
                .init(value: "other", clusters: 5, clustersAtEnd: 5),
            ]
            for period in second.periods.values { #expect(period.values.values == expected) }
        }
    }

    @Test("a restart makes no second edition of a day, and neither does a clock that is set back")
    func restart() async throws {
        try await RunningTestBackend.with { backend async throws in
            let published = PublishedBreakdowns(
                figures: backend.store,
                threshold: 5,
                directory: backend.directory.path,
                now: { backend.clock.now },
                logger: LogRecorder().logger
            )
            let month = backend.clock.now.month
            func values() async throws -> [PublicBreakdown.Value] {
                let answer = try #require(
                    try await published.breakdowns(by: .cozystackVersion, in: [Window(.month, endingWith: month)])
                )
                return try #require(answer.1[Window(.month, endingWith: month)]).values
            }
            _ = try await document(backend, "by=os&year=2026&month=3")
            try await report(backend, "v1.0.0", clusters: 0..<9)
            // Another process on the same directory, on the same day and before it.
            #expect(try await values() == [])
            let start = backend.clock.now
            backend.clock.now = start.advanced(bySeconds: -86_400)
            #expect(try await values() == [])
            backend.clock.now = start.advanced(bySeconds: 86_400)
            #expect(try await values().map(\.clusters) == [5])
        }
    }

    @Test("whoever asks for everything, day after day, finds no difference below k", arguments: [21] as [UInt64])
    func attacker(seed: UInt64) async throws {
        try await RunningTestBackend.with { backend async throws in
            var history = SimulatedHistory(
                clusters: 60,
                from: backend.clock.now.month,
                months: 2,
                seed: seed
            )
            var numbers: Set<Int> = []
            var day: UTCDay?
            while let deliveries = history.next() {
                for delivery in deliveries {
                    backend.clock.now = delivery.receivedAt
                    if day.map({ $0 < delivery.receivedAt.day }) ?? true {
                        numbers.formUnion(try await everything(backend))
                    }
                    day = max(day ?? delivery.receivedAt.day, delivery.receivedAt.day)
                    let headers = ["Content-Type": "text/plain", "X-Cluster-ID": delivery.report.cluster.text]
                    let answer = try await backend.post(delivery.report.body, headers: .init(headers.map { ($0, $1) }))
                    #expect(answer.status == 200, "seed \(seed): \(answer.body)")
                }
            }
            numbers.formUnion(try await everything(backend))
            let sorted = numbers.sorted()
            #expect(sorted.count > 5, "seed \(seed)")
            #expect(zip(sorted, sorted.dropFirst()).allSatisfy { $1 - $0 >= 5 }, "seed \(seed): \(sorted)")
        }
    }

    /// Every number of every breakdown of a day, and 0.
    private func everything(_ backend: RunningTestBackend) async throws -> Set<Int> {
        var numbers: Set<Int> = [0]
        let month = backend.clock.now.month
        for month in [month - 1, month] {
            for dimension in TelemetryModel.Dimension.allCases {
                let year = month.description.prefix(4)
                let query = "by=\(dimension.rawValue)&year=\(year)&month=\(Int(month.description.suffix(2)) ?? 0)"
                for period in try await document(backend, query).periods.values {
                    for value in period.values.values { numbers.formUnion([value.clusters, value.clustersAtEnd]) }
                }
            }
        }
        return numbers
    }
}

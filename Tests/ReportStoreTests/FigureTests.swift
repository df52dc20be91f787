// SPDX-License-Identifier: Apache-2.0

import FleetSimulator
import TelemetryModel
import TelemetryTesting
import Testing

@testable import ReportStore

/// The store against the definitions, for random histories of both generations over fourteen months: upgrades, gaps, new
/// kernels, clusters that vanish, both sides of midnight at a month's end, several reports within a second, clocks
/// that step back.
@Suite("The figures of the store")
struct StoreFigureTests {
    private static let first = CalendarMonth(year: 2025, month: 2)
    private static let months = 14

    /// A store with a history in it, and the suite that it has to pass.
    private static func withHistory(
        clusters: Int,
        seed: UInt64,
        _ body: (ReportStore, FigureConformance, [AcceptedReport]) async throws -> Void
    ) async throws {
        let test = try TestStore()
        let store = try test.open()
        let all = try await test.fill(store, clusters: clusters, from: first, months: months, seed: seed)
        try await body(store, FigureConformance(ReferenceFigures(all), from: first, months: months), all)
        try store.close()
    }

    @Test("totals of every window equal the definitions")
    func totals() async throws {
        var effort = Effort("totals of windows", seeds: 3)
        while let seed = effort.next() {
            try await Self.withHistory(clusters: effort.isSoak ? 200 : 20, seed: seed) { store, conformance, all in
                let totals = try await conformance.totals(of: store)
                #expect(totals == [], "seed \(seed)")
                let distinct = Set(all.map { "\($0.cluster)" + hexadecimal($0.report.digest) })
                #expect(try await store.statistics().distinctReports == distinct.count, "seed \(seed)")
                #expect(try await store.problems() == [], "seed \(seed)")
            }
        }
    }

    @Test("totals of every day equal the definitions")
    func days() async throws {
        var effort = Effort("totals of days", seeds: 3)
        while let seed = effort.next() {
            try await Self.withHistory(clusters: 8, seed: seed) { store, conformance, _ in
                let days = try await conformance.days(of: store)
                #expect(days == [], "seed \(seed)")
            }
        }
    }

    @Test("breakdowns of every window and of days by every dimension equal the definitions")
    func breakdowns() async throws {
        var effort = Effort("breakdowns", seeds: 3)
        while let seed = effort.next() {
            try await Self.withHistory(clusters: 8, seed: seed) { store, conformance, _ in
                let breakdowns = try await conformance.breakdowns(of: store)
                #expect(breakdowns == [], "seed \(seed)")
            }
        }
    }
}

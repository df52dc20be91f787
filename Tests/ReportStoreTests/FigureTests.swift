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

    /// A store with a history in it, and the same for the definitions.
    private static func withHistory(
        clusters: Int,
        seed: UInt64,
        _ body: (ReportStore, ReferenceFigures, [AcceptedReport]) async throws -> Void
    ) async throws {
        let test = try TestStore()
        let store = try test.open()
        let all = try await test.fill(store, clusters: clusters, from: first, months: months, seed: seed)
        try await body(store, ReferenceFigures(all), all)
        try store.close()
    }

    @Test("totals of every window equal the definitions")
    func totals() async throws {
        var effort = Effort("totals of windows", seeds: 3)
        while let seed = effort.next() {
            try await Self.withHistory(clusters: effort.isSoak ? 200 : 20, seed: seed) { store, reference, all in
                for month in (-2...16).map({ Self.first + $0 }) {
                    let windows = Window.Length.allCases.map { Window($0, endingWith: month) }
                    let totals = try await store.totals(of: windows)
                    for window in windows {
                        #expect(totals[window] == reference.totals(of: window), "seed \(seed), \(window.label)")
                        let canonical = reference.canonicalApplications(in: window)
                        #expect(totals[window]?.all.canonicalApplications == canonical, "seed \(seed), \(window.label)")
                    }
                }
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
            try await Self.withHistory(clusters: 8, seed: seed) { store, reference, _ in
                let days = (Self.first - 1).firstDay...(Self.first + Self.months).lastDay
                for totals in try await store.totals(on: days) {
                    #expect(totals == reference.totals(on: totals.day), "seed \(seed), \(totals.day)")
                }
            }
        }
    }

    @Test("breakdowns of every window and of days by every dimension equal the definitions")
    func breakdowns() async throws {
        var effort = Effort("breakdowns", seeds: 3)
        while let seed = effort.next() {
            try await Self.withHistory(clusters: 8, seed: seed) { store, reference, _ in
                for dimension in Dimension.allCases {
                    try await Self.compareBreakdowns(by: dimension, store, reference, seed)
                }
            }
        }
    }

    private static func compareBreakdowns(
        by dimension: TelemetryModel.Dimension,
        _ store: ReportStore,
        _ reference: ReferenceFigures,
        _ seed: UInt64
    ) async throws {
        let windows = (0...15).flatMap { month in
            Window.Length.allCases.map { Window($0, endingWith: first + month) }
        }
        let breakdowns = try await store.breakdowns(by: dimension, in: windows)
        for window in windows {
            let expected = reference.breakdown(by: dimension, in: window)
            #expect(breakdowns[window] == expected, "seed \(seed), \(dimension), \(window.label)")
        }
        let days = (first + 3).firstDay...(first + 4).lastDay
        for (day, clusters) in try await store.breakdowns(by: dimension, on: days) {
            let expected = reference.breakdown(by: dimension, on: day)
            #expect(clusters == expected, "seed \(seed), \(dimension), \(day)")
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import FleetSimulator
import Foundation
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
        var history = SimulatedHistory(clusters: clusters, from: first, months: months, seed: seed)
        let decoder = ReportDecoder(pseudonymizer: test.pseudonymizer)
        var all: [AcceptedReport] = []
        while let deliveries = history.next() {
            for delivery in deliveries {
                let accepted = AcceptedReport(
                    cluster: test.pseudonymizer.pseudonym(of: delivery.report.cluster),
                    receivedAt: delivery.receivedAt,
                    report: try decoder.decode(delivery.report.body).report
                )
                all.append(accepted)
                _ = try await store.submit(accepted)
            }
        }
        try await body(store, ReferenceFigures(all), all)
        try store.close()
    }

    @Test("totals of every window equal the definitions, and so does what is stored", arguments: Soak.seeds(from: 1, 3))
    func totals(seed: UInt64) async throws {
        try await Self.withHistory(clusters: 25, seed: seed) { store, reference, all in
            for month in (-2...16).map({ Self.first + $0 }) {
                let windows = Window.Length.allCases.map { Window($0, endingWith: month) }
                let totals = try await store.totals(of: windows)
                for window in windows {
                    let expected = reference.totals(of: window)
                    #expect(totals[window] == expected, "seed \(seed), \(window.label)")
                    #expect(totals[window]?.all.canonicalApplications == reference.canonicalApplications(in: window))
                }
            }
            let distinct = Set(all.map { "\($0.cluster)" + hexadecimal($0.report.digest) })
            #expect(try await store.statistics().distinctReports == distinct.count, "seed \(seed)")
        }
    }

    @Test("totals of every day equal the definitions", arguments: Soak.seeds(from: 11, 3))
    func days(seed: UInt64) async throws {
        try await Self.withHistory(clusters: 12, seed: seed) { store, reference, _ in
            let days = (Self.first - 1).firstDay...(Self.first + Self.months).lastDay
            for totals in try await store.totals(on: days) {
                #expect(totals == reference.totals(on: totals.day), "seed \(seed), \(totals.day)")
            }
        }
    }

    @Test(
        "breakdowns of every window and day by every dimension equal the definitions",
        arguments: Soak.seeds(from: 21, 3)
    )
    func breakdowns(seed: UInt64) async throws {
        try await Self.withHistory(clusters: 12, seed: seed) { store, reference, _ in
            let windows = (0...15).flatMap { Window.containing(Self.first + $0) }
            for dimension in Dimension.allCases {
                let breakdowns = try await store.breakdowns(by: dimension, in: windows)
                for window in Set(windows) {
                    let expected = reference.breakdown(by: dimension, in: window)
                    #expect(breakdowns[window] == expected, "seed \(seed), \(dimension), \(window.label)")
                }
                let days = Self.first.firstDay...(Self.first + 2).lastDay
                for (day, clusters) in try await store.breakdowns(by: dimension, on: days) {
                    let expected = reference.breakdown(by: dimension, on: day)
                    #expect(clusters == expected, "seed \(seed), \(dimension), \(day)")
                }
            }
        }
    }
}

/// How much random tests do: a little, or as much as `SOAK_ROUNDS` says.
enum Soak {
    /// How many times as much as usual.
    static let rounds = ProcessInfo.processInfo.environment["SOAK_ROUNDS"].flatMap(Int.init) ?? 1

    /// Seeds from one on.
    static func seeds(from first: UInt64, _ count: Int) -> [UInt64] {
        (0..<UInt64(count * rounds)).map { first + $0 * 1_000_003 }
    }
}

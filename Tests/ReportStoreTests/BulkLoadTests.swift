// SPDX-License-Identifier: Apache-2.0

import FleetSimulator
import GRDB
import TelemetryModel
import Testing

@testable import ReportStore

@Suite("Loading histories")
struct BulkLoadTests {
    private static let end = UTCInstant(startOf: CalendarMonth(year: 2026, month: 4).firstDay)

    private func lives(_ seed: UInt64, _ pseudonymizer: Pseudonymizer) -> [ReportHistory] {
        var plan = FleetHistory.Plan(months: 5, before: Self.end.advanced(bySeconds: -1))
        (plan.seed, plan.changesPerMonth) = (seed, 4)
        let history = FleetHistory(plan: plan, pseudonymizer: pseudonymizer)
        return (0..<5).compactMap(history.history(of:))
    }

    /// Every row that does not depend on how it came to be, as texts.
    private func rows(_ store: ReportStore) async throws -> [String] {
        // Series have other numbers, and so do the bytes of a content; ordinals only their order within a month.
        let sql = """
            SELECT hex(pseudonym) || month || collector || ' ' || first_hour || ' ' || last_hour || ' ' || days || ' ' ||
            length(content) || ' ' || row_number() OVER (PARTITION BY cluster, month, collector ORDER BY ordinal)
            FROM sighting JOIN cluster ON cluster.id = cluster
            UNION ALL SELECT hex(pseudonym) || first_day || ' ' || coalesce(second_day, '') FROM cluster ORDER BY 1
            """
        return try await store.pool.read { try String.fetchAll($0, sql: sql) }
    }

    @Test(
        "a loaded store has what one has that the same reports were submitted to, and the same figures",
        arguments: [1, 2, 3] as [UInt64]
    )
    func loadingIsSubmitting(seed: UInt64) async throws {
        let (loaded, submitted) = (try TestStore(), try TestStore())
        let lives = lives(seed, loaded.pseudonymizer)
        let (one, two) = (try loaded.open(), try submitted.open())
        try await one.load(lives)
        var reports: [AcceptedReport] = []
        for life in lives { reports += Self.reports(of: life) }
        for report in reports { _ = try await two.submit(report) }
        let windows = (-4...3).flatMap { month in
            Window.Length.allCases.map { Window($0, endingWith: Self.end.month + month) }
        }
        let reference = ReferenceFigures(reports)
        let (first, second) = (try await one.totals(of: windows), try await two.totals(of: windows))
        for window in windows {
            #expect(first[window] == second[window], "seed \(seed), \(window.label)")
            #expect(first[window] == reference.totals(of: window), "seed \(seed), \(window.label)")
        }
        for dimension in TelemetryModel.Dimension.allCases {
            let breakdown = try await one.breakdowns(by: dimension, in: windows)
            #expect(try await two.breakdowns(by: dimension, in: windows) == breakdown, "seed \(seed), \(dimension)")
        }
        let days = (Self.end.month - 2).firstDay...(Self.end.month - 1).lastDay
        #expect(try await one.totals(on: days) == two.totals(on: days), "seed \(seed)")
        #expect(try await rows(one) == rows(two), "seed \(seed)")
        #expect(try await one.problems() == [], "seed \(seed)")
        #expect(try await two.problems() == [], "seed \(seed)")
        try one.close()
        try two.close()
    }

    /// What a history stands for: each report once a day, at its first and at its last moment, in order of time.
    private static func reports(of life: ReportHistory) -> [AcceptedReport] {
        var reports: [(instant: UTCInstant, number: Int, report: AcceptedReport)] = []
        for (number, stay) in life.stays.enumerated() {
            let (first, last) = (stay.received.lowerBound, stay.received.upperBound)
            var instants = [first, last]
            for day in first.day.daysSinceEpoch...last.day.daysSinceEpoch {
                let start = UTCInstant(startOf: UTCDay(daysSinceEpoch: day))
                instants += [max(first, start), min(last, start.advanced(bySeconds: 86_399))]
            }
            for instant in instants {
                let report = AcceptedReport(cluster: life.cluster, receivedAt: instant, report: stay.report)
                reports.append((instant, number, report))
            }
        }
        return reports.sorted { ($0.instant, $0.number) < ($1.instant, $1.number) }.map(\.report)
    }
}

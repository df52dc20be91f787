// SPDX-License-Identifier: Apache-2.0

import ReportStore
import TelemetryModel
import Testing

@testable import FleetSimulator

@Suite("Histories of fleets")
struct FleetHistoryTests {
    private static let end = UTCInstant(startOf: CalendarMonth(year: 2026, month: 4).firstDay)

    private let pseudonymizer: Pseudonymizer

    init() throws {
        pseudonymizer = try #require(Pseudonymizer(key: Array(repeating: 3, count: Pseudonymizer.keyLength)))
    }

    private func history(_ seed: UInt64, _ shape: FleetHistory.Shape = .mixed, changes: Double = 4) -> FleetHistory {
        var plan = FleetHistory.Plan(months: 5, before: Self.end.advanced(bySeconds: -1))
        (plan.seed, plan.shape, plan.changesPerMonth) = (seed, shape, changes)
        return FleetHistory(plan: plan, pseudonymizer: pseudonymizer)
    }

    @Test("the same seed and number give the same life, others another one")
    func isReproducible() throws {
        func description(_ seed: UInt64, _ number: Int) -> String {
            "\(String(describing: history(seed).history(of: number)))"
        }
        #expect(description(1, 5) == description(1, 5))
        #expect(description(1, 5) != description(1, 6))
        #expect(description(1, 5) != description(2, 5))
    }

    @Test("a fleet that never changes has one report a cluster and collector, from the first month to the last")
    func unchanged() throws {
        let fleet = history(3, .v022, changes: 0)
        for number in 0..<20 {
            let life = try #require(fleet.history(of: number))
            #expect(life.stays.count == 1)
            #expect(life.months == 5)
            #expect(life.stays[0].report.samples.count == 12)
            #expect(life.stays[0].received.upperBound < Self.end)
            #expect(life.stays[0].received.upperBound > Self.end.advanced(bySeconds: -901))
        }
    }
}

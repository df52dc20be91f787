// SPDX-License-Identifier: Apache-2.0

import TelemetryModel
import Testing

@testable import FleetSimulator

@Suite("The account of a simulation")
struct SimulationAccountTests {
    private static let now = UTCInstant(secondsSinceEpoch: 1_775_026_860)

    private func reports(_ clusters: Int) -> [FleetReport] {
        var fleet = Fleet(clusters: clusters, seed: 5)
        return fleet.nextRound()
    }

    /// The account of one report that was accepted after each of these milliseconds.
    private func result(milliseconds: some Sequence<Int>) throws -> SimulationResult {
        let report = try #require(reports(1).first)
        var account = SimulationAccount()
        for time in milliseconds { account.add(report, at: Self.now, isAccepted: true, after: .milliseconds(time)) }
        return account.result(in: .seconds(2), at: Self.now)
    }

    @Test("sent is ok and failed, and only what was accepted is expected of the figures")
    func counts() throws {
        let reports = reports(20)
        var (one, other) = (SimulationAccount(), SimulationAccount())
        for (index, report) in reports.enumerated() {
            one.add(report, at: Self.now, isAccepted: index % 4 != 0, after: .milliseconds(1))
            other.add(report, at: Self.now, isAccepted: index % 4 != 0, after: .milliseconds(1))
        }
        one.add(other)
        let result = one.result(in: .seconds(2), at: Self.now)
        let accepted = reports.enumerated().filter { $0.offset % 4 != 0 }.map(\.element)
        #expect(result.sent == 2 * reports.count)
        #expect(result.ok == 2 * accepted.count)
        #expect(result.failed == result.sent - result.ok)
        #expect(result.reportsPerSecond == Double(reports.count))
        #expect(result.distinctReports == accepted.count)
        #expect(result.expected.periods.month.clusters == Int64(Set(accepted.map(\.cluster)).count))
        #expect(result.expected.periods.month.label == "April 2026")
        #expect(result.expected.generatedAt == "2026-04-01T07:01:00Z")
    }

    @Test("the expected figures are those of the definitions")
    func expected() throws {
        let reports = reports(20)
        var account = SimulationAccount()
        for report in reports { account.add(report, at: Self.now, isAccepted: true, after: .zero) }
        let pseudonymizer = try #require(Pseudonymizer(key: Array(repeating: 9, count: Pseudonymizer.keyLength)))
        let reference = ReferenceFigures(
            reports.map {
                AcceptedReport(
                    cluster: pseudonymizer.pseudonym(of: $0.cluster),
                    receivedAt: Self.now,
                    report: $0.report
                )
            }
        )
        let overview = Overview(
            endingWith: Self.now.month,
            generatedAt: Self.now,
            threshold: 5,
            totals: reference.totals
        )
        #expect(account.result(in: .zero, at: Self.now).expected == overview)
        #expect(overview.periods.month.clusters == 20)
    }

    @Test("percentiles are times that were measured, whatever their order")
    func percentiles() throws {
        let hundredAndOne = try result(milliseconds: (0...100).reversed())
        #expect(hundredAndOne.p50Milliseconds == 50)
        #expect(hundredAndOne.p99Milliseconds == 99)
        let one = try result(milliseconds: [7])
        #expect((one.p50Milliseconds, one.p99Milliseconds) == (7, 7))
        let spike = try result(milliseconds: Array(repeating: 1, count: 999) + [1_000])
        #expect((spike.p50Milliseconds, spike.p99Milliseconds) == (1, 1))
    }

    @Test("nothing sent is zeros, not a division by zero")
    func nothing() {
        let result = SimulationAccount().result(in: .zero, at: Self.now)
        #expect((result.sent, result.ok, result.failed, result.distinctReports) == (0, 0, 0, 0))
        #expect((result.reportsPerSecond, result.p50Milliseconds, result.p99Milliseconds) == (0, 0, 0))
        #expect(result.expected.periods.year.clusters == 0)
    }
}

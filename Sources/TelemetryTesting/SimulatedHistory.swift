// SPDX-License-Identifier: Apache-2.0

package import FleetSimulator
package import TelemetryModel

/// What a backend accepted of a simulated fleet over some months, by a clock that a test can rely on: it jumps on by
/// hours and days, stops at both sides of month ends, stays within a second, and at times steps back, where it is not told
/// to go forward alone.
package struct SimulatedHistory {
    /// One delivery.
    package struct Delivery {
        /// What the backend's clock shows.
        package let receivedAt: UTCInstant
        /// What arrives.
        package let report: FleetReport
    }

    private var fleet: Fleet
    private var random: SeededGenerator
    private var instant: UTCInstant
    private let end: UTCInstant
    private let stepsBack: Bool

    /// The history of a fleet.
    ///
    /// - Parameters:
    ///   - clusters: The size of the fleet.
    ///   - first: The first month.
    ///   - months: How many months.
    ///   - seed: The seed of the fleet and of the clock.
    ///   - stepsBack: Whether the clock at times steps back.
    package init(
        clusters: Int,
        from first: CalendarMonth,
        months: Int,
        seed: UInt64,
        stepsBack: Bool = true
    ) {
        var pace = Fleet.Pace()
        pace.change = 0.4
        pace.comeAndGo = 0.1
        pace.replacement = 0.02
        fleet = Fleet(clusters: clusters, seed: seed, pace: pace)
        random = SeededGenerator(seed: seed &+ 1)
        instant = UTCInstant(startOf: first.firstDay)
        end = UTCInstant(startOf: (first + months).firstDay)
        self.stepsBack = stepsBack
    }

    /// Everything that is accepted from now on, in this order.
    package mutating func accepted(_ pseudonymizer: Pseudonymizer) throws -> [AcceptedReport] {
        let decoder = ReportDecoder(pseudonymizer: pseudonymizer)
        var all: [AcceptedReport] = []
        while let deliveries = next() {
            all += try deliveries.map { delivery in
                AcceptedReport(
                    cluster: pseudonymizer.pseudonym(of: delivery.report.cluster),
                    receivedAt: delivery.receivedAt,
                    report: try decoder.decode(delivery.report.body).report
                )
            }
        }
        return all
    }

    /// The reports of the next moment; nil when the months are over.
    package mutating func next() -> [Delivery]? {
        guard instant < end else { return nil }
        let deliveries = fleet.nextRound().shuffled(using: &random).map { Delivery(receivedAt: instant, report: $0) }
        moveOn()
        return deliveries
    }

    private mutating func moveOn() {
        let newMonth = UTCInstant(startOf: (instant.month + 1).firstDay)
        switch Int.random(in: 0..<10, using: &random) {
        case 0: instant = newMonth.advanced(bySeconds: -1)
        case 1: instant = newMonth
        case 2: break
        case 3 where stepsBack: instant = instant.advanced(bySeconds: -Int64.random(in: 1...200_000, using: &random))
        case 4: instant = instant.advanced(bySeconds: Int64.random(in: 1...3_600, using: &random))
        default: instant = instant.advanced(bySeconds: Int64.random(in: 3_600...1_500_000, using: &random))
        }
    }
}

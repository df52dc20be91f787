// SPDX-License-Identifier: Apache-2.0

import FleetSimulator
import NIOHTTP1
import ReportStore
import TelemetryModel
import TelemetryTesting
import Testing

extension RunningTestBackend {
    /// Has a simulated fleet report over months, by the clock of the test, which then stands at the end of them.
    ///
    /// - Returns: What the figures have to be.
    func submit(clusters: Int, from first: CalendarMonth, months: Int, seed: UInt64) async throws -> ReferenceFigures {
        let pseudonymizer = try PseudonymKeyFile.load(fromDirectory: directory.path)
        var history = SimulatedHistory(clusters: clusters, from: first, months: months, seed: seed)
        var accepted: [AcceptedReport] = []
        while let deliveries = history.next() {
            for delivery in deliveries {
                clock.now = delivery.receivedAt
                let headers = ["Content-Type": "text/plain", "X-Cluster-ID": delivery.report.cluster.text]
                let answer = try await post(delivery.report.body, headers: .init(headers.map { ($0, $1) }))
                #expect(answer.status == 200, "seed \(seed): \(answer.body)")
                accepted.append(
                    AcceptedReport(
                        cluster: pseudonymizer.pseudonym(of: delivery.report.cluster),
                        receivedAt: delivery.receivedAt,
                        report: delivery.report.report
                    )
                )
            }
        }
        clock.now = UTCInstant(startOf: (first + months).firstDay)
        return ReferenceFigures(accepted)
    }
}

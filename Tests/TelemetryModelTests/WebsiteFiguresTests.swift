// SPDX-License-Identifier: Apache-2.0

import Foundation
import TelemetryModel
import Testing

@Suite("The website's file")
struct WebsiteFiguresTests {
    private let month = Window(.month, endingWith: CalendarMonth(year: 2026, month: 4))

    private func file(_ all: [Figure: Int64], threshold: Int = 5) throws -> String {
        let totals = WindowTotals(window: month, all: all, established: [:])
        let instant = UTCInstant(startOf: UTCDay(daysSinceEpoch: 20_000))
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return String(
            decoding: try encoder.encode(WebsiteFigures([month: totals], generatedAt: instant, threshold)),
            as: UTF8.self
        )
    }

    @Test("it has the names and the texts that the website reads")
    func shape() throws {
        let text = try file([
            .clusters: 43, .nodes: 164, .tenants: 83, .application(kind: "postgres"): 2,
            .application(kind: "Postgres"): 4, .canonicalApplication(name: "Postgres"): 6,
        ])
        #expect(
            text == #"{"periods":{"month":{"apps":[{"name":"Postgres","value":"6"}],"label":"April 2026","#
                + #""range":{"from":"2026-04-01","to":"2026-04-30"},"summary_cards":[{"label":"Clusters","value":"43"},"#
                + #"{"hint":"avg 3.8 per cluster","label":"Total Nodes","value":"164"},"#
                + #"{"hint":"avg 1.9 per cluster","label":"Tenants","value":"83"}]}},"#
                + #""source":{"label":"Cozystack Telemetry Server"},"title":"Telemetry","updated_at":"2024-10-04T00:00:00Z"}"#
        )
    }

    @Test(
        "applications come in the website's order, others by count behind them; without zeros, tenants and rare kinds"
    )
    func order() throws {
        var figures: [Figure: Int64] = [.clusters: 9]
        for (name, count) in [
            "Redis": 1, "VMDisk": 2, "Kubernetes": 3, "ClearML": 4, "Info": 5, "VirtualMachine": 6, "Tenant": 7,
            "NFS": 0,
        ] as [String: Int64] {
            figures[.canonicalApplication(name: name)] = count
        }
        figures[.application(kind: "Acme")] = 8
        figures[.clustersWithApplication(kind: "Acme")] = 5
        figures[.application(kind: "Rare")] = 100
        figures[.clustersWithApplication(kind: "Rare")] = 4
        let decoded = try JSONDecoder().decode(WebsiteFigures.self, from: Data(file(figures).utf8))
        // The rare kind takes the next rarest with it, so that it is not alone.
        #expect(
            decoded.periods["month"]?.apps.map(\.name) == [
                "VMDisk", "Kubernetes", "Redis", "ClearML", "other", "VirtualMachine", "Info",
            ]
        )
    }

    @Test("of nobody it has zeros and no application")
    func empty() throws {
        let decoded = try JSONDecoder().decode(WebsiteFigures.self, from: Data(file([:]).utf8))
        #expect(decoded.periods["month"]?.summaryCards.map(\.value) == ["0", "0", "0"])
        #expect(decoded.periods["month"]?.apps == [])
    }
}

// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Exposition
import NIOCore
import NIOHTTP1
import ReportStore
import TelemetryModel
import TelemetryTesting
import Testing

@testable import VictoriaMetrics

@Suite(
    "Histories to VictoriaMetrics and back",
    .timeLimit(.minutes(5)),
    .enabled(if: VictoriaMetricsProcess.isAvailable, "install Debian's victoria-metrics")
)
struct HistoryMigrationTests {
    private static let first = CalendarMonth(year: 2025, month: 2)
    private static let months = 14

    @Test("a store's whole history answers the same there, also when it is brought twice, and back in another store")
    func roundTrip() async throws {
        let stores = try ForwardingStores()
        let store = try stores.open(outboxLimit: nil)
        var history = SimulatedHistory(
            clusters: 12,
            from: Self.first,
            months: Self.months,
            seed: 4,
            stepsBack: false
        )
        let all = try history.accepted(stores.pseudonymizer)
        for report in all { _ = try await store.submit(report) }
        let conformance = FigureConformance(ReferenceFigures(all), from: Self.first, months: Self.months)
        try await VictoriaMetricsProcess.with { url in
            try await HTTPClient.withHTTPClient { http in
                let export = HistoryExport(store, to: ImportClient(url: url + "/api/v1/import/prometheus", http: http))
                let done = try await export.run(after: nil) { _ in }
                #expect(done.clusters == store.clusterCount && done.damaged == 0 && done.isComplete)
                try await ImportTests.expectReports(done.reports, url, http)
                _ = try await export.run(after: nil) { _ in }
                try await ImportTests.expectReports(2 * done.reports, url, http)
                let figures = stores.figures(url, http)
                let (totals, days) = (
                    try await conformance.totals(of: figures), try await conformance.days(of: figures)
                )
                let breakdowns = try await conformance.breakdowns(of: figures)
                #expect(totals == [])
                #expect(days == [])
                #expect(breakdowns == [])

                let months = Self.first...(Self.first + Self.months)
                let other = try ForwardingStores()
                let copy = try other.open(outboxLimit: nil)
                let back = HistoryImport(
                    ExportClient(url: url, http: http),
                    into: copy,
                    pseudonymizer: other.pseudonymizer
                )
                let brought = try await back.run(of: months) { _ in }
                #expect(brought.clusters == store.clusterCount && brought.refused == 0 && brought.isComplete)
                let differences = try await FigureComparison(store, with: copy)
                    .differences(endingWith: months, from: nil) { _ in }
                #expect(differences == [])
                let again = try await back.run(of: months) { _ in }
                #expect(again.known == store.clusterCount && again.clusters == 0)
                #expect(try await back.differences(of: months, after: again) == [])
                try copy.close()
            }
        }
        try store.close()
    }

    /// What today's backend writes: the samples as they were sent, with the raw id and the time of receipt in seconds.
    private static func deployed(_ text: String, _ id: String, at seconds: Int64) -> String {
        text.split(separator: "\n").map { line in
            let labelled = line.replacing("{", with: "{cluster_id=\"\(id)\",", maxReplacements: 1)
            let whole = labelled.contains("{") ? "\(labelled)" : line.replacing(" ", with: "{cluster_id=\"\(id)\"} ")
            return "\(whole) \(seconds)000\n"
        }.joined()
    }

    @Test("what today's backend wrote under raw ids becomes a store with pseudonyms, from either generation")
    func deployedBackend() async throws {
        let stores = try ForwardingStores()
        let store = try stores.open(outboxLimit: nil)
        let start = UTCInstant(startOf: Self.first.firstDay).secondsSinceEpoch
        let old = """
            cozy_cluster_info{cozystack_version="v0.22.0",kubernetes_version="v1.31.4",bundle_name="paas-full"} 1
            cozy_nodes_count{os="linux (Talos (v1.8.4))",kernel="6.6.64-talos"} 3
            cozy_tenants_count 2
            cozy_workloads_count{uid="3a5bd1e2-0f3c-4d8e-9a77-c2b1d4e5f601",kind="postgres",type="postgres",version="0.10.0"} 2
            """
        let controller = "cozy_application_count{kind=\"Tenant\"} 5\ncozy_application_count{kind=\"Redis\"} 4"
        let operatorReport = """
            cozy_cluster_info{cozystack_version="v1.0.0",kubernetes_version="v1.33.1"} 1
            cozy_nodes_count{os="linux (Talos (v1.10.1))",kernel="6.12.18-talos"} 4
            """
        var text = Self.deployed(old, "cluster-a", at: start) + Self.deployed(old, "cluster-a", at: start + 900)
        // Both collectors within one second, two days later and on the day after.
        for seconds: Int64 in [3 * 86_400, 4 * 86_400] {
            text += Self.deployed(operatorReport, "cluster-a", at: start + seconds)
            text += Self.deployed(controller, "cluster-a", at: start + seconds)
        }
        text += Self.deployed("cozy_nodes_count{os=\"linux\",kernel=\"6.1\"} 7", "cluster-b", at: start + 40 * 86_400)
        text += Self.deployed("cozy_nodes_count{os=\"linux\",kernel=\"6.1\"} -7", "cluster-c", at: start)
        text += Self.deployed("cozy_nodes_count{os=\"linux\",kernel=\"6.1\"} +Inf", "cluster-c", at: start + 60)
        // The same cluster as these backends send it on.
        let pseudonym = try stores.pseudonym("cluster-b")
        let later = "\(start + 41 * 86_400)000"
        text += "cozy_nodes_count{cluster=\"\(pseudonym)\",os=\"linux\",kernel=\"6.1\"} 8 \(later)\n"
        text += Self.deployed("cozy_tenants_count 7", "no id at all", at: start)
        text += Self.deployed("go_goroutines 7", "cluster-d", at: start)
        let body = text
        try await VictoriaMetricsProcess.with { url in
            try await HTTPClient.withHTTPClient { http in
                var request = HTTPClientRequest(url: url + "/api/v1/import/prometheus")
                request.method = .POST
                request.body = .bytes(ByteBuffer(string: body))
                let answer = try await http.execute(request, timeout: .seconds(30))
                #expect(answer.status.code == 204)
                _ = try await http.execute(HTTPClientRequest(url: url + "/internal/force_flush"), timeout: .seconds(30))
                let samples = "sum(count_over_time({__name__=~\"cozy_.*\"}[50y]))"
                try await ImportTests.expect(samples, toBe: "21", url, http)
                let client = ExportClient(url: url + "/", http: http)
                let history = HistoryImport(client, into: store, pseudonymizer: stores.pseudonymizer)
                let done = try await history.run(of: Self.first...Self.first + 2) { _ in }
                #expect(done.clusters == 2 && done.all == 4 && done.refused == 3 && done.reports == 10)
                #expect(try await history.differences(of: Self.first...Self.first, after: done) == [])
                let nothing = try await history.differences(of: Self.first...Self.first, after: .init())
                #expect(nothing == ["February 2025: 1 clusters of 2 are missing"])
            }
        }
        let window = Window(.quarter, endingWith: Self.first + 2)
        let totals = try #require(try await store.totals(of: [window])[window])
        #expect(totals.all[.clusters] == 2 && totals.all[.nodes] == 12 && totals.all[.tenants] == 5)
        #expect(totals.all[.application(kind: "postgres")] == 1 && totals.all[.application(kind: "Redis")] == 4)
        #expect(totals.established[.clusters] == 2)
        let versions = try await store.breakdowns(by: .cozystackVersion, in: [window])[window]
        #expect(versions == ["v0.22.0": Breakdown(clusters: 1), "v1.0.0": Breakdown(clusters: 1, clustersAtEnd: 1)])
        #expect(store.knows(try stores.pseudonym("cluster-a")))
        try store.close()
    }

    @Test("an export that broke off goes on behind the last part that is there")
    func resumes() async throws {
        let stores = try ForwardingStores()
        let store = try stores.open(outboxLimit: nil)
        for number in 0..<45 {
            let sample = Report.Sample(Series(.nodesCount, ["linux", "6.1.\(number)"]), 1)
            let report = AcceptedReport(
                cluster: try stores.pseudonym("cluster-\(number)"),
                receivedAt: UTCInstant(startOf: Self.first.firstDay),
                report: Report([sample])
            )
            _ = try await store.submit(report)
        }
        try await StandIn.with(byNumber: { $0 == 3 ? 400 : 204 }) { server in
            try await HTTPClient.withHTTPClient { http in
                let export = HistoryExport(store, to: ImportClient(url: server.url, http: http))
                var position: Int?
                await #expect(throws: HistoryExport.Failure.refused(status: 400)) {
                    _ = try await export.run(after: nil) { position = $0.position }
                }
                let rest = try await export.run(after: position) { _ in }
                #expect(rest.clusters == 5 && rest.isComplete && position != nil)
            }
            let taken = server.bodies.enumerated().filter { $0.offset != 2 }.map(\.element).joined()
            for number in 0..<45 { #expect(taken.contains("kernel=\"6.1.\(number)\"")) }
            #expect(server.bodies.count == 4)
        }
        try store.close()
    }
}

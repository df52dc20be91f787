// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Exposition
import Foundation
import NIOCore
import NIOHTTP1
import TelemetryModel
import TelemetryTesting
import Testing

@testable import VictoriaMetrics

@Suite("Importing into VictoriaMetrics", .timeLimit(.minutes(2)))
struct ImportTests {
    private let march = UTCInstant(startOf: CalendarMonth(year: 2026, month: 3).firstDay)

    private func accepted(
        _ cluster: String,
        _ samples: [Report.Sample],
        at instant: UTCInstant,
        place: Int = 0
    ) throws -> AcceptedReport {
        let pseudonymizer = try #require(Pseudonymizer(key: Array(repeating: 1, count: Pseudonymizer.keyLength)))
        let pseudonym = pseudonymizer.pseudonym(of: try #require(ClusterID(cluster)))
        return AcceptedReport(cluster: pseudonym, receivedAt: instant, place: place, report: Report(samples))
    }

    private func nodes(_ kernel: String, _ count: Int64) -> Report.Sample {
        .init(Series(.nodesCount, ["linux (Talos (v1.8.4))", kernel]), count)
    }

    @Test("a batch has the samples and the totals of each report, under the pseudonym and the time of receipt")
    func body() throws {
        let report = try accepted("a", [nodes("6.6.64-talos", 3), nodes("6.12.18-talos", 2)], at: march, place: 2)
        let samples = try Sample.parse(ImportBatch([report]).body)
        #expect(samples.allSatisfy { $0.timestamp == march.secondsSinceEpoch * 1_000 + 2 })
        #expect(samples.allSatisfy { $0.labels.first == Label(name: "cluster", value: "\(report.cluster)") })
        #expect(samples.prefix(2).allSatisfy { $0.name == "cozy_nodes_count" })
        let totals = samples.filter { $0.name == "cozy_report_total" }
        #expect(Dictionary(totals.map { ($0.labels.last?.value, $0.value) }) { $1 } == ["clusters": 1, "nodes": 5])
        let values = samples.filter { $0.name == "cozy_report_value" }
        #expect(
            values.map { $0.labels.dropFirst().map(\.value) } == [
                ["os", "linux (Talos (v1.8.4))"], ["kernel", "6.12.18-talos"], ["kernel", "6.6.64-talos"],
            ]
        )
        let collectors = samples.filter { $0.name == "cozy_report_collector" }
        #expect(collectors.map { $0.labels[1].value } == Array(repeating: "v1-operator", count: 4))
        #expect(
            collectors.map { $0.labels[2].value } == [
                "cozy_cluster_info", "cozy_nodes_count", "cozy_pvs_count", "cozy_package_info",
            ]
        )
        #expect(samples.count == 2 + 2 + 3 + 4)
    }

    @Test("a user and a password in a URL become a header and are in no request line")
    func credentials() {
        let url = DatabaseURL("https://me%40here:p%3Aw@db:8427/insert/0/prometheus/api/v1/import/prometheus")
        #expect(url.text == "https://db:8427/insert/0/prometheus/api/v1/import/prometheus")
        #expect(url.root("/metrics") == "https://db:8427/metrics")
        let request = url.request(.POST, url.text)
        #expect(request.headers.first(name: "Authorization") == "Basic bWVAaGVyZTpwOnc=")
        let plain = DatabaseURL("http://db:8428/")
        #expect(plain.text == "http://db:8428" && plain.root("/metrics") == "http://db:8428/metrics")
        #expect(!plain.request(.GET, plain.text).headers.contains(name: "Authorization"))
    }

    @Test("a label cannot forge another series")
    func escapes() throws {
        let forged = "x\"} 1\ncozy_tenants_count{cluster=\"other"
        let report = try accepted("a", [.init(Series(.applicationCount, [forged]), 2)], at: march)
        let samples = try Sample.parse(ImportBatch([report]).body)
        #expect(!samples.contains { $0.name == "cozy_tenants_count" })
        #expect(samples.first?.labels.last?.value == forged)
    }

    @Test(
        "a status says whether to go on, try again, or set the batch aside",
        arguments: [
            (200, ImportOutcome.imported), (204, .imported), (400, .refused(status: 400)),
            (404, .retry(reason: "the answer was 404", isAnswer: true)),
            (429, .retry(reason: "the answer was 429", isAnswer: true)),
            (302, .retry(reason: "the answer was 302", isAnswer: true)),
            (503, .retry(reason: "the answer was 503", isAnswer: true)),
        ]
    )
    func outcomes(status: Int, expected: ImportOutcome) {
        #expect(ImportOutcome(status: status) == expected)
    }

    @Test("a database that is not there means to try again")
    func unreachable() async throws {
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.retryConnectionEstablishment = false
        try await HTTPClient.withHTTPClient(configuration: configuration) { http in
            let client = ImportClient(url: "http://127.0.0.1:1/api/v1/import/prometheus", http: http)
            guard case .retry = await client.send(ImportBatch([])) else {
                Issue.record("it was not to be tried again")
                return
            }
        }
    }

    @Test(
        "a real VictoriaMetrics has the peak of a total, where the peaks of its parts would count twice",
        .enabled(if: VictoriaMetricsProcess.isAvailable, "install Debian's victoria-metrics")
    )
    func realDatabase() async throws {
        try await VictoriaMetricsProcess.with { url in
            try await HTTPClient.withHTTPClient { http in
                let client = ImportClient(url: url + "/api/v1/import/prometheus", http: http)
                let now = UTCInstant(secondsSinceEpoch: Int64(Date().timeIntervalSince1970) - 600)
                let before = try accepted("a", [nodes("6.6.64-talos", 3)], at: now)
                let after = try accepted("a", [nodes("6.12.18-talos", 3)], at: now.advanced(bySeconds: 300))
                #expect(await client.send(ImportBatch([before, after])) == .imported)
                _ = try await http.execute(HTTPClientRequest(url: url + "/internal/force_flush"), timeout: .seconds(30))
                let byTotal = "sum(max_over_time(cozy_report_total{figure=\"nodes\"}[1h]))"
                try await Self.expect(byTotal, toBe: "3", url, http)
                try await Self.expect("sum(max_over_time(cozy_nodes_count[1h]))", toBe: "6", url, http)
            }
        }
    }

    /// Expects an answer once everything that was imported shows, or the test to go on for too long.
    static func expect(_ expression: String, toBe value: String?, _ url: String, _ http: HTTPClient) async throws {
        // It is not told when that is.
        while try await query(expression, url, http) != value { try await Task.sleep(for: .milliseconds(50)) }
    }

    /// Expects so many reports to show that were sent on, or the test to go on for too long.
    static func expectReports(_ count: Int, _ url: String, _ http: HTTPClient) async throws {
        _ = try await http.execute(HTTPClientRequest(url: url + "/internal/force_flush"), timeout: .seconds(30))
        let samples = "sum(count_over_time(cozy_report_total{figure=\"clusters\"}[50y]))"
        try await expect(samples, toBe: "\(count)", url, http)
    }

    private static func query(_ expression: String, _ url: String, _ http: HTTPClient) async throws -> String? {
        let encoded = expression.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        let request = HTTPClientRequest(url: "\(url)/api/v1/query?query=\(encoded)")
        let answer = try await http.execute(request, timeout: .seconds(30))
        let text = String(buffer: try await answer.body.collect(upTo: 1 << 20))
        return text.firstMatch(of: /"value":\[[0-9.]+,"([^"]*)"\]/).map { String($0.1) }
    }
}

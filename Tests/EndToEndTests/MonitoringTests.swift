// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import TelemetryTesting
import Testing

/// What `deploy/` has for those who watch a backend: dashboards and alert rules.
@Suite("Dashboards and alerts", .timeLimit(.minutes(5)))
struct MonitoringTests {
    private static let deploy = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("deploy")

    /// A dashboard of Grafana, as far as it matters here.
    private struct Dashboard: Decodable {
        struct Panel: Decodable {
            let type: String
            let title: String
            let description: String?
            let targets: [Target]?
        }

        struct Target: Decodable {
            let expr: String
        }

        let title: String
        let panels: [Panel]

        init(_ name: String) throws {
            let file = MonitoringTests.deploy.appendingPathComponent("grafana/\(name).json")
            self = try JSONDecoder().decode(Self.self, from: try Data(contentsOf: file))
        }

        /// The expressions as Grafana would ask them.
        var expressions: [(panel: String, expression: String)] {
            panels.filter { $0.type != "row" }.flatMap { panel in
                (panel.targets ?? []).map { target in
                    let expression = target.expr.replacing("$window", with: "30d").replacing("$job", with: ".*")
                        .replacing("$__rate_interval", with: "5m")
                    return (panel.title, expression)
                }
            }
        }
    }

    @Test(
        "no panel is empty, with a fleet in VictoriaMetrics and the metrics of a backend that had all kinds of requests",
        .enabled(if: VictoriaMetricsProcess.isAvailable, "install Debian's victoria-metrics")
    )
    func dashboards() async throws {
        try await VictoriaMetricsProcess.withProcess { database in
            let arguments = [
                "--forward-url", database.url + "/api/v1/import/prometheus", "--vmselect-url", database.url,
            ]
            try await Server.with(arguments) { server in
                let fleet = ["--telemetry-endpoint", server.url, "--clusters", "80", "--rounds", "2"]
                #expect(try await RunningProgram.run(["simulate"] + fleet).status == 0)
                try await scrape(server, to: database.url, secondsAgo: 120)
                #expect(try await RunningProgram.run(["simulate"] + fleet + ["--seed", "2"]).status == 0)
                // A kind outside the vocabulary, a capacity, and lists, which the fleet has not.
                let odd = "cozy_application_count{kind=\"Odd\"} 1\ncozy_cluster_capacity{resource=\"cpu\"} 8\n"
                #expect(try await server.post(odd, cluster: "odd").status == 200)
                let lists = "cozy_cluster_info{bunde_enable=\"nfs-driver\",bunde_disable=\"dashboard\"} 1\n"
                #expect(try await server.post(lists, cluster: "lists").status == 200)
                #expect(try await server.post("no report", cluster: "odd").status == 400)
                let stranger = HTTPClientRequest(url: server.adminURL + "/v1/tokens")
                #expect(try await HTTPClient.shared.execute(stranger, timeout: .seconds(30)).status == .unauthorized)
                _ = try await server.overview()
                try await scrape(server, to: database.url, secondsAgo: 1)
            }
            for name in ["fleet", "backend"] {
                let dashboard = try Dashboard(name)
                #expect(dashboard.expressions.count > 15)
                for (panel, expression) in dashboard.expressions {
                    let isFilled = try await isFilled(expression, at: database.url)
                    #expect(isFilled, "\(dashboard.title), \(panel): \(expression)")
                }
                for panel in dashboard.panels where panel.type != "row" {
                    #expect(panel.description?.isEmpty == false, "\(panel.title)")
                }
            }
            #expect(try await !isFilled("sum(rate(telemetry_nothing_total[5m]))", at: database.url))
        }
    }

    /// Brings what `/metrics` shows to VictoriaMetrics, as a scraper does.
    private func scrape(_ server: Server, to url: String, secondsAgo: Int) async throws {
        let time = (Int(Date().timeIntervalSince1970) - secondsAgo) * 1_000
        let labels = "extra_label=job=cozy-telemetry&extra_label=instance=a"
        var request = HTTPClientRequest(url: "\(url)/api/v1/import/prometheus?timestamp=\(time)&\(labels)")
        request.method = .POST
        request.body = .bytes(ByteBuffer(string: try await server.metrics()))
        #expect(try await HTTPClient.shared.execute(request, timeout: .seconds(30)).status == .noContent)
        let flush = HTTPClientRequest(url: url + "/internal/force_flush")
        _ = try await HTTPClient.shared.execute(flush, timeout: .seconds(30))
    }

    /// Whether a query has a series, soon: what was imported shows after a moment.
    private func isFilled(_ expression: String, at url: String) async throws -> Bool {
        for attempt in 0..<20 {
            // It is not told when what was imported shows.
            if attempt > 0 { try await Task.sleep(for: .milliseconds(250)) }
            let escaped = expression.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
            let request = HTTPClientRequest(url: "\(url)/api/v1/query?nocache=1&query=\(escaped)")
            let answer = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
            let body = String(buffer: try await answer.body.collect(upTo: 1 << 24))
            guard answer.status == .ok else {
                Issue.record("\(body)")
                return false
            }
            if body.contains(#""value":["#) { return true }
            // A rate needs two samples, which are there at once or never.
            if expression.contains("nothing") { return false }
        }
        return false
    }

    private static let promtool = "/usr/bin/promtool"

    @Test(
        "the alert rules are right by promtool, fire on a bad day and not on a good one",
        .enabled(if: FileManager.default.isExecutableFile(atPath: promtool), "install Debian's prometheus")
    )
    func alerts() async throws {
        let directory = try TemporaryDirectory()
        let fixtures = Self.deploy.deletingLastPathComponent().appendingPathComponent("Tests/Fixtures")
        for file in [
            Self.deploy.appendingPathComponent("alerts.yaml"), fixtures.appendingPathComponent("alerts.test.yaml"),
        ] {
            let copy = URL(fileURLWithPath: directory.path).appendingPathComponent(file.lastPathComponent)
            try FileManager.default.copyItem(at: file, to: copy)
        }
        let rules = directory.path + "/alerts.yaml"
        let check = try await RunningProgram(command: [Self.promtool, "check", "rules", rules]).ending()
        #expect(check.status == 0, "\(check.output)\(check.errors)")
        let test = try await RunningProgram(command: [
            Self.promtool, "test", "rules", directory.path + "/alerts.test.yaml",
        ])
        .ending()
        #expect(test.status == 0, "\(test.output)\(test.errors)")
        let known = try await metricsOfABackend()
        let text = try String(contentsOfFile: rules, encoding: .utf8)
        for match in text.matches(of: /telemetry_[a-z_]+/) {
            let name = String(match.output).replacing("_bucket", with: "")
            #expect(known.contains(name), "\(name)")
        }
    }

    /// The names of all metrics of a backend that does everything.
    private func metricsOfABackend() async throws -> String {
        var text = ""
        let arguments = [
            "--forward-url", "http://127.0.0.1:1/api/v1/import/prometheus", "--vmselect-url", "http://127.0.0.1:1",
        ]
        try await Server.with(arguments) { text = try await $0.metrics() }
        return text
    }
}

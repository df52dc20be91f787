// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import AsyncHTTPClient
import Foundation
import Logging
import Metrics
import ReportStore
import TelemetryServer
import VictoriaMetrics

/// Where a backend sends accepted reports on to.
struct ForwardOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Import URLs of VictoriaMetrics that get every accepted report: of a single node, or of vminsert.",
            valueName: "url,…"
        )
    )
    var forwardUrl: String?

    @Option(
        help: ArgumentHelp(
            "So many reports wait to be sent on; further ones get 503. (default: 1000000)",
            valueName: "reports"
        )
    )
    var outboxMaxReports: String?

    @Option(
        help: ArgumentHelp("Give up what could not be sent on for so many hours. (default: 168)", valueName: "hours")
    )
    var outboxMaxAge: String?

    /// The names of all settings of this group.
    static let names: Set = ["forward-url", "outbox-max-reports", "outbox-max-age"]

    /// What stood on the command line.
    var flags: [String: String?] {
        ["forward-url": forwardUrl, "outbox-max-reports": outboxMaxReports, "outbox-max-age": outboxMaxAge]
    }

    /// The settings of a forwarder; nil where nothing is sent on.
    ///
    /// - Throws: `CommandFailure` where one is wrong.
    static func settings(of sources: Settings) throws -> ForwardSettings? {
        let reports = try sources.integer("outbox-max-reports", in: 1...100_000_000, default: 1_000_000)
        let hours = try sources.integer("outbox-max-age", in: 1...8_760, default: 168)
        guard let text = sources["forward-url"] else { return nil }
        let urls = text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        for url in urls where !isURL(url) {
            throw CommandFailure.usage(
                "forward-url must be the import URL, such as http://vminsert:8480/insert/0/prometheus/api/v1/import/prometheus"
            )
        }
        guard !urls.isEmpty else { throw CommandFailure.usage("forward-url must be a URL") }
        return ForwardSettings(urls: urls, limit: reports, longestAge: .seconds(3_600 * hours))
    }

    private static func isURL(_ text: String) -> Bool {
        guard let url = URLComponents(string: text), let scheme = url.scheme, url.host?.isEmpty == false else {
            return false
        }
        return ["http", "https"].contains(scheme)
    }
}

/// How accepted reports are sent on.
struct ForwardSettings: Equatable {
    let urls: [String]
    /// The most reports that wait.
    let limit: Int
    /// What waits longer is given up.
    let longestAge: Duration

    /// What sends them on.
    func forwarder(_ store: ReportStore, _ http: HTTPClient, _ metrics: any MetricsFactory, _ logger: Logger)
        -> Forwarder
    {
        Forwarder(
            store: store,
            targets: urls.map { ImportClient(url: $0, http: http) },
            limit: limit,
            longestAge: longestAge,
            metrics: metrics,
            logger: logger
        )
    }
}

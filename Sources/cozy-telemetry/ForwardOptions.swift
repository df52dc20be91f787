// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import AsyncHTTPClient
import Foundation
import Logging
import Metrics
import ReportStore
import TelemetryServer
import VictoriaMetrics

/// Where a backend sends accepted reports on to, and reads figures from.
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
            "Where series are deleted at each of these, for erasures; known of single nodes.",
            valueName: "url,…"
        )
    )
    var forwardDeleteUrl: String?

    @Option(
        help: ArgumentHelp(
            "Send a report that says the same on once in so many hours, and on each day. (default: 1h)",
            valueName: "hours"
        )
    )
    var forwardUnchanged: String?

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

    @Option(
        help: ArgumentHelp(
            "Read the figures from VictoriaMetrics: the base URL of a single node, or of vmselect.",
            valueName: "url"
        )
    )
    var vmselectUrl: String?

    @Option(
        help: ArgumentHelp(
            "full keeps figures; forward-only takes reports, sends them on and knows no figures. (default: full)",
            valueName: "mode"
        )
    )
    var mode: String?

    /// The names of all settings of this group.
    static let names: Set = [
        "forward-url", "forward-delete-url", "forward-unchanged", "outbox-max-reports", "outbox-max-age",
        "vmselect-url",
        "mode",
    ]

    /// What stood on the command line.
    var flags: [String: String?] {
        [
            "forward-url": forwardUrl, "forward-delete-url": forwardDeleteUrl, "forward-unchanged": forwardUnchanged,
            "outbox-max-reports": outboxMaxReports, "outbox-max-age": outboxMaxAge, "vmselect-url": vmselectUrl,
            "mode": mode,
        ]
    }

    /// The settings of a forwarder; nil where nothing is sent on.
    ///
    /// - Throws: `CommandFailure` where one is wrong.
    static func settings(of sources: Settings) throws -> ForwardSettings? {
        let reports = try sources.integer("outbox-max-reports", in: 1...100_000_000, default: 1_000_000)
        let hours = try sources.integer("outbox-max-age", in: 1...8_760, default: 168)
        let unchanged = try unchangedHours(sources["forward-unchanged"] ?? "1h")
        let imports = try urls(
            of: "forward-url",
            in: sources,
            example: "http://vminsert:8480/insert/0/prometheus/api/v1/import/prometheus"
        )
        let deletions = try urls(
            of: "forward-delete-url",
            in: sources,
            example: "http://vmselect:8481/delete/0/prometheus/api/v1/admin/tsdb/delete_series"
        )
        guard let imports else {
            guard deletions == nil else {
                throw CommandFailure.usage("forward-delete-url is of no use without forward-url")
            }
            return nil
        }
        if let deletions, deletions.count != imports.count {
            throw CommandFailure.usage("forward-delete-url must have a URL for each of forward-url, in their order")
        }
        return ForwardSettings(
            targets: imports.enumerated().map { ($1, deletions?[$0]) },
            limit: reports,
            longestAge: .seconds(3_600 * hours),
            unchangedHours: unchanged
        )
    }

    /// The base URL that figures are read below; nil where they are read from the store.
    ///
    /// - Throws: `CommandFailure` where it is wrong.
    static func queryURL(of sources: Settings) throws -> String? {
        let urls = try urls(of: "vmselect-url", in: sources, example: "http://vmselect:8481/select/0/prometheus")
        guard let urls else { return nil }
        guard urls.count == 1 else { throw CommandFailure.usage("vmselect-url must be one URL") }
        return urls[0]
    }

    /// Whether the backend knows no figures.
    ///
    /// - Throws: `CommandFailure` where that is not possible.
    static func isForwardOnly(_ sources: Settings) throws -> Bool {
        switch sources["mode"] ?? "full" {
        case "full": return false
        case "forward-only":
            guard sources["forward-url"] != nil else {
                throw CommandFailure.usage("mode forward-only needs forward-url, or reports would go nowhere")
            }
            guard sources["vmselect-url"] == nil else {
                throw CommandFailure.usage("mode forward-only knows no figures; leave vmselect-url out")
            }
            return true
        case let mode: throw CommandFailure.usage("mode must be full or forward-only, and is `\(mode)`")
        }
    }

    private static func unchangedHours(_ text: String) throws -> Int {
        guard text.hasSuffix("h"), let hours = Int(text.dropLast()), (1...24).contains(hours) else {
            throw CommandFailure.usage("forward-unchanged must be hours from 1h to 24h, and is `\(text)`")
        }
        return hours
    }

    private static func urls(of name: String, in sources: Settings, example: String) throws -> [String]? {
        guard let text = sources[name] else { return nil }
        let urls = text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        guard !urls.isEmpty, urls.allSatisfy(isURL) else {
            throw CommandFailure.usage("\(name) must be a URL, such as \(example)")
        }
        return urls
    }

    /// Whether a text is an HTTP URL.
    static func isURL(_ text: String) -> Bool {
        guard let url = URLComponents(string: text), let scheme = url.scheme, url.host?.isEmpty == false else {
            return false
        }
        return ["http", "https"].contains(scheme)
    }
}

/// How accepted reports are sent on.
struct ForwardSettings {
    /// Where reports are imported, and where series are deleted if that is given.
    let targets: [(url: String, deletionURL: String?)]
    /// The most reports that wait.
    let limit: Int
    /// What waits longer is given up.
    let longestAge: Duration
    /// Once in how many hours a report that says the same is sent on.
    let unchangedHours: Int

    /// What sends them on.
    func forwarder(
        _ store: ReportStore,
        _ http: HTTPClient,
        _ metrics: any MetricsFactory,
        _ logger: Logger,
        onErased: @escaping @Sendable () -> Void
    ) -> Forwarder {
        Forwarder(
            store: store,
            targets: targets.map { ImportClient(url: $0.url, deletionURL: $0.deletionURL, http: http) },
            limit: limit,
            longestAge: longestAge,
            metrics: metrics,
            logger: logger,
            onErased: onErased
        )
    }
}

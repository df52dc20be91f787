// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import TelemetryServer

/// What senders may take of a backend.
struct LimitOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The largest head of a request. (default: 16384)", valueName: "bytes"))
    var maxHeaderBytes: String?

    @Option(
        help: ArgumentHelp(
            "A packed body may unpack to so many times its size; 64 KiB are always taken. (default: 100)",
            valueName: "times"
        )
    )
    var maxGzipRatio: String?

    @Option(help: ArgumentHelp("The most samples of a report. (default: 50000)", valueName: "samples"))
    var maxSamples: String?

    @Option(help: ArgumentHelp("A head has to come within so many seconds. (default: 5)", valueName: "seconds"))
    var headerTimeout: String?

    @Option(help: ArgumentHelp("A body has to come within so many seconds. (default: 15)", valueName: "seconds"))
    var bodyTimeout: String?

    @Option(
        help: ArgumentHelp(
            "A connection without a request is closed after so many seconds. (default: 60)",
            valueName: "seconds"
        )
    )
    var idleTimeout: String?

    @Option(help: ArgumentHelp("The most connections. (default: 20000)", valueName: "connections"))
    var maxConnections: String?

    @Option(
        help: ArgumentHelp(
            "The most connections from one address, but for trusted proxies. (default: 256)",
            valueName: "connections"
        )
    )
    var maxConnectionsPerAddress: String?

    @Option(
        help: ArgumentHelp("A connection is closed after so many requests. (default: 10000)", valueName: "requests")
    )
    var maxRequestsPerConnection: String?

    @Option(
        help: ArgumentHelp(
            "Proxies that are believed for whom they speak: X-Forwarded-For, PROXY protocol.",
            valueName: "cidr,…"
        )
    )
    var trustedProxies: String?

    /// The settings of this group by name.
    private static let integers: [Integer<BackendSettings>] = [
        ("max-header-bytes", 1_024...100_000, \.connections.largestHead),
        ("max-gzip-ratio", 1...1_000_000, \.largestUnpackingRatio),
        ("max-samples", 1...1_000_000, \.largestSampleCount),
        ("header-timeout", 1...3_600, \.connections.headTimeoutSeconds),
        ("body-timeout", 1...3_600, \.connections.bodyTimeoutSeconds),
        ("idle-timeout", 1...86_400, \.connections.idleTimeoutSeconds),
        ("max-connections", 1...1_000_000, \.connections.largestCount),
        ("max-connections-per-address", 1...1_000_000, \.connections.largestCountPerAddress),
        ("max-requests-per-connection", 1...1_000_000_000, \.connections.largestRequestCount),
    ]

    /// The names of all settings of this group.
    static var names: Set<String> { Set(integers.map(\.name) + ["trusted-proxies"]) }

    /// What stood on the command line.
    var flags: [String: String?] {
        [
            "max-header-bytes": maxHeaderBytes,
            "max-gzip-ratio": maxGzipRatio,
            "max-samples": maxSamples,
            "header-timeout": headerTimeout,
            "body-timeout": bodyTimeout,
            "idle-timeout": idleTimeout,
            "max-connections": maxConnections,
            "max-connections-per-address": maxConnectionsPerAddress,
            "max-requests-per-connection": maxRequestsPerConnection,
            "trusted-proxies": trustedProxies,
        ]
    }

    /// Takes the settings of this group over.
    ///
    /// - Throws: `CommandFailure` where one is wrong.
    func apply(_ sources: Settings, to settings: inout BackendSettings) throws {
        for (name, range, path) in Self.integers {
            settings[keyPath: path] = try sources.integer(name, in: range, default: settings[keyPath: path])
        }
        guard let text = sources["trusted-proxies"] else { return }
        guard let blocks = AddressBlock.list(text) else {
            throw CommandFailure.usage(
                "trusted-proxies must be addresses or blocks such as 10.0.0.0/8,2001:db8::/32, and is `\(text)`"
            )
        }
        settings.trustedProxies = blocks
    }
}

/// A setting that is a whole number: its name, what it may be, and where it is kept.
typealias Integer<Root> = (name: String, range: ClosedRange<Int>, path: any WritableKeyPath<Root, Int> & Sendable)

// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import TelemetryServer

/// How many reports a backend takes in a time.
struct RateOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Whether there are limits on the rate of reports. (default: on)", valueName: "on|off"))
    var rateLimits: String?

    @Option(help: ArgumentHelp("Reports of a cluster a minute. (default: 2)", valueName: "reports"))
    var rateCluster: String?

    @Option(help: ArgumentHelp("Reports of a cluster at once. (default: 10)", valueName: "reports"))
    var burstCluster: String?

    @Option(help: ArgumentHelp("Reports from a network (/24, /64) a minute. (default: 600)", valueName: "reports"))
    var rateNetwork: String?

    @Option(help: ArgumentHelp("Reports from a network at once. (default: 3000)", valueName: "reports"))
    var burstNetwork: String?

    @Option(
        help: ArgumentHelp(
            "Reports of clusters never seen before from a network an hour. (default: 120)",
            valueName: "reports"
        )
    )
    var rateNewClusters: String?

    @Option(
        help: ArgumentHelp(
            "Reports of clusters never seen before from a network at once. (default: 500)",
            valueName: "reports"
        )
    )
    var burstNewClusters: String?

    @Option(
        help: ArgumentHelp(
            "So many new clusters from one network in a day are said in the log; 0 for never. (default: 100)",
            valueName: "clusters"
        )
    )
    var flagNewClusters: String?

    /// The settings of this group that are numbers, by name.
    private static let integers: [Integer<RateLimits>] = [
        ("rate-cluster", 1...1_000_000, \.reportsPerCluster),
        ("burst-cluster", 1...1_000_000, \.burstPerCluster),
        ("rate-network", 1...1_000_000, \.reportsPerNetwork),
        ("burst-network", 1...1_000_000, \.burstPerNetwork),
        ("rate-new-clusters", 1...1_000_000, \.newClustersPerNetwork),
        ("burst-new-clusters", 1...1_000_000, \.newClusterBurstPerNetwork),
    ]

    /// The names of all settings of this group.
    static var names: Set<String> { Set(integers.map(\.name) + ["rate-limits", "flag-new-clusters"]) }

    /// What stood on the command line.
    var flags: [String: String?] {
        [
            "rate-limits": rateLimits,
            "rate-cluster": rateCluster,
            "burst-cluster": burstCluster,
            "rate-network": rateNetwork,
            "burst-network": burstNetwork,
            "rate-new-clusters": rateNewClusters,
            "burst-new-clusters": burstNewClusters,
            "flag-new-clusters": flagNewClusters,
        ]
    }

    /// Takes the settings of this group over.
    ///
    /// - Throws: `CommandFailure` where one is wrong.
    func apply(_ sources: Settings, to settings: inout BackendSettings) throws {
        var limits = RateLimits()
        for (name, range, path) in Self.integers {
            limits[keyPath: path] = try sources.integer(name, in: range, default: limits[keyPath: path])
        }
        switch sources["rate-limits"] {
        case "on", nil: settings.rateLimits = limits
        case "off": settings.rateLimits = nil
        default: throw CommandFailure.usage("rate-limits must be on or off")
        }
        settings.newClustersFlagged = try sources.integer(
            "flag-new-clusters",
            in: 0...1_000_000,
            default: settings.newClustersFlagged
        )
    }
}

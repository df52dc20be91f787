// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FleetSimulator
import Foundation
import ServiceLifecycle
import TelemetryModel
import TelemetryServer

/// `cozy-telemetry demo`: a backend, a small fleet that reports to it, and the figures.
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Run a backend with a small simulated fleet, print its figures, and serve them.",
        discussion: "The data is in a temporary directory and gone afterwards, unless --data-dir names another."
    )

    @Option(help: ArgumentHelp("Where reports and figures are served.", valueName: "host:port"))
    var listenAddr = "127.0.0.1:8081"

    @Option(help: ArgumentHelp("Where metrics are served.", valueName: "host:port"))
    var adminAddr = "127.0.0.1:8082"

    @Option(help: ArgumentHelp("Where the store and its key are kept.", valueName: "dir"), completion: .directory)
    var dataDir: String?

    @OptionGroup var fleet: FleetOptions

    @Flag(help: "Stop after the figures are printed.")
    var once = false

    @OptionGroup var log: LogOptions

    func run() async throws {
        guard let listen = ListenAddress(listenAddr), let admin = ListenAddress(adminAddr) else {
            throw CommandFailure.usage("--listen-addr and --admin-addr must be host:port or :port")
        }
        let temporary = FileManager.default.temporaryDirectory.appendingPathComponent("cozy-telemetry-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: temporary) }
        var settings = BackendSettings(
            listenAddress: listen,
            adminAddress: admin,
            dataDirectory: dataDir ?? temporary
        )
        // The whole fleet reports from one address, as often as it can.
        settings.rateLimits = nil
        settings.newClustersFlagged = 0
        settings.connections.largestCountPerAddress = settings.connections.largestCount
        let (ready, isReady) = AsyncStream.makeStream(of: Backend.Ports.self)
        let tour = DemoTour(host: listen.host, ready: ready, fleet: fleet, once: once, isFresh: dataDir == nil)
        try await RunningBackend.serve(
            settings,
            logger: log.logger("demo"),
            beside: [.init(service: tour, successTerminationBehavior: .gracefullyShutdownGroup)],
            onReady: { isReady.yield($0) }
        )
    }
}

/// What the demo shows once the backend listens.
private struct DemoTour: Service {
    let host: String
    let ready: AsyncStream<Backend.Ports>
    let fleet: FleetOptions
    let once: Bool
    /// Whether the store was empty before.
    let isFresh: Bool

    func run() async throws {
        for await ports in ready.cancelOnGracefulShutdown() {
            do {
                try await cancelWhenGracefulShutdown { try await show(ports) }
            } catch is CancellationError {
                return
            }
            break
        }
        if !once { try await gracefulShutdown() }
    }

    private func show(_ ports: Backend.Ports) async throws {
        let reachable = host == "0.0.0.0" ? "127.0.0.1" : host
        let url = "http://\(reachable.contains(":") ? "[\(reachable)]" : reachable):\(ports.listen)"
        Terminal.say(
            "A fleet of \(fleet.clusters) clusters reports to \(url) in \(fleet.rounds ?? 4) rounds; some leave, others come."
        )
        let result = try await fleet.run(against: url)
        try Task.checkCancellation()
        guard result.failed == 0 else {
            throw CommandFailure.failed("\(result.failed) of \(result.sent) reports were not taken")
        }
        let month = UTCInstant.now().month
        let overview = try await BackendAddress(url, setting: "--listen-addr").withConnection {
            try await $0.overview(endingWith: month)
        }
        Terminal.write(line: OverviewTable(overview).text(on: .current))
        if isFresh {
            guard overview.periods == result.expected.periods else {
                throw CommandFailure.failed("the figures do not equal what the fleet sent")
            }
            Terminal.say("\nThe figures equal what the fleet sent.")
        }
        Terminal.say(
            """
            \(result.ok) reports, \(result.distinctReports) of them distinct, at \(Int(result.reportsPerSecond)) a second.
            \(once ? "" : """
            The figures are at \(url)/api/overview?year=\(month.year)&month=\(month.month)
            Stop with Control-C.
            """)
            """
        )
    }
}

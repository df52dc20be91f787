// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import AsyncHTTPClient
import FleetSimulator
import TelemetryModel
import TelemetryServer

/// `cozy-telemetry simulate`: a fleet from a seed that reports to a backend.
struct SimulateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Let a simulated fleet report to a backend, and print what its figures must be.",
        discussion: """
            The fleet mixes both generations; its clusters grow, upgrade, get new kernels, come and go. The same seed \
            gives the same fleet. The printed figures hold for a backend that was empty before.

            With --into a fleet of any size is written straight into a store, with months of 15-minute reports in \
            simulated time, so that a backend can be started on it.
            """
    )

    @Option(help: ArgumentHelp("The backend. (default: http://127.0.0.1:8081)", valueName: "url"))
    var telemetryEndpoint: String?

    @OptionGroup var fleet: FleetOptions

    @OptionGroup(title: "OPTIONS FOR A STORE") var load: LoadOptions

    @Flag(help: "Print the result as JSON.")
    var json = false

    func validate() throws {
        let isOnline = telemetryEndpoint != nil || fleet.rounds != nil || fleet.connections != nil
        if load.into != nil, isOnline {
            throw ValidationError("--into goes without --telemetry-endpoint, --rounds and --connections")
        }
        if load.into == nil, load.isGiven { throw ValidationError("\(LoadOptions.names) need --into") }
    }

    func run() async throws {
        if let directory = load.into {
            let result = try await load.run(into: directory, clusters: fleet.clusters, seed: fleet.seed)
            if json { try Terminal.writeJSON(result) } else { Terminal.write(line: result.text) }
            return
        }
        let endpoint = telemetryEndpoint ?? "http://127.0.0.1:8081"
        let result = try await fleet.run(against: endpoint)
        guard result.ok > 0 else {
            throw CommandFailure.unavailable(
                "\(endpoint) took none of \(result.sent) reports; start a backend there, or give --telemetry-endpoint"
            )
        }
        if json { try Terminal.writeJSON(result) } else { Terminal.write(line: Self.text(of: result)) }
        guard result.failed == 0 else {
            throw CommandFailure.unavailable("\(result.failed) of \(result.sent) reports were not taken")
        }
    }

    /// The result for people.
    static func text(of result: SimulationResult) -> String {
        """
        sent \(result.sent), ok \(result.ok), failed \(result.failed); \(Int(result.reportsPerSecond)) reports/s, \
        p50 \(result.p50Milliseconds) ms, p99 \(result.p99Milliseconds) ms; \(result.distinctReports) distinct reports

        What the figures must be:
        \(OverviewTable(result.expected).text())
        """
    }
}

/// The size of a simulated fleet.
struct FleetOptions: ParsableArguments {
    @Option(help: "How many clusters report in the first round.")
    var clusters = 200

    @Option(help: "How often the fleet reports. (default: 4)")
    var rounds: Int?

    @Option(help: "Over how many connections at a time. (default: 8)")
    var connections: Int?

    @Option(help: "The seed; the same seed gives the same fleet.")
    var seed: UInt64 = 1

    func validate() throws {
        guard clusters > 0, rounds ?? 1 > 0, connections ?? 1 > 0 else {
            throw ValidationError("clusters, rounds and connections must be at least 1")
        }
    }

    /// Sends everything, and says how far it is where somebody watches.
    func run(against endpoint: String) async throws -> SimulationResult {
        let plan = Simulation.Plan(
            endpoint: endpoint,
            clusters: clusters,
            rounds: rounds ?? 4,
            connections: connections ?? 8,
            seed: seed
        )
        let configuration = Simulation.clientConfiguration(connections: plan.connections)
        return try await HTTPClient.withHTTPClient(configuration: configuration) { client in
            await Simulation(plan: plan, client: client, now: UTCInstant.now).run { progress in
                Terminal.progress(
                    "round \(progress.rounds) of \(plan.rounds), \(progress.sent) reports sent",
                    isLast: progress.rounds == plan.rounds
                )
            }
        }
    }
}

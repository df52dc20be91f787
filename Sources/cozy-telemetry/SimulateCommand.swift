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
            """
    )

    @Option(help: ArgumentHelp("The backend.", valueName: "url"))
    var telemetryEndpoint = "http://127.0.0.1:8081"

    @OptionGroup var fleet: FleetOptions

    @Flag(help: "Print the result as JSON.")
    var json = false

    func run() async throws {
        let result = try await fleet.run(against: telemetryEndpoint)
        guard result.ok > 0 else {
            throw CommandFailure.unavailable(
                "\(telemetryEndpoint) took none of \(result.sent) reports; start a backend there, or give --telemetry-endpoint"
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
        \(OverviewTable(result.expected).text)
        """
    }
}

/// The size of a simulated fleet.
struct FleetOptions: ParsableArguments {
    @Option(help: "How many clusters report in the first round.")
    var clusters = 200

    @Option(help: "How often the fleet reports.")
    var rounds = 4

    @Option(help: "Over how many connections at a time.")
    var connections = 8

    @Option(help: "The seed; the same seed gives the same fleet.")
    var seed: UInt64 = 1

    func validate() throws {
        guard clusters > 0, rounds > 0, connections > 0 else {
            throw ValidationError("clusters, rounds and connections must be at least 1")
        }
    }

    /// Sends everything, and says how far it is where somebody watches.
    func run(against endpoint: String) async throws -> SimulationResult {
        let plan = Simulation.Plan(
            endpoint: endpoint,
            clusters: clusters,
            rounds: rounds,
            connections: connections,
            seed: seed
        )
        let configuration = Simulation.clientConfiguration(connections: connections)
        return try await HTTPClient.withHTTPClient(configuration: configuration) { [rounds] client in
            await Simulation(plan: plan, client: client, now: UTCInstant.now).run { progress in
                Terminal.progress(
                    "round \(progress.rounds) of \(rounds), \(progress.sent) reports sent",
                    isLast: progress.rounds == rounds
                )
            }
        }
    }
}

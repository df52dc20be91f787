// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Logging
import ServiceLifecycle
import TelemetryAgent
import TelemetryServer
import UnixSignals

/// `cozy-telemetry agent`: reports the state of one cluster, as long as its owner did not say no.
struct AgentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agent",
        abstract: "Report the figures of a cluster at every interval, unless its owner said no.",
        discussion: """
            Each place where the owner can say no is watched, and read anew right before every report; where one cannot \
            be read, nothing is sent. The first time, notice is given in the cluster and its period waited for. Each \
            cluster has its own moment of the interval. Of several replicas one reports. SIGTERM and SIGINT stop it. \
            `cozy-telemetry preview` prints what would be sent, `cozy-telemetry status` what was.
            """
    )

    @OptionGroup var options: AgentOptions

    @Option(
        help: ArgumentHelp("The time from one report to the next: 15m, 1h30m. (default: 15m)", valueName: "duration"),
        transform: duration
    )
    var telemetryInterval = Duration.seconds(900)

    @Option(
        help: ArgumentHelp(
            "The time from the notice in the cluster to the first report; 0 for none. (default: 1h)",
            valueName: "duration"
        ),
        transform: { try $0 == "0" ? .zero : duration($0) }
    )
    var noticePeriod = Duration.seconds(3_600)

    @Option(
        help: ArgumentHelp(
            "Serve /metrics, /healthz and /readyz at this address. (default: nowhere)",
            valueName: "host:port"
        ),
        transform: { text throws in
            guard let address = ListenAddress(text) else {
                throw ValidationError("'\(text)' is no address such as :9090 or 127.0.0.1:9090")
            }
            return address
        }
    )
    var metricsAddr: ListenAddress?

    @Flag(help: "Report once, now, and exit; where the owner said no, that is said and nothing is sent.")
    var once = false

    @OptionGroup var log: LogOptions

    func run() async throws {
        let logger = log.logger("agent")
        let schedule = AgentSchedule(interval: telemetryInterval, noticePeriod: noticePeriod)
        let registry = MetricsRegistry()
        try await options.withAgent(schedule, isElected: !once, metrics: registry, logger: logger) { agent in
            if once { try await reportOnce(agent) } else { try await serve(agent, registry, logger: logger) }
        }
    }

    private func reportOnce(_ agent: TelemetryAgent) async throws {
        switch try await agent.sendOnce() {
        case .sent(let reports):
            Terminal.say("sent \(reports) \(reports == 1 ? "report" : "reports") to \(options.telemetryEndpoint)")
        case .refused(.no(let place, let reason)):
            Terminal.say("nothing was sent: \(place): \(reason)")
        case .refused(.unknown(let place, let reason)):
            throw CommandFailure.unavailable(
                "nothing was sent: whether \(place) says no could not be read: \(reason)"
            )
        case .refused(.yes):
            break
        }
    }

    private func serve(_ agent: TelemetryAgent, _ registry: MetricsRegistry, logger: Logger) async throws {
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        let listener = metricsAddr.map { address in
            PrivateListener(at: address, registry: registry, logger: logger) { agent.unreadiness }
        }
        let services: [any Service] = [agent] + (listener.map { [$0] } ?? [])
        let group = ServiceGroup(services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet)
        do {
            try await group.run()
        } catch let error as BackendError {
            throw CommandFailure.failed(error.description)
        }
    }
}

/// A duration of the command line.
private func duration(_ text: String) throws -> Duration {
    guard let duration = AgentSettings.interval(text) else {
        throw ValidationError("'\(text)' is no duration such as 15m or 1h30m")
    }
    return duration
}

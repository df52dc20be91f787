// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import AsyncHTTPClient
import Foundation
import Kubernetes
import Logging
import Metrics
import TelemetryAgent

/// What the agent and the preview are asked with; the names are those of the deployed clients.
struct AgentOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Where reports are sent.", valueName: "url"))
    var telemetryEndpoint = AgentSettings.defaultEndpoint

    @Flag(help: "Send nothing. DO_NOT_TRACK=1 in the environment says the same.")
    var disableTelemetry = false

    @Option(help: ArgumentHelp("The version of Cozystack; found in the cluster unless given.", valueName: "version"))
    var cozystackVersion: String?

    @OptionGroup var cluster: ClusterOptions

    @OptionGroup var delivery: DeliveryOptions

    @Option(
        help: ArgumentHelp(
            "Report under an id of a key of its own and sign (key), or under the UID of kube-system, unsigned (uid).",
            valueName: "kind"
        ),
        transform: { text throws in
            guard let mode = IdentityMode(rawValue: text) else {
                throw ValidationError("an identity is 'key' or 'uid', not '\(text)'")
            }
            return mode
        }
    )
    var identity: IdentityMode = .key

    /// Runs something with an agent, and closes its connections afterwards.
    ///
    /// - Parameters:
    ///   - schedule: When it reports.
    ///   - isElected: Whether only one of several replicas is to report.
    ///   - metrics: Where the agent counts.
    ///   - logger: Where the agent says what changed.
    ///   - body: What is done with it.
    /// - Throws: `CommandFailure`, or what the body throws.
    func withAgent(
        _ schedule: AgentSchedule = AgentSchedule(),
        isElected: Bool = false,
        metrics: any MetricsFactory = NOOPMetricsHandler.instance,
        logger: Logger,
        _ body: (TelemetryAgent) async throws -> Void
    ) async throws {
        try await cluster.withClient { client, namespace in
            let settings = try settings(schedule, namespace: namespace)
            let transport = try delivery.transport.transport(to: telemetryEndpoint)
            let outbox = try delivery.outbox(logger: logger)
            let election = LeaderElection(
                client: client,
                namespace: namespace,
                lease: "cozy-telemetry",
                candidate: ProcessInfo.processInfo.hostName,
                logger: logger
            )
            try await HTTPClient.withHTTPClient(configuration: transport.httpClientConfiguration) { http in
                try await body(
                    TelemetryAgent(
                        settings: settings,
                        client: client,
                        httpClient: http,
                        outbox: outbox,
                        election: isElected ? election : nil,
                        metrics: metrics,
                        logger: logger
                    )
                )
            }
        }
    }

    private func settings(_ schedule: AgentSchedule, namespace: String) throws(CommandFailure) -> AgentSettings {
        do {
            return try AgentSettings(
                endpoint: telemetryEndpoint,
                interval: schedule.interval,
                namespace: namespace,
                identity: identity,
                noticePeriod: schedule.noticePeriod,
                isDisabled: disableTelemetry,
                cozystackVersion: cozystackVersion,
                environment: ProcessInfo.processInfo.environment
            )
        } catch {
            throw CommandFailure.usage(error.description)
        }
    }
}

/// When an agent reports.
struct AgentSchedule {
    /// The time from one report to the next.
    var interval = Duration.seconds(900)
    /// The time from the notice in the cluster to the first report.
    var noticePeriod = Duration.seconds(3_600)
}

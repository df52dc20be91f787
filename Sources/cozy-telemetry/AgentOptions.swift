// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import AsyncHTTPClient
import Foundation
import Kubernetes
import Logging
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

    /// Runs something with an agent, and closes its connections afterwards.
    ///
    /// - Throws: `CommandFailure`, or what the body throws.
    func withAgent(
        interval: Duration = .seconds(900),
        noticePeriod: Duration = .seconds(3_600),
        logger: Logger,
        _ body: (TelemetryAgent) async throws -> Void
    ) async throws {
        try await cluster.withClient { client, namespace in
            let settings = try settings(interval: interval, noticePeriod: noticePeriod, namespace: namespace)
            let transport = try delivery.transport.transport(to: telemetryEndpoint)
            try await HTTPClient.withHTTPClient(configuration: transport.httpClientConfiguration) { http in
                try await body(TelemetryAgent(settings: settings, client: client, httpClient: http, logger: logger))
            }
        }
    }

    private func settings(
        interval: Duration,
        noticePeriod: Duration,
        namespace: String
    ) throws(CommandFailure) -> AgentSettings {
        do {
            return try AgentSettings(
                endpoint: telemetryEndpoint,
                interval: interval,
                namespace: namespace,
                noticePeriod: noticePeriod,
                isDisabled: disableTelemetry,
                cozystackVersion: cozystackVersion,
                environment: ProcessInfo.processInfo.environment
            )
        } catch {
            throw CommandFailure.usage(error.description)
        }
    }
}

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

    @Option(
        help: ArgumentHelp(
            "How to reach the cluster; otherwise $KUBECONFIG, the pod's own, or ~/.kube/config.",
            valueName: "file"
        )
    )
    var kubeconfig: String?

    @Option(help: ArgumentHelp("The context of the kubeconfig; the current one unless given.", valueName: "name"))
    var context: String?

    /// Runs something with an agent, and closes its connections afterwards.
    ///
    /// - Throws: `CommandFailure`, or what the body throws.
    func withAgent(
        interval: Duration = .seconds(900),
        logger: Logger,
        _ body: (TelemetryAgent) async throws -> Void
    ) async throws {
        let environment = ProcessInfo.processInfo.environment
        let settings: AgentSettings
        let configuration: KubernetesConfiguration
        do {
            settings = try AgentSettings(
                endpoint: telemetryEndpoint,
                interval: interval,
                isDisabled: disableTelemetry,
                cozystackVersion: cozystackVersion,
                environment: environment
            )
            let sources = KubernetesConfigurationSources(
                kubeconfig: kubeconfig,
                context: context,
                environment: environment
            )
            configuration = try .load(from: sources)
        } catch {
            throw CommandFailure.usage("\(error)")
        }
        do {
            try await HTTPClient.withHTTPClient(configuration: TelemetryAgent.httpClientConfiguration) { http in
                try await KubernetesClient.withClient(configuration: configuration) { client in
                    try await body(
                        TelemetryAgent(settings: settings, client: client, httpClient: http, logger: logger)
                    )
                }
            }
        } catch let error as AgentError {
            throw CommandFailure.unavailable(error.description)
        } catch let error as KubernetesError {
            throw CommandFailure.unavailable(error.description)
        } catch let error as KubernetesConfigurationError {
            throw CommandFailure.usage(error.description)
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import Kubernetes
import TelemetryAgent

/// Which cluster a command is about, and where the agent is in it.
struct ClusterOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "How to reach the cluster; otherwise $KUBECONFIG, the pod's own, or ~/.kube/config.",
            valueName: "file"
        ),
        completion: .file()
    )
    var kubeconfig: String?

    @Option(help: ArgumentHelp("The context of the kubeconfig; the current one unless given.", valueName: "name"))
    var context: String?

    @Option(
        help: ArgumentHelp(
            "The namespace of the agent; its own in a pod, otherwise cozy-telemetry.",
            valueName: "name"
        )
    )
    var namespace: String?

    /// How to reach the cluster.
    ///
    /// - Throws: `CommandFailure`.
    func configuration() throws -> KubernetesConfiguration {
        let sources = KubernetesConfigurationSources(
            kubeconfig: kubeconfig,
            context: context,
            environment: ProcessInfo.processInfo.environment
        )
        do {
            return try .load(from: sources)
        } catch {
            throw CommandFailure.usage(error.description)
        }
    }

    /// Runs something with a client of the cluster and the namespace of the agent, and closes the connections afterwards.
    ///
    /// - Throws: `CommandFailure` also for errors of the agent and of the API server, or what else the body throws.
    func withClient<Result>(
        _ body: (_ client: KubernetesClient, _ agentNamespace: String) async throws -> Result
    ) async throws -> Result {
        let configuration = try configuration()
        let agentNamespace = namespace ?? configuration.podNamespace ?? AgentSettings.defaultNamespace
        do {
            return try await KubernetesClient.withClient(configuration: configuration) { client in
                try await body(client, agentNamespace)
            }
        } catch let error as AgentError {
            throw error.isOfServer ? .unavailable(error.description) : CommandFailure.failed(error.description)
        } catch let error as KubernetesError {
            throw CommandFailure.unavailable(error.description)
        } catch let error as KubernetesConfigurationError {
            throw CommandFailure.usage(error.description)
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

package import Kubernetes

extension ControlPlane {
    /// Runs a body with a client of the shared control plane.
    ///
    /// - Parameters:
    ///   - change: What is different from the administrator's configuration.
    ///   - kubeconfig: Which one that is.
    ///   - limits: The limits of the client.
    ///   - isolation: Where the body runs.
    ///   - body: Gets the client and the control plane.
    /// - Returns: What the body returns.
    /// - Throws: What the body throws, or why there is no control plane.
    @discardableResult
    package static func withSharedClient<Result>(
        _ change: (inout KubernetesConfiguration) -> Void = { _ in },
        kubeconfig: KeyPath<ControlPlane, String> = \.kubeconfig,
        limits: KubernetesClient.Limits = .init(),
        isolation: isolated (any Actor)? = #isolation,
        _ body: (KubernetesClient, ControlPlane) async throws -> Result
    ) async throws -> Result {
        let plane = try await shared()
        let sources = KubernetesConfigurationSources(kubeconfig: plane[keyPath: kubeconfig], environment: [:])
        var configuration = try KubernetesConfiguration.load(from: sources)
        change(&configuration)
        return try await KubernetesClient.withClient(configuration: configuration, limits: limits) { client in
            try await body(client, plane)
        }
    }

    /// Makes a namespace for one test.
    package func namespace(_ name: String) async throws -> String {
        try await kubectl("create", "namespace", name)
        return name
    }
}

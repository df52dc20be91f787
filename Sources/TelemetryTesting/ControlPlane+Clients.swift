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

extension ControlPlane {
    /// Makes a service account and gives a token of it.
    package func serviceAccount(_ name: String, in namespace: String) async throws -> String {
        try await kubectl("create", "serviceaccount", name, "-n", namespace)
        return try await token(of: name, in: namespace)
    }

    /// A token of a service account.
    package func token(of account: String, in namespace: String) async throws -> String {
        try await kubectl("create", "token", account, "-n", namespace)
    }

    /// Lets a service account do something in its namespace or everywhere.
    ///
    /// - Parameters:
    ///   - name: The name of the role and its binding.
    ///   - verbs: What may be done, `get`.
    ///   - resource: With what, `secrets`.
    ///   - account: The name of the service account.
    ///   - namespace: Its namespace.
    ///   - everywhere: Whether in all namespaces.
    /// - Throws: `ControlPlaneError`.
    package func grant(
        _ name: String,
        _ verbs: [String],
        _ resource: String,
        to account: String,
        of namespace: String,
        everywhere: Bool = false
    ) async throws {
        let (role, scope) = everywhere ? ("clusterrole", []) : ("role", ["-n", namespace])
        let rule = ["--verb=\(verbs.joined(separator: ","))", "--resource=\(resource)"]
        try await kubectl(["create", role, name] + rule + scope)
        let subject = ["--\(role)=\(name)", "--serviceaccount=\(namespace):\(account)"]
        try await kubectl(["create", "\(role)binding", name] + subject + scope)
    }
}

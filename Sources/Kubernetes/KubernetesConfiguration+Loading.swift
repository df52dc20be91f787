// SPDX-License-Identifier: Apache-2.0

/// Where a configuration is looked for.
public struct KubernetesConfigurationSources: Sendable {
    /// The kubeconfig that was asked for by name; nothing else is looked at then.
    public var kubeconfig: String?
    /// The context that was asked for, instead of the current one.
    public var context: String?
    /// The environment: `KUBECONFIG`, `HOME`, `KUBERNETES_SERVICE_HOST`, `KUBERNETES_SERVICE_PORT`.
    public var environment: [String: String]
    /// The directory with a pod's `token`, `ca.crt` and `namespace`.
    public var serviceAccountDirectory: String

    /// Sources with the directory that Kubernetes mounts in every pod unless another is given.
    public init(
        kubeconfig: String? = nil,
        context: String? = nil,
        environment: [String: String],
        serviceAccountDirectory: String = "/var/run/secrets/kubernetes.io/serviceaccount"
    ) {
        self.kubeconfig = kubeconfig
        self.context = context
        self.environment = environment
        self.serviceAccountDirectory = serviceAccountDirectory
    }
}

extension KubernetesConfiguration {
    /// The configuration from the first source that there is: the kubeconfig asked for, the files of `KUBECONFIG`, the
    /// pod's service account, `~/.kube/config`.
    public static func load(
        from sources: KubernetesConfigurationSources
    ) throws(KubernetesConfigurationError) -> KubernetesConfiguration {
        if let path = sources.kubeconfig {
            return try Kubeconfig(files: [path]).configuration(context: sources.context)
        }
        if let list = sources.environment["KUBECONFIG"], !list.isEmpty {
            return try kubeconfig(list: list).configuration(context: sources.context)
        }
        if sources.context == nil, let configuration = try inCluster(sources) { return configuration }
        if let home = sources.environment["HOME"], !home.isEmpty {
            let path = home + "/.kube/config"
            if ConfigurationFile.exists(path) {
                return try Kubeconfig(files: [path]).configuration(context: sources.context)
            }
        }
        throw .notConfigured
    }

    /// The files of a list separated by colons; those that do not exist are left out, as kubectl does.
    private static func kubeconfig(list: String) throws(KubernetesConfigurationError) -> Kubeconfig {
        let listed = list.split(separator: ":").map(String.init)
        let existing = listed.filter(ConfigurationFile.exists)
        guard !existing.isEmpty else { throw .noFileExists(listed) }
        return try Kubeconfig(files: existing)
    }

    /// The configuration of a pod's service account, or nil outside of a pod.
    private static func inCluster(
        _ sources: KubernetesConfigurationSources
    ) throws(KubernetesConfigurationError) -> KubernetesConfiguration? {
        guard let host = sources.environment["KUBERNETES_SERVICE_HOST"], !host.isEmpty,
            let port = sources.environment["KUBERNETES_SERVICE_PORT"], !port.isEmpty
        else { return nil }
        let directory = sources.serviceAccountDirectory
        let tokenFile = directory + "/token"
        _ = try ConfigurationFile.text(tokenFile)
        let authorityFile = directory + "/ca.crt"
        let authority = PEM(
            bytes: try ConfigurationFile.bytes(authorityFile),
            field: "ca.crt",
            owner: "the service account",
            file: authorityFile
        )
        let namespaceFile = directory + "/namespace"
        let namespace = ConfigurationFile.exists(namespaceFile) ? try ConfigurationFile.text(namespaceFile) : ""
        var configuration = KubernetesConfiguration(
            server: "https://\(host.contains(":") ? "[\(host)]" : host):\(port)",
            namespace: namespace.isEmpty ? "default" : namespace,
            token: .file(tokenFile),
            certificateAuthority: .certificates(authority)
        )
        if !namespace.isEmpty { configuration.podNamespace = namespace }
        return configuration
    }
}

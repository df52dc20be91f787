// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// One or more kubeconfig files merged as kubectl merges them: the first file that has an entry of a name, or a
/// current context, wins.
///
/// The format is `Config` of `k8s.io/client-go/tools/clientcmd/api/v1`.
struct Kubeconfig {
    private let files: [String]
    private var currentContext: String?
    private var contexts: [String: KubeconfigEntry] = [:]
    private var clusters: [String: KubeconfigEntry] = [:]
    private var users: [String: KubeconfigEntry] = [:]

    /// Reads files, the most important first.
    init(files: [String]) throws(KubernetesConfigurationError) {
        var documents: [KubeconfigDocument] = []
        for file in files { documents.append(try KubeconfigDocument(file: file)) }
        try self.init(documents: documents)
    }

    /// Merges documents, the most important first.
    init(documents: [KubeconfigDocument]) throws(KubernetesConfigurationError) {
        files = documents.map(\.file)
        for document in documents {
            if currentContext == nil { currentContext = try document.currentContext() }
            contexts.merge(try document.entries("contexts", "context")) { first, _ in first }
            clusters.merge(try document.entries("clusters", "cluster")) { first, _ in first }
            users.merge(try document.entries("users", "user")) { first, _ in first }
        }
    }

    /// The configuration of a context, the current one unless another is named.
    func configuration(context name: String?) throws(KubernetesConfigurationError) -> KubernetesConfiguration {
        guard let name = name ?? currentContext else { throw .noCurrentContext(files: files) }
        let context = try entry(name, of: contexts, .contexts)
        let cluster = try entry(try context.requiredString("cluster"), of: clusters, .clusters)
        var configuration = KubernetesConfiguration(server: try server(of: cluster))
        configuration.namespace = try context.string("namespace") ?? "default"
        configuration.certificateAuthority = try certificateAuthority(of: cluster)
        configuration.tlsServerName = try cluster.string("tls-server-name")
        guard let userName = try context.string("user") else { return configuration }
        let user = try entry(userName, of: users, .users)
        configuration.token = try token(of: user)
        configuration.clientCertificate = try clientCertificate(of: user)
        return configuration
    }

    private func entry(
        _ name: String,
        of entries: [String: KubeconfigEntry],
        _ list: KubernetesConfigurationError.List
    ) throws(KubernetesConfigurationError) -> KubeconfigEntry {
        guard let entry = entries[name] else { throw .missing(list, name: name, files: files) }
        for field in Self.unsupportedFields[list] ?? [] where entry.isSet(field) {
            throw .unsupported(field: field, list: list, name: name, file: entry.file)
        }
        return entry
    }

    /// The server's URL, without a slash at its end.
    private func server(of cluster: KubeconfigEntry) throws(KubernetesConfigurationError) -> String {
        var text = try cluster.requiredString("server")
        guard let url = URLComponents(string: text), ["https", "http"].contains(url.scheme?.lowercased()),
            url.host?.isEmpty == false, url.user == nil, url.password == nil, url.query == nil, url.fragment == nil,
            (1...65_535).contains(url.port ?? 443)
        else { throw cluster.invalid("server", "must be an http or https URL without a user, a query and a fragment") }
        while text.hasSuffix("/") { text.removeLast() }
        return text
    }

    private func certificateAuthority(
        of cluster: KubeconfigEntry
    ) throws(KubernetesConfigurationError) -> KubernetesConfiguration.CertificateAuthority {
        let pem = try cluster.pem("certificate-authority")
        guard try cluster.flag("insecure-skip-tls-verify") else { return pem.map { .certificates($0) } ?? .system }
        guard pem == nil else {
            throw cluster.invalid("insecure-skip-tls-verify", "cannot be true where a certificate-authority is given")
        }
        return .unchecked
    }

    /// The token; a file wins over a token that stands in the kubeconfig, as in client-go.
    private func token(
        of user: KubeconfigEntry
    ) throws(KubernetesConfigurationError) -> KubernetesConfiguration.BearerToken {
        if let file = try user.string("tokenFile") {
            return .file(ConfigurationFile.path(file, namedIn: user.file))
        }
        return try user.string("token").map { .text($0) } ?? .none
    }

    private func clientCertificate(
        of user: KubeconfigEntry
    ) throws(KubernetesConfigurationError) -> KubernetesConfiguration.ClientCertificate? {
        switch (try user.pem("client-certificate"), try user.pem("client-key")) {
        case (nil, nil): return nil
        case (let chain?, let key?): return .init(chain: chain, key: key)
        case (_?, nil): throw user.invalid("client-certificate", "needs a client-key beside it")
        case (nil, _?): throw user.invalid("client-key", "needs a client-certificate beside it")
        }
    }

    /// What kubectl follows and this client does not.
    private static let unsupportedFields: [KubernetesConfigurationError.List: [String]] = [
        .clusters: ["proxy-url"],
        .users: [
            "exec", "auth-provider", "username", "password", "as", "as-uid", "as-groups", "as-user-extra",
        ],
    ]
}

// SPDX-License-Identifier: Apache-2.0

import Foundation
import Kubernetes
import Testing

@Suite("Client configuration")
struct ConfigurationTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func load(
        _ kubeconfig: String? = nil,
        context: String? = nil,
        _ environment: [String: String] = [:]
    ) throws -> KubernetesConfiguration {
        try .load(
            from: .init(
                kubeconfig: kubeconfig,
                context: context,
                environment: environment,
                serviceAccountDirectory: folder.path("serviceaccount")
            )
        )
    }

    private func error(
        _ kubeconfig: String? = nil,
        context: String? = nil,
        _ environment: [String: String] = [:]
    ) throws -> KubernetesConfigurationError? {
        #expect(throws: KubernetesConfigurationError.self) {
            _ = try load(kubeconfig, context: context, environment)
        }
    }

    private func writeServiceAccount(namespace: String? = "cozy-system") throws {
        try folder.write("one\n", to: "serviceaccount/token")
        try folder.write("certificate", to: "serviceaccount/ca.crt")
        if let namespace { try folder.write(namespace, to: "serviceaccount/namespace") }
    }

    @Test(
        "in a pod, the service account is used",
        arguments: [
            ("10.96.0.1", "443", "https://10.96.0.1:443"),
            ("fd00::1", "6443", "https://[fd00::1]:6443"),
            ("api.example", "443", "https://api.example:443"),
        ]
    )
    func inCluster(host: String, port: String, server: String) throws {
        try writeServiceAccount()
        let environment = ["KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port]
        let configuration = try load(nil, environment)
        #expect(configuration.server == server)
        #expect(configuration.namespace == "cozy-system" && configuration.podNamespace == "cozy-system")
        #expect(configuration.token == .file(folder.path("serviceaccount/token")))
        guard case .certificates(let pem) = configuration.certificateAuthority else {
            Issue.record("the authority is not the pod's")
            return
        }
        #expect(pem.bytes == Array("certificate".utf8))
    }

    @Test("a pod without a namespace file is in the default namespace")
    func defaultNamespace() throws {
        try writeServiceAccount(namespace: nil)
        let environment = ["KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"]
        #expect(try load(nil, environment).namespace == "default")
    }

    @Test("a pod without a token says which file is missing")
    func missingToken() throws {
        let environment = ["KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"]
        let expected = KubernetesConfigurationError.unreadable(
            file: folder.path("serviceaccount/token"),
            reason: "there is no such file"
        )
        #expect(try error(nil, environment) == expected)
    }

    @Test("the kubeconfig asked for comes first, then KUBECONFIG, then the pod, then the home folder")
    func precedence() throws {
        try writeServiceAccount()
        let explicit = try folder.write(kubeconfig(server: "https://explicit"), to: "explicit")
        let listed = try folder.write(kubeconfig(server: "https://listed"), to: "listed")
        try folder.write(kubeconfig(server: "https://home"), to: "home/.kube/config")
        var environment = [
            "KUBECONFIG": listed, "KUBERNETES_SERVICE_HOST": "pod", "KUBERNETES_SERVICE_PORT": "1",
            "HOME": folder.path("home"),
        ]
        #expect(try load(explicit, environment).server == "https://explicit")
        #expect(try load(nil, environment).server == "https://listed")
        environment["KUBECONFIG"] = nil
        #expect(try load(nil, environment).server == "https://pod:1")
        environment["KUBERNETES_SERVICE_HOST"] = nil
        #expect(try load(nil, environment).server == "https://home")
        environment["HOME"] = folder.path("nobody")
        #expect(try error(nil, environment) == .notConfigured)
    }

    @Test("of several files the first wins, by name and for the current context")
    func merging() throws {
        let first = try folder.write(
            """
            current-context: blue
            clusters: [{name: one, cluster: {server: "https://first"}}]
            contexts: [{name: blue, context: {cluster: two, user: admin, namespace: here}}]
            """,
            to: "first"
        )
        let second = try folder.write(
            """
            current-context: red
            clusters:
            - {name: one, cluster: {server: "https://hidden"}}
            - {name: two, cluster: {server: "https://second/"}}
            contexts: [{name: red, context: {cluster: one, user: admin}}]
            users: [{name: admin, user: {token: secret}}]
            """,
            to: "second"
        )
        let list = "\(folder.path("missing")):\(first)::\(second)"
        let current = try load(nil, ["KUBECONFIG": list])
        #expect(current.server == "https://second")
        #expect(current.namespace == "here" && current.podNamespace == nil)
        #expect(current.token == .text("secret"))
        #expect(try load(nil, context: "red", ["KUBECONFIG": list]).server == "https://first")
    }

    @Test("a KUBECONFIG none of whose files exists names them")
    func noFile() throws {
        #expect(try error(nil, ["KUBECONFIG": "/nowhere/a:/nowhere/b"]) == .noFileExists(["/nowhere/a", "/nowhere/b"]))
    }

    @Test("file paths are relative to the file that they stand in, data wins over files")
    func relativePaths() throws {
        try folder.write("authority", to: "nested/pki/ca.crt")
        try folder.write("chain", to: "nested/client.crt")
        let path = try folder.write(
            kubeconfig(
                server: "https://server",
                cluster: "certificate-authority: pki/ca.crt",
                user: "tokenFile: ../token, client-certificate: client.crt, client-key: absent, client-key-data: a2V5"
            ),
            to: "nested/config"
        )
        let configuration = try load(path)
        #expect(configuration.token == .file(folder.path("nested/../token")))
        #expect(configuration.clientCertificate?.chain.bytes == Array("chain".utf8))
        #expect(configuration.clientCertificate?.key.bytes == Array("key".utf8))
        guard case .certificates(let pem) = configuration.certificateAuthority else {
            Issue.record("the authority is not that of the file")
            return
        }
        #expect(pem.bytes == Array("authority".utf8))
    }

    @Test("insecure-skip-tls-verify and tls-server-name are followed")
    func tlsFields() throws {
        let cluster = "insecure-skip-tls-verify: true, tls-server-name: kubernetes"
        let path = try folder.write(kubeconfig(server: "https://server", cluster: cluster), to: "config")
        let configuration = try load(path)
        #expect(configuration.certificateAuthority == .unchecked)
        #expect(configuration.tlsServerName == "kubernetes")
    }

    @Test(
        "what is not supported is named with its entry and its file",
        arguments: [
            ("exec", "exec: {command: login}"), ("auth-provider", "auth-provider: {name: gcp}"),
            ("username", "username: me, password: guess"), ("password", "password: guess"), ("as", "as: somebody"),
            ("as-uid", "as-uid: \"1\""), ("as-groups", "as-groups: [admins]"),
            ("as-user-extra", "as-user-extra: {a: [b]}"),
        ]
    )
    func unsupportedUser(field: String, user: String) throws {
        let path = try folder.write(kubeconfig(server: "https://server", user: user), to: "config")
        let error = try error(path)
        #expect(error == .unsupported(field: field, list: .users, name: "me", file: path))
        #expect(error?.description.contains("guess") == false)
    }

    @Test("a proxy is not supported, and said so")
    func unsupportedProxy() throws {
        let cluster = "proxy-url: \"http://proxy\""
        let path = try folder.write(kubeconfig(server: "https://server", cluster: cluster), to: "config")
        #expect(try error(path) == .unsupported(field: "proxy-url", list: .clusters, name: "one", file: path))
    }

    @Test("an unsupported field of a user that is not used is no error")
    func unusedUser() throws {
        let text =
            kubeconfig(server: "https://server", user: "token: t")
            + "- {name: other, user: {exec: {command: login}}}\n"
        #expect(try load(try folder.write(text, to: "config")).token == .text("t"))
    }

    @Test("missing entries are named with the files that were read")
    func missingEntries() throws {
        let path = try folder.write("contexts: [{name: a, context: {cluster: b, user: c}}]\n", to: "a")
        let cluster = try folder.write("clusters: [{name: b, cluster: {server: \"https://b\"}}]\n", to: "b")
        #expect(try error(path) == .noCurrentContext(files: [path]))
        #expect(try error(path, context: "z") == .missing(.contexts, name: "z", files: [path]))
        #expect(try error(path, context: "a") == .missing(.clusters, name: "b", files: [path]))
        let both = ["KUBECONFIG": "\(path):\(cluster)"]
        #expect(try error(nil, context: "a", both) == .missing(.users, name: "c", files: [path, cluster]))
    }

    @Test(
        "what is malformed is reported with file, line and column",
        arguments: [
            ("clusters: [\n", 2, 1), ("a: b\n c: d\n", 2, 3), ("- a\n", 1, 1), ("users: 7\n", 1, 8),
            ("clusters:\n- {cluster: {}}\n", 2, 3), ("current-context: [a]\n", 1, 18), ("a: 1\na: 2\n", 1, 1),
        ]
    )
    func malformed(text: String, line: Int, column: Int) throws {
        let path = try folder.write(text, to: "config")
        guard case .malformed(path, line, column, _) = try error(path) else {
            Issue.record("\(String(describing: try error(path)))")
            return
        }
    }

    @Test(
        "values that cannot be used are named",
        arguments: [
            ("server", "server: \"ftp://server\"", ""), ("server", "server: \"https://me:pw@server\"", ""),
            ("server", "namespace: none", ""), ("insecure-skip-tls-verify", "insecure-skip-tls-verify: maybe", ""),
            ("client-certificate", "", "client-certificate-data: YQ=="), ("client-key", "", "client-key-data: YQ=="),
            ("client-key-data", "", "client-certificate-data: YQ==, client-key-data: \"=\""),
        ]
    )
    func invalid(field: String, cluster: String, user: String) throws {
        let server = cluster.hasPrefix("server") || cluster.hasPrefix("namespace") ? nil : "https://server"
        let path = try folder.write(kubeconfig(server: server, cluster: cluster, user: user), to: "config")
        let error = try error(path)
        guard case .invalid(field, _, path, _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(error?.description.contains("pw") == false)
    }

    @Test("neither a description nor a dump holds a token or a key")
    func secrets() throws {
        let user = "token: hush, client-certificate-data: c2VjcmV0, client-key-data: c2VjcmV0"
        let path = try folder.write(kubeconfig(server: "https://server", user: user), to: "config")
        let configuration = try load(path)
        var dumped = ""
        dump(configuration, to: &dumped)
        #expect(configuration.description == "https://server with a token and a client certificate")
        for text in ["\(configuration)", String(reflecting: configuration), dumped] {
            #expect(!text.contains("hush") && !text.contains("115, 101, 99"))
        }
    }

    @Test("a key that is no key is named before anything is sent")
    func badKey() throws {
        let path = try folder.write(
            kubeconfig(server: "https://server", user: "client-certificate-data: YQ==, client-key-data: YQ=="),
            to: "config"
        )
        let configuration = try load(path)
        let error = #expect(throws: KubernetesConfigurationError.self) {
            _ = try KubernetesClient(configuration: configuration)
        }
        #expect(error?.description.contains("client-certificate-data") == true)
    }
}

/// A kubeconfig with one context, one cluster and the user `me`.
private func kubeconfig(server: String?, cluster: String = "", user: String = "") -> String {
    let fields = [server.map { "server: \"\($0)\"" }, cluster.isEmpty ? nil : cluster].compactMap { $0 }
    return """
        current-context: test
        contexts: [{name: test, context: {cluster: one, user: me}}]
        clusters: [{name: one, cluster: {\(fields.joined(separator: ", "))}}]
        users:
        - {name: me, user: {\(user)}}

        """
}

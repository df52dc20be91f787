// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOCore
import NIOPosix

/// Makes certificates, keys, the administrator's token and the kubeconfigs of a control plane.
struct ControlPlaneCredentials {
    let directory: URL
    let server: String
    let adminToken: String

    /// Writes all of them.
    func write(_ tools: ControlPlaneTools) async throws {
        try write("\(adminToken),admin,admin,\"system:masters\"\n", to: "tokens.csv")
        try write(
            "subjectAltName=DNS:localhost,DNS:kubernetes.default.svc,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n",
            to: "server.ext"
        )
        try write("extendedKeyUsage=clientAuth\n", to: "admin.ext")
        try write(kubeconfig(user: "{token: \"\(adminToken)\"}"), to: "token.kubeconfig")
        try write(
            kubeconfig(user: "{client-certificate: admin.crt, client-key: admin.key}"),
            to: "certificate.kubeconfig"
        )
        func openssl(_ arguments: String) async throws {
            let arguments = arguments.split(separator: " ").map(String.init)
            try await Command(executable: tools.openssl, arguments: arguments).run(in: directory)
        }
        let newKey = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
        try await openssl("req -x509 \(newKey) -days 2 -keyout ca.key -out ca.crt -subj /CN=test-authority")
        for (name, subject) in [("server", "/CN=kube-apiserver"), ("admin", "/O=system:masters/CN=certified-admin")] {
            try await openssl("req \(newKey) -keyout \(name).key -out \(name).csr -subj \(subject)")
            try await openssl(
                "x509 -req -in \(name).csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2"
                    + " -out \(name).crt -extfile \(name).ext"
            )
        }
        // What the server shows to those who ask for this name is signed by nobody that they trust.
        try await openssl("req -x509 \(newKey) -days 2 -keyout foreign.key -out foreign.crt -subj /CN=foreign.test")
        try await openssl("ecparam -name prime256v1 -genkey -noout -out sa.key")
    }

    private func kubeconfig(user: String) -> String {
        """
        apiVersion: v1
        kind: Config
        current-context: test
        clusters: [{name: test, cluster: {server: "\(server)", certificate-authority: ca.crt}}]
        users: [{name: admin, user: \(user)}]
        contexts: [{name: test, context: {cluster: test, user: admin}}]

        """
    }

    private func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: directory.appending(component: name))
    }
}

/// Three ports that were free a moment ago, below the range that the kernel gives to outgoing connections.
struct ControlPlanePorts {
    let server: Int
    let etcd: Int
    let peer: Int

    init() throws {
        var free: [Int] = []
        for port in (20_000..<32_768).shuffled() where free.count < 3 && Self.isFree(port) { free.append(port) }
        guard free.count == 3 else { throw ControlPlaneError.noPort }
        (server, etcd, peer) = (free[0], free[1], free[2])
    }

    private static func isFree(_ port: Int) -> Bool {
        guard let address = try? SocketAddress(ipAddress: "127.0.0.1", port: port),
            let channel = try? ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup).bind(to: address).wait()
        else { return false }
        return (try? channel.close().wait()) != nil
    }
}

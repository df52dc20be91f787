// SPDX-License-Identifier: Apache-2.0

package import Foundation
package import Kubernetes

/// A real etcd and a real kube-apiserver on the loopback interface, as a cluster for tests.
///
/// Nothing else runs: no controllers, no nodes. Both processes end with the test process, however that ends. One takes
/// about 4 s to start and 350 MB of memory.
package final class ControlPlane: Sendable {
    /// Everything that the control plane wrote, gone when it stops.
    package let directory: URL
    /// `https://127.0.0.1:PORT`.
    package let server: String
    /// The port of the server.
    let port: Int
    /// The token of an administrator.
    package let adminToken: String
    /// Where etcd answers, without TLS.
    package let etcd: String

    /// The shell that runs both processes and ends them when its input ends.
    private let watchdog: Process
    let input: Pipe

    /// A kubeconfig with the administrator's token.
    package var kubeconfig: String { path("token.kubeconfig") }
    /// A kubeconfig with the administrator's client certificate.
    package var clientCertificateKubeconfig: String { path("certificate.kubeconfig") }
    /// The certificate that signed the server's, in PEM form.
    package var certificateAuthority: String { path("ca.crt") }

    /// Starts a control plane and waits until it is ready.
    package static func start() async throws -> ControlPlane {
        let tools = try ControlPlaneTools.find()
        var attempt = 1
        while true {
            let plane = try await ControlPlane(tools)
            do {
                try await plane.waitUntilReady()
                return plane
            } catch {
                plane.stop()
                // Somebody else may have taken a port between its choice and its use.
                guard attempt < 3 else { throw error }
                attempt += 1
            }
        }
    }

    /// The control plane that suites share, started when it is first asked for.
    ///
    /// They must not disturb one another.
    package static func shared() async throws -> ControlPlane {
        try await sharedStart.value
    }

    // It belongs to the process and to no test, so it cannot be a child of the test that happens to ask first.
    private static let sharedStart = Task { try await start() }

    /// Runs a body with a control plane of its own.
    package static func with<Result>(
        isolation: isolated (any Actor)? = #isolation,
        _ body: (ControlPlane) async throws -> Result
    ) async throws -> Result {
        let plane = try await start()
        defer { plane.stop() }
        return try await body(plane)
    }

    private init(_ tools: ControlPlaneTools) async throws {
        let directory = FileManager.default.temporaryDirectory
            .appending(component: "cozy-telemetry-control-plane-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: directory,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        let ports = try ControlPlanePorts()
        self.directory = directory
        server = "https://127.0.0.1:\(ports.server)"
        port = ports.server
        etcd = "http://127.0.0.1:\(ports.etcd)"
        adminToken = UUID().uuidString
        try await ControlPlaneCredentials(directory: directory, server: server, adminToken: adminToken).write(tools)
        (watchdog, input) = (Process(), Pipe())
        watchdog.executableURL = URL(filePath: "/bin/sh")
        watchdog.arguments = ["-c", Self.script]
        watchdog.environment = [
            "ETCD": tools.etcd, "APISERVER": tools.apiServer, "DIR": directory.path(),
            "SERVER_PORT": "\(ports.server)", "ETCD_PORT": "\(ports.etcd)", "PEER_PORT": "\(ports.peer)",
        ]
        watchdog.standardInput = input
        watchdog.standardOutput = FileHandle.nullDevice
        watchdog.standardError = FileHandle.nullDevice
        try watchdog.run()
    }

    /// Ends both processes at once and removes what they wrote.
    package func stop() {
        try? input.fileHandleForWriting.close()
        watchdog.waitUntilExit()
    }

    deinit {
        try? input.fileHandleForWriting.close()
    }

    /// The path of a file in the directory.
    func path(_ name: String) -> String { directory.appending(component: name).path() }

    /// A client with the administrator's token, to be shut down by the caller.
    package func client(limits: KubernetesClient.Limits = .init()) throws -> KubernetesClient {
        let sources = KubernetesConfigurationSources(kubeconfig: kubeconfig, environment: [:])
        return try KubernetesClient(configuration: .load(from: sources), limits: limits)
    }

    /// Polls, because a starting server gives no sign that could be waited for.
    package func waitUntilReady() async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        let configuration = try KubernetesConfiguration.load(from: .init(kubeconfig: kubeconfig, environment: [:]))
        try await KubernetesClient.withClient(configuration: configuration) { client in
            while true {
                do {
                    // The server makes this namespace only after its roles and its other hooks are done.
                    _ = try await client.get(.namespaces, name: "kube-system")
                    guard try await kubectl("get", "--raw=/readyz") == "ok" else { continue }
                    return
                } catch {
                    guard watchdog.isRunning, ContinuousClock.now < deadline else {
                        throw ControlPlaneError.notReady(log: logEnd("apiserver.log") + logEnd("etcd.log"))
                    }
                    try await Task.sleep(for: .milliseconds(100))
                }
            }
        }
    }

    private func logEnd(_ name: String) -> String {
        let log = (try? String(contentsOfFile: path(name), encoding: .utf8)) ?? ""
        return log.split(separator: "\n").suffix(3).joined(separator: "\n") + "\n"
    }

    /// Starts both, restarts the server for every line of its input, and ends both at its end.
    ///
    /// It does not wait for processes to end: the shell inherits blocked signals and would not notice.
    private static let script = """
        "$ETCD" --name=test --data-dir="$DIR/etcd" --logger=zap --log-level=warn --unsafe-no-fsync \\
          --listen-client-urls="http://127.0.0.1:$ETCD_PORT" --advertise-client-urls="http://127.0.0.1:$ETCD_PORT" \\
          --listen-peer-urls="http://127.0.0.1:$PEER_PORT" \\
          --initial-advertise-peer-urls="http://127.0.0.1:$PEER_PORT" \\
          --initial-cluster="test=http://127.0.0.1:$PEER_PORT" </dev/null >"$DIR/etcd.log" 2>&1 &
        etcd=$!
        start() {
        "$APISERVER" --etcd-servers="http://127.0.0.1:$ETCD_PORT" --secure-port="$SERVER_PORT" \\
          --bind-address=127.0.0.1 --advertise-address=127.0.0.1 --endpoint-reconciler-type=none \\
          --tls-cert-file="$DIR/server.crt" --tls-private-key-file="$DIR/server.key" \\
          --tls-sni-cert-key="$DIR/foreign.crt,$DIR/foreign.key:foreign.test" \\
          --client-ca-file="$DIR/ca.crt" --cert-dir="$DIR" --token-auth-file="$DIR/tokens.csv" \\
          --authorization-mode=RBAC --service-account-issuer="https://127.0.0.1:$SERVER_PORT" \\
          --service-account-key-file="$DIR/sa.key" --service-account-signing-key-file="$DIR/sa.key" \\
          --service-cluster-ip-range=10.0.0.0/16 --disable-admission-plugins=ServiceAccount \\
          --profiling=false </dev/null >>"$DIR/apiserver.log" 2>&1 &
        apiserver=$!
        }
        start
        while read -r line; do
          kill -KILL "$apiserver" 2>/dev/null
          sleep 1
          start
        done
        kill -KILL "$apiserver" "$etcd" 2>/dev/null
        rm -rf "$DIR" || { sleep 1; rm -rf "$DIR"; }
        """
}

/// Why there is no control plane.
package enum ControlPlaneError: Error, CustomStringConvertible {
    /// Something that it consists of is not installed.
    case missing(String)
    /// It did not become ready; the end of its logs says why.
    case notReady(log: String)
    /// A command ended with a failure.
    case failed(command: String, output: String)
    /// No free port was found.
    case noPort

    package var description: String {
        switch self {
        case .missing(let what): "\(what) is missing; \(ControlPlane.requirements)"
        case .notReady(let log): "the control plane did not become ready:\n\(log)"
        case .failed(let command, let output): "\(command) failed:\n\(output)"
        case .noPort: "no free port between 20000 and 32767"
        }
    }
}

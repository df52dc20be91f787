// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOCore
import NIOPosix
import Synchronization
import TelemetryTesting
import Testing

@Suite(
    "Zero egress",
    .serialized,
    .enabled(if: ControlPlane.isAvailable, Comment(rawValue: ControlPlane.requirements)),
    .enabled(if: getuid() == 0, "SKIPPED: it takes root, to answer look-ups of names"),
    .timeLimit(.minutes(5))
)
struct ZeroEgressTests {
    @Test(
        "with each no, and with each place unreadable, nobody is asked for the backend's name, over several intervals"
    )
    func nothing() async throws {
        try await ControlPlane.with { plane in
            try await ClusterFixture.makeV1(plane)
            try await plane.apply(Self.packages)
            try await Server.with { server in
                try await NameServer.with { names in
                    // That a look-up and a report would be seen is seen first.
                    let control = try agent(plane, server, names)
                    // A backend as a process tells nobody here what it took.
                    while try await server.acceptedReports() == 0 { try await Task.sleep(for: .milliseconds(100)) }
                    #expect(names.queries > 0)
                    control.signal(SIGTERM)
                    #expect(await control.ending().status == 0)
                    let seen = (names.queries, try await server.acceptedReports())
                    try await settingsOfTheAgent(plane, server, names)
                    try await placesInTheCluster(plane, server, names)
                    try await unreadablePlaces(plane, server, names)
                    #expect(names.queries == seen.0)
                    #expect(try await server.acceptedReports() == seen.1)
                }
            }
        }
    }

    private func settingsOfTheAgent(_ plane: ControlPlane, _ server: Server, _ names: NameServer) async throws {
        try await staysSilent(try agent(plane, server, names, ["--disable-telemetry"]), "Telemetry is off")
        try await staysSilent(try agent(plane, server, names, environment: ["DO_NOT_TRACK": "1"]), "Telemetry is off")
    }

    private func placesInTheCluster(_ plane: ControlPlane, _ server: Server, _ names: NameServer) async throws {
        let status = "configmap cozy-telemetry-status -n cozy-telemetry"
        for no in Self.refusals {
            try await plane.apply(no)
            try await staysSilent(try agent(plane, server, names), "Telemetry is off")
            let name = no.contains("kind: Package") ? "" : " -n cozy-system"
            let kind =
                no.contains("kind: Package") ? "package" : no.contains("kind: Deployment") ? "deployment" : "configmap"
            let object = try #require(no.firstMatch(of: /name: ([a-z.-]+)/)).1
            try await plane.shell("kubectl delete \(kind) \(object)\(name) && kubectl delete \(status)")
        }
        try await plane.shell(
            "kubectl create configmap cozy-telemetry-status -n cozy-telemetry --from-literal=telemetry-enabled=false"
        )
        try await staysSilent(try agent(plane, server, names), "Telemetry is off")
        try await plane.shell("kubectl delete \(status)")
    }

    private func unreadablePlaces(_ plane: ControlPlane, _ server: Server, _ names: NameServer) async throws {
        for missing in ["configmaps", "packages", "deployments"] {
            let readable = [("", "configmaps"), ("cozystack.io", "packages"), ("apps", "deployments")]
                .filter { $0.1 != missing }
            let rules = readable.map { "- {apiGroups: [\"\($0.0)\"], resources: [\($0.1)], verbs: [get, list, watch]}" }
            try await plane.apply(
                """
                apiVersion: rbac.authorization.k8s.io/v1
                kind: ClusterRole
                metadata: {name: without-\(missing)}
                rules:
                - {apiGroups: [""], resources: [nodes, services, persistentvolumes, namespaces, secrets, events], verbs: ["*"]}
                - {apiGroups: [coordination.k8s.io], resources: [leases], verbs: ["*"]}
                \(rules.joined(separator: "\n"))
                ---
                apiVersion: rbac.authorization.k8s.io/v1
                kind: ClusterRoleBinding
                metadata: {name: without-\(missing)}
                roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: without-\(missing)}
                subjects: [{kind: ServiceAccount, name: without-\(missing), namespace: cozy-system}]
                """
            )
            try await plane.shell("kubectl create serviceaccount without-\(missing) -n cozy-system")
            let token = try await plane.kubectl("create", "token", "without-\(missing)", "-n", "cozy-system")
            let kubeconfig = plane.kubeconfig.replacing("token.kubeconfig", with: "\(missing).kubeconfig")
            let own = try String(contentsOfFile: plane.kubeconfig, encoding: .utf8)
            let other = own.replacing(/token: [^}]*}/, with: "token: \"\(token)\"}")
            #expect(own != other)
            try other.write(toFile: kubeconfig, atomically: true, encoding: .utf8)
            let agent = try agent(plane, server, names, kubeconfig: kubeconfig)
            try await staysSilent(agent, "Nothing is sent: whether the owner said no could not be read")
        }
    }

    /// Waits until an agent says why it is silent, then for several intervals more, and ends it.
    private func staysSilent(_ agent: RunningProgram, _ line: String) async throws {
        guard await agent.line(containing: line) != nil else {
            Issue.record("an agent ended: \(await agent.ending().errors)")
            return
        }
        // That something does not happen takes time to see.
        try await Task.sleep(for: .seconds(3))
        agent.signal(SIGTERM)
        #expect(await agent.ending().status == 0)
    }

    /// An agent that reports every second to a backend by name, and has its names from the test.
    private func agent(
        _ plane: ControlPlane,
        _ server: Server,
        _ names: NameServer,
        _ arguments: [String] = [],
        environment: [String: String] = [:],
        kubeconfig: String? = nil
    ) throws -> RunningProgram {
        let port = try #require(server.url.split(separator: ":").last)
        return try RunningProgram(
            [
                "agent", "--kubeconfig", kubeconfig ?? plane.kubeconfig, "--telemetry-interval", "1s",
                "--notice-period", "0",
                "--telemetry-endpoint", "http://backend.telemetry.test:\(port)",
            ] + arguments,
            environment: environment,
            within: names.wrapper
        )
    }

    private static let packages = refusals.filter { $0.contains("kind: Package") }.map {
        $0.replacing("true", with: "false")
    }
    .joined(separator: "\n---\n")

    private static let refusals = [
        """
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: cozystack, namespace: cozy-system}
        data: {telemetry-enabled: "nope"}
        """,
        """
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: cozystack, namespace: cozy-system}
        data: {values-cozystack-controller: "cozystackController: {disableTelemetry: true}"}
        """,
        """
        apiVersion: cozystack.io/v1alpha1
        kind: Package
        metadata: {name: cozystack.cozystack-platform}
        spec: {components: {platform: {values: {telemetry: {disabled: true}}}}}
        """,
        """
        apiVersion: cozystack.io/v1alpha1
        kind: Package
        metadata: {name: cozystack.cozystack-engine}
        spec: {components: {cozystack-controller: {values: {cozystackController: {disableTelemetry: true}}}}}
        """,
        deployment("cozystack-operator"), deployment("cozystack-controller"),
    ]

    private static func deployment(_ name: String) -> String {
        """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: \(name), namespace: cozy-system}
        spec:
          replicas: 0
          selector: {matchLabels: {app: "\(name)"}}
          template:
            metadata: {labels: {app: "\(name)"}}
            spec: {containers: [{name: main, image: none, args: ["--disable-telemetry"]}]}
        """
    }
}

/// A server of names that knows every name, by 127.0.0.1, and counts who asks.
private final class NameServer: Sendable {
    /// Names can only be asked for at port 53; an address of its own leaves it free for others.
    private let address = "127.\(Int.random(in: 1...254)).\(Int.random(in: 1...254)).\(Int.random(in: 1...254))"
    private let count = Mutex(0)
    private let directory: TemporaryDirectory

    private init() throws {
        directory = try TemporaryDirectory()
        try "nameserver \(address)\n".write(toFile: file, atomically: true, encoding: .utf8)
    }

    private var file: String { "\(directory.path)/resolv.conf" }

    /// How often it was asked.
    var queries: Int { count.withLock { $0 } }

    /// A command that runs what follows it with this server for its names.
    var wrapper: [String] {
        let script = #"mount --bind "$1" /etc/resolv.conf && shift && exec "$@""#
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", file]
    }

    static func with(_ body: (NameServer) async throws -> Void) async throws {
        let server = try NameServer()
        let channel = try await DatagramBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Handler(server))
                }
            }
            .bind(host: server.address, port: 53)
            .get()
        do {
            try await body(server)
        } catch {
            try await channel.close()
            throw error
        }
        try await channel.close()
    }

    /// Answers questions (RFC 1035, 4.1) for IPv4 addresses with 127.0.0.1, all others with nothing.
    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = AddressedEnvelope<ByteBuffer>
        typealias OutboundOut = AddressedEnvelope<ByteBuffer>
        private let server: NameServer

        init(_ server: NameServer) {
            self.server = server
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let question = unwrapInboundIn(data)
            server.count.withLock { $0 += 1 }
            let bytes = Array(question.data.readableBytesView)
            guard let end = bytes.dropFirst(12).firstIndex(of: 0), bytes.count >= end + 5 else { return }
            let isAddress = bytes[end + 2] == 1
            var answer = ByteBuffer(bytes: bytes[0..<2] + [0x81, 0x80, 0, 1, 0, isAddress ? 1 : 0, 0, 0, 0, 0])
            answer.writeBytes(bytes[12..<(end + 5)])
            if isAddress { answer.writeBytes([0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1]) }
            context.writeAndFlush(
                wrapOutboundOut(.init(remoteAddress: question.remoteAddress, data: answer)),
                promise: nil
            )
        }
    }
}

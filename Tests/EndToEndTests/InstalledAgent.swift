// SPDX-License-Identifier: Apache-2.0

import Foundation
import TelemetryTesting
import Testing

/// What a test looks at of a pod.
struct InstalledPod: Decodable {
    struct Container: Decodable {
        struct Variable: Decodable {
            let name: String
            let value: String?
        }
        struct Probe: Decodable {
            struct Request: Decodable { let path: String }
            let httpGet: Request
        }
        struct SecurityContext: Decodable {
            struct Capabilities: Decodable { let drop: [String] }
            let readOnlyRootFilesystem: Bool
            let allowPrivilegeEscalation: Bool
            let capabilities: Capabilities
        }

        let args: [String]
        let env: [Variable]?
        let livenessProbe: Probe
        let readinessProbe: Probe
        let securityContext: SecurityContext
    }
    struct SecurityContext: Decodable {
        struct Profile: Decodable { let type: String }
        let runAsNonRoot: Bool
        let runAsUser: Int
        let seccompProfile: Profile
    }

    let serviceAccountName: String?
    let automountServiceAccountToken: Bool
    let securityContext: SecurityContext
    let containers: [Container]
}

/// The pod that a Deployment or a StatefulSet in `cozy-telemetry` would make.
func pod(_ kind: String, _ plane: ControlPlane) async throws -> InstalledPod {
    struct Template: Decodable { let spec: InstalledPod }
    struct Workload: Decodable {
        struct Spec: Decodable { let template: Template }
        let spec: Spec
    }
    let json = try await plane.kubectl("get", kind, "-n", "cozy-telemetry", "-o", "json")
    return try JSONDecoder().decode(Workload.self, from: Data(json.utf8)).spec.template.spec
}

/// The agent of the chart as a process that finds what a pod finds: the token, the address of the API server, its
/// arguments and its environment.
struct InstalledAgent {
    private let arguments: [String]
    private let environment: [String: String]
    /// What is below `/run` for it.
    private let run: TemporaryDirectory

    /// Looks at the agent that is installed in a cluster.
    init(_ plane: ControlPlane) async throws {
        let pod = try await pod("deployment/cozy-telemetry-agent", plane)
        let container = try #require(pod.containers.first)
        let address = try #require(URL(string: plane.server))
        arguments = container.args
        environment = (container.env ?? []).reduce(
            into: [
                "KUBERNETES_SERVICE_HOST": try #require(address.host()),
                "KUBERNETES_SERVICE_PORT": "\(try #require(address.port))",
            ]
        ) { $0[$1.name] = $1.value }
        run = try TemporaryDirectory()
        let folder = URL(filePath: run.path).appending(path: "secrets/kubernetes.io/serviceaccount")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let token = try await plane.token(of: try #require(pod.serviceAccountName), in: "cozy-telemetry")
        let authority = try String(contentsOfFile: plane.certificateAuthority, encoding: .utf8)
        for (name, text) in [("token", token), ("ca.crt", authority), ("namespace", "cozy-telemetry")] {
            try text.write(to: folder.appending(path: name), atomically: true, encoding: .utf8)
        }
    }

    /// Reports once.
    func once() async throws -> RunningProgram.Ending { try await start(["--once"]).ending() }

    /// Starts it, with more arguments where some are given; it has to be kept as long as that runs.
    func start(_ more: [String] = []) throws -> RunningProgram {
        // /var/run is /run.
        let mounts = PrivateMounts.command(inPlaceOf: "/run", size: 1 << 20, copying: run.path)
        return try RunningProgram(arguments + more, environment: environment, within: mounts)
    }
}

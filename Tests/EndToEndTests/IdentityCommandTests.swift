// SPDX-License-Identifier: Apache-2.0

import Foundation
import TelemetryTesting
import Testing

@Suite(
    "cozy-telemetry identity",
    .enabled(if: ControlPlane.isAvailable, Comment(rawValue: ControlPlane.requirements)),
    .timeLimit(.minutes(3))
)
struct IdentityCommandTests {
    private func run(_ arguments: String..., in namespace: String) async throws -> RunningProgram.Ending {
        let plane = try await ControlPlane.shared()
        let cluster = ["--kubeconfig", plane.kubeconfig, "--namespace", namespace]
        return try await RunningProgram.run(["identity"] + arguments + cluster)
    }

    @Test("the id is shown once there is one; a reset makes another and says which, what stays and what to do before")
    func showAndReset() async throws {
        let namespace = try await ControlPlane.shared().namespace("identity-command")
        let none = try await run(in: namespace)
        #expect(none.status == 0 && none.output.isEmpty && none.errors.contains("There is no id yet"))

        let unconfirmed = try await run("reset", in: namespace)
        #expect(unconfirmed.status == 64 && unconfirmed.errors.contains("--yes"))
        let first = try await run("reset", "--yes", in: namespace)
        let id = try #require(first.output.firstMatch(of: /old id  \(none\)\nnew id  ([0-9a-f-]{36})\n/)).1
        #expect(!first.errors.contains("--forget"))

        let shown = try await run("show", in: namespace)
        #expect(shown.status == 0 && shown.output == "\(id)\n")
        #expect(shown.errors == "Reports are signed with the key in the Secret \(namespace)/cozy-telemetry-identity.\n")
        let json = try await run("show", "--json", in: namespace)
        #expect(json.output == "{\n  \"cluster_id\" : \"\(id)\",\n  \"signed\" : true\n}\n")

        let second = try await run("reset", "--yes", in: namespace)
        #expect(second.output.contains("old id  \(id)\n") && !second.output.contains("new id  \(id)\n"))
        for word in ["stay until they are erased", "opt-out --forget", "from its next report on"] {
            #expect(second.errors.contains(word))
        }
        let third = try await run("reset", "--yes", "--json", in: namespace)
        let ids = try JSONDecoder().decode([String: String].self, from: Data(third.output.utf8))
        #expect(try await run("show", in: namespace).output == "\(ids["current"] ?? "")\n")
        #expect(second.output.contains("new id  \(ids["former"] ?? "-")\n"))
    }

    @Test("a Secret without a key, and a namespace that does not exist, are said")
    func failures() async throws {
        let plane = try await ControlPlane.shared()
        let namespace = try await plane.namespace("identity-damaged")
        try await plane.kubectl("create", "secret", "generic", "cozy-telemetry-identity", "-n", namespace)
        let damaged = try await run("show", in: namespace)
        #expect(damaged.status == 1 && damaged.errors.contains("holds no key") && damaged.output.isEmpty)
        let absent = try await run("reset", "--yes", in: "identity-absent")
        #expect(absent.status == 69 && absent.errors.contains("404"))
    }
}

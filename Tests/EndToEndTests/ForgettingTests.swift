// SPDX-License-Identifier: Apache-2.0

import TelemetryTesting
import Testing

@Suite(
    "opt-out --forget, whatever the backend answers",
    .serialized,
    .enabled(if: ControlPlane.isAvailable, Comment(rawValue: ControlPlane.requirements)),
    .timeLimit(.minutes(3))
)
struct ForgettingTests {
    /// What a command was, what the backend was asked, and what the cluster says then.
    private struct Outcome {
        let ending: RunningProgram.Ending
        let requests: [String]
        let enabled: String
    }

    /// Says no in a namespace of its own, to a backend that gives one answer.
    private func forget(
        _ namespace: String,
        answer: String,
        arguments: [String] = [],
        environment: [String: String] = [:],
        prepare: (ControlPlane, [String]) async throws -> Void
    ) async throws -> Outcome {
        let plane = try await ControlPlane.shared()
        _ = try await plane.namespace(namespace)
        let cluster = ["--kubeconfig", plane.kubeconfig, "--namespace", namespace]
        try await prepare(plane, cluster)
        return try await ControlPlaneStandIn.with([answer]) { backend in
            let command = ["opt-out", "--forget", "--telemetry-endpoint", backend.url] + cluster + arguments
            let ending = try await RunningProgram.run(command, environment: environment)
            let map = ["get", "configmap", "cozy-telemetry-status", "-n", namespace, "-o"]
            let enabled = try await plane.kubectl(map + ["jsonpath={.data.telemetry-enabled}"])
            return Outcome(ending: ending, requests: backend.requests, enabled: enabled)
        }
    }

    private func makeKey(_ plane: ControlPlane, _ cluster: [String]) async throws {
        #expect(try await RunningProgram.run(["identity", "reset", "--yes"] + cluster).status == 0)
    }

    private func expectNo(_ outcome: Outcome) {
        #expect(outcome.enabled == "false")
        #expect(outcome.ending.output.contains("now says no.\nTelemetry is off.\n"))
    }

    @Test(
        "the no is written, one erasure was asked for, and it is said whether to ask again or whom",
        arguments: [
            (
                "404 Not Found", "404 page not found", 1,
                "it cannot be asked for that (404); ask whoever runs it to erase "
            ),
            ("405 Method Not Allowed", "", 1, "it cannot be asked for that (405); ask whoever runs it to erase "),
            ("500 Internal Server Error", "", 69, "endpoint answered 500 instead of 200; opt-out --forget asks again"),
            (
                "503 Service Unavailable", #"{"error":"later"}"#, 69,
                "instead of 200: later; opt-out --forget asks again"
            ),
            ("401 Unauthorized", #"{"error":"too old"}"#, 69, "instead of 200: too old; opt-out --forget asks again"),
        ]
    )
    func refusals(status: String, body: String, exit: Int32, message: String) async throws {
        let answer = ControlPlaneStandIn.json(body, status: status)
        let outcome = try await forget("forget-\(status.prefix(3))", answer: answer, prepare: makeKey)
        expectNo(outcome)
        #expect(outcome.ending.status == exit)
        #expect(outcome.ending.errors.contains("was not erased: ") && outcome.ending.errors.contains(message))
        #expect(outcome.requests.count == 1)
        #expect(outcome.requests.first?.hasPrefix("DELETE /v1/cluster HTTP/1.1\r\n") == true)
    }

    @Test("an id that cannot be proven is not asked for; the no is written, and it is said whom to ask")
    func unprovable() async throws {
        let id = "6f1c9d2e-0000-4000-8000-000000000001"
        let outcome = try await forget("forget-uid", answer: "") { plane, cluster in
            let literals = ["--from-literal=cluster-id=\(id)", "--from-literal=identity=uid"]
            try await plane.kubectl(["create", "configmap", "cozy-telemetry-status", "-n", "forget-uid"] + literals)
        }
        expectNo(outcome)
        #expect(outcome.ending.status == 1)
        #expect(outcome.ending.errors.contains("\(id) cannot be proven to be this cluster's id; ask whoever runs http"))
        #expect(outcome.requests.isEmpty)
    }

    @Test("the no is written also where nothing leads to the backend")
    func noWay() async throws {
        let outcome = try await forget(
            "forget-no-way",
            answer: "",
            environment: ["HTTP_PROXY": "socks5://proxy"],
            prepare: makeKey
        )
        expectNo(outcome)
        #expect(outcome.ending.status == 64)
        #expect(outcome.ending.errors.contains("HTTP_PROXY must be the URL of an HTTP proxy"))
        #expect(outcome.requests.isEmpty)
    }
}

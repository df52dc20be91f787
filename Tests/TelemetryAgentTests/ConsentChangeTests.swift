// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kubernetes
@testable import TelemetryAgent

@Suite("What opt-in and opt-out change")
struct ConsentChangeTests {
    private func map(_ data: [String: String]) -> Reading<ConfigMap> {
        .found(ConfigMap(metadata: meta("cozystack"), data: data))
    }

    private func package(_ components: JSONValue = nil) -> Reading<Package> {
        .found(Package(metadata: meta("package"), variant: nil, components: components))
    }

    private func facts(_ change: (inout PlatformObjects) -> Void) -> ConsentFacts {
        var objects = PlatformObjects()
        change(&objects)
        return ConsentFacts(objects: objects)
    }

    private let disabled: JSONValue = ["platform": ["values": ["telemetry": ["disabled": true]]]]

    @Test("a no goes to the Package since v1.0, also where the ConfigMap was left behind")
    func package() throws {
        let change = try ConsentChange(
            refusingIn: facts {
                $0.platformPackage = package()
                $0.configMap = map(["telemetry-enabled": "true"])
            }
        )
        let patch: JSONValue = ["spec": ["components": ["platform": ["values": ["telemetry": ["disabled": true]]]]]]
        #expect(change.patches == [.platformPackage: patch])
    }

    @Test("a no goes to the ConfigMap before v1.0, and to the agent's own where there is neither")
    func configMap() throws {
        let patch: JSONValue = ["data": ["telemetry-enabled": "false"]]
        #expect(try ConsentChange(refusingIn: facts { $0.configMap = map([:]) }).patches == [.configMap: patch])
        #expect(try ConsentChange(refusingIn: facts { _ in }).patches == [.statusConfigMap: patch])
    }

    @Test("what is said already is not said again")
    func idempotent() throws {
        #expect(try ConsentChange(refusingIn: facts { $0.platformPackage = package(disabled) }).patches.isEmpty)
        let yes = facts { $0.configMap = map(["telemetry-enabled": "yes"]) }
        #expect(try ConsentChange(agreeingIn: yes).patches.isEmpty)
    }

    @Test("a yes takes back every no that a merge patch can take back, and names the others")
    func yes() throws {
        let deployment = Deployment(
            metadata: meta("cozystack-operator"),
            containers: [.init(name: "main", command: [], args: ["--disable-telemetry"])]
        )
        let engine: JSONValue = [
            "cozystack-controller": ["values": ["cozystackController": ["disableTelemetry": true]]]
        ]
        let change = try ConsentChange(
            agreeingIn: facts {
                $0.platformPackage = package()
                $0.enginePackage = package(engine)
                $0.configMap = map([
                    "telemetry-enabled": "false",
                    "values-cozystack-controller": "cozystackController: {disableTelemetry: true}",
                ])
                $0.operatorDeployment = .found(deployment)
                $0.controllerDeployment = .unreadable(reason: "not allowed (403)")
            }
        )
        #expect(Set(change.patches.keys) == [.platformPackage, .enginePackage, .configMap])
        #expect(change.patches[.configMap] == ["data": ["telemetry-enabled": "true"]])
        #expect(
            change.remaining == [
                .controllerValues: "it says no", .operatorDeployment: "--disable-telemetry is set",
                .controllerDeployment: "it could not be read: not allowed (403)",
            ]
        )
    }

    @Test("where the generation cannot be told, nothing is changed")
    func unreadable() {
        let facts = facts { $0.platformPackage = .unreadable(reason: "not allowed (403)") }
        #expect(throws: AgentError.unreadablePlace(.platformPackage, reason: "not allowed (403)")) {
            try ConsentChange(refusingIn: facts)
        }
    }
}

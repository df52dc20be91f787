// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kubernetes
@testable import TelemetryAgent

@Suite("Consent")
struct ConsentTests {
    @Test("nobody said anything: yes")
    func silence() {
        #expect(Consent(ConsentFacts()) == .yes)
        #expect(Consent(facts(map: [:])) == .yes)
    }

    @Test(
        "only a plain yes in the ConfigMap is a yes",
        arguments: [
            ("true", true), ("True", true), (" TRUE\n", true), ("yes", true), ("1", true), ("on", true), ("On", true),
            ("false", false), ("FALSE", false), ("no", false), ("0", false), ("off", false), ("", false), (" ", false),
            ("flase", false), ("disabled", false), ("y", false), ("true false", false), ("\"true\"", false),
        ]
    )
    func configMap(value: String, isYes: Bool) {
        let consent = Consent(facts(map: ["telemetry-enabled": value]))
        guard case .no(.configMap, let reason) = consent else {
            #expect(isYes && consent == .yes)
            return
        }
        #expect(!isYes)
        #expect(!reason.contains("flase"))
    }

    @Test("a strange value is told from a plain no, and not repeated")
    func reasons() {
        let plain = Consent(facts(map: ["telemetry-enabled": "false"]))
        let strange = Consent(facts(map: ["telemetry-enabled": "flase"]))
        #expect(plain == .no(place: .configMap, reason: "it says no"))
        #expect(strange == .no(place: .configMap, reason: "its value is neither a yes nor a no"))
    }

    @Test(
        "DO_NOT_TRACK is a no unless it is empty, 0 or false",
        arguments: [
            (nil, true), ("", true), ("0", true), ("false", true), ("False", true), ("1", false), ("true", false),
            ("yes", false), ("no", false), ("2", false),
        ] as [(String?, Bool)]
    )
    func environment(value: String?, isYes: Bool) {
        let consent = Consent(ConsentFacts(doNotTrack: value))
        #expect(consent == (isYes ? .yes : .no(place: .environment, reason: "it is set")))
    }

    @Test("the flag is a no, whatever else says yes")
    func flag() {
        let objects = PlatformObjects(configMap: .found(map(["telemetry-enabled": "true"])))
        let consent = Consent(ConsentFacts(isDisabledByFlag: true, objects: objects))
        #expect(consent == .no(place: .flag, reason: "it is set"))
    }

    @Test(
        "values of the controller in the ConfigMap are read as YAML",
        arguments: [
            ("cozystackController:\n  disableTelemetry: true\n", false),
            ("cozystackController: {disableTelemetry: \"true\"}", false),
            ("cozystackController: {disableTelemetry: yes}", false),
            ("cozystackController: {disableTelemetry: maybe}", false), ("cozystackController: [", false),
            ("cozystackController: {disableTelemetry: false}", true), ("cozystackController: {}", true), ("", true),
            ("# nothing", true), ("cozystackController: {disableTelemetry: }", true),
            ("disableTelemetry: true", true), ("cozystackController: \"disableTelemetry: true\"", false),
            ("\"cozystackController.disableTelemetry: true\"", false), ("[cozystackController]", false), ("no", false),
            ("a: &a {disableTelemetry: true}\ncozystackController: {<<: *a}", false),
            ("a: &a {disableTelemetry: true}\ncozystackController: {<<: [{x: 1}, *a]}", false),
            ("a: &a {disableTelemetry: true}\ncozystackController: {<<: *a, disableTelemetry: false}", true),
        ]
    )
    func controllerValues(yaml: String, isYes: Bool) {
        let consent = Consent(facts(map: ["values-cozystack-controller": yaml]))
        guard case .no(.controllerValues, _) = consent else {
            #expect(isYes && consent == .yes)
            return
        }
        #expect(!isYes)
    }

    @Test(
        "values of a Package that are not where they are to be are a no",
        arguments: [
            ["platform": false], ["platform": ["values": "telemetry"]], ["platform": ["values": ["telemetry": false]]],
            ["platform": ["values": ["telemetry": [true]]]],
        ] as [JSONValue]
    )
    func misshapenPackages(components: JSONValue) {
        let package = Package(metadata: meta("package"), variant: nil, components: components)
        let consent = Consent(ConsentFacts(objects: PlatformObjects(platformPackage: .found(package))))
        #expect(consent == .no(place: .platformPackage, reason: "its value is neither a yes nor a no"))
    }

    @Test(
        "values of the two Packages switch off",
        arguments: [JSONValue.bool(true), .string("true"), .number(1), .string(""), .string("flase"), .array([])]
    )
    func packages(value: JSONValue) {
        let telemetry = JSONValue.object(["telemetry": .object(["disabled": value])])
        let platform = package(["platform": .object(["values": telemetry])])
        let platformConsent = Consent(ConsentFacts(objects: PlatformObjects(platformPackage: .found(platform))))
        guard case .no(.platformPackage, _) = platformConsent else {
            Issue.record("\(platformConsent)")
            return
        }
        let controller = JSONValue.object(["cozystackController": .object(["disableTelemetry": value])])
        let engine = package(["cozystack-controller": .object(["values": controller])])
        let engineConsent = Consent(ConsentFacts(objects: PlatformObjects(enginePackage: .found(engine))))
        guard case .no(.enginePackage, _) = engineConsent else {
            Issue.record("\(engineConsent)")
            return
        }
    }

    @Test(
        "arguments of the Deployments are read as Go's package flag reads them",
        arguments: [
            (["--disable-telemetry"], false), (["-disable-telemetry"], false), (["--disable-telemetry=true"], false),
            (["--disable-telemetry=1"], false), (["--disable-telemetry=no"], false), (["--disable-telemetry="], false),
            (["--disable-telemetry=false", "--disable-telemetry"], false), (["--disable-telemetry", "false"], false),
            (["--disable-telemetry=false"], true), (["-disable-telemetry=F"], true), (["--disable-telemetry=0"], true),
            (["--disable-telemetry-not"], true), (["disable-telemetry"], true), (["---disable-telemetry"], true),
            ([], true), (["--telemetry-interval=15m"], true),
        ]
    )
    func arguments(arguments: [String], isYes: Bool) {
        let containers: [Deployment.Container] = [
            .init(name: "side", command: [], args: []), .init(name: "main", command: ["/manager"], args: arguments),
            .init(name: "other", command: ["/manager"] + arguments, args: []),
        ]
        let deployment = Deployment(metadata: meta("cozystack-operator"), containers: containers)
        let consent = Consent(ConsentFacts(objects: PlatformObjects(operatorDeployment: .found(deployment))))
        let no = Consent.no(place: .operatorDeployment, reason: "--disable-telemetry is set")
        #expect(consent == (isYes ? .yes : no))
    }

    @Test("a place that cannot be read is a no", arguments: 0..<6)
    func unreadable(place: Int) {
        var objects = PlatformObjects()
        switch place {
        case 0: objects.configMap = .unreadable(reason: "not allowed (403)")
        case 1: objects.platformPackage = .unreadable(reason: "not allowed (403)")
        case 2: objects.enginePackage = .unreadable(reason: "not allowed (403)")
        case 3: objects.operatorDeployment = .unreadable(reason: "not allowed (403)")
        case 4: objects.controllerDeployment = .unreadable(reason: "not allowed (403)")
        default: objects.statusConfigMap = .unreadable(reason: "not allowed (403)")
        }
        let facts = ConsentFacts(objects: objects)
        guard case .unknown(_, "not allowed (403)") = Consent(facts) else {
            Issue.record("\(Consent(facts))")
            return
        }
        #expect(Refusals().updated(by: facts) == Refusals(), "an outage is not an owner's no")
    }

    @Test("a plain no in one place counts more than another that cannot be read")
    func noBeforeUnknown() {
        var objects = PlatformObjects(configMap: .unreadable(reason: "not allowed (403)"))
        objects.operatorDeployment = .unreadable(reason: "not allowed (403)")
        #expect(Consent(ConsentFacts(objects: objects)) == .unknown(place: .configMap, reason: "not allowed (403)"))
        let consent = Consent(ConsentFacts(doNotTrack: "1", objects: objects))
        #expect(consent == .no(place: .environment, reason: "it is set"))
    }

    private func facts(map data: [String: String]) -> ConsentFacts {
        ConsentFacts(objects: PlatformObjects(configMap: .found(map(data))))
    }

    private func map(_ data: [String: String]) -> ConfigMap { ConfigMap(metadata: meta("cozystack"), data: data) }

    private func package(_ components: [String: JSONValue]) -> Package {
        Package(metadata: meta("package"), variant: nil, components: .object(components))
    }
}

/// Metadata of an object with nothing but a name.
func meta(_ name: String, uid: String = "", labels: [String: String] = [:]) -> ObjectMeta {
    ObjectMeta(name: name, namespace: nil, uid: uid, resourceVersion: "", labels: labels)
}

// SPDX-License-Identifier: Apache-2.0

import Kubernetes

/// What came of reading an object.
enum Reading<Object: Sendable>: Sendable {
    /// It does not exist (404).
    case missing
    /// It may exist and could not be read, with the reason in words.
    case unreadable(reason: String)
    /// It was read.
    case found(Object)

    /// The object, where it was read.
    var object: Object? {
        guard case .found(let object) = self else { return nil }
        return object
    }

    /// What the object says of consent.
    fileprivate func statement(_ read: (Object) -> ConsentStatement) -> ConsentStatement {
        switch self {
        case .missing: .absent
        case .unreadable(let reason): .unreadable(reason)
        case .found(let object): read(object)
        }
    }
}

/// The objects that say how Cozystack is configured and where its owner can say no.
struct PlatformObjects: Sendable {
    /// The agent's own, which also has what it remembers.
    var statusConfigMap: Reading<ConfigMap> = .missing
    var configMap: Reading<ConfigMap> = .missing
    var platformPackage: Reading<Package> = .missing
    var enginePackage: Reading<Package> = .missing
    var operatorDeployment: Reading<Deployment> = .missing
    var controllerDeployment: Reading<Deployment> = .missing

    /// None of them was read.
    static var unread: Self {
        func unread<Object>() -> Reading<Object> { .unreadable(reason: "it was not asked for") }
        return Self(
            statusConfigMap: unread(),
            configMap: unread(),
            platformPackage: unread(),
            enginePackage: unread(),
            operatorDeployment: unread(),
            controllerDeployment: unread()
        )
    }
}

/// Everything that the answer depends on.
struct ConsentFacts: Sendable {
    /// Whether the agent was started with `--disable-telemetry`.
    let isDisabledByFlag: Bool
    /// The value of `DO_NOT_TRACK`, nil where it is not set.
    let doNotTrack: String?
    /// What was read from the cluster.
    let objects: PlatformObjects

    init(isDisabledByFlag: Bool = false, doNotTrack: String? = nil, objects: PlatformObjects = PlatformObjects()) {
        self.isDisabledByFlag = isDisabledByFlag
        self.doNotTrack = doNotTrack
        self.objects = objects
    }

    /// What a place says.
    func statement(of place: ConsentPlace) -> ConsentStatement {
        switch place {
        case .flag: isDisabledByFlag ? .refusal("it is set") : .silent
        case .environment: Self.environment(doNotTrack)
        case .statusConfigMap: objects.statusConfigMap.statement { Self.enabled($0.data["telemetry-enabled"]) }
        case .configMap: objects.configMap.statement { Self.enabled($0.data["telemetry-enabled"]) }
        case .controllerValues: objects.configMap.statement { Self.values($0.data["values-cozystack-controller"]) }
        case .platformPackage:
            objects.platformPackage.statement {
                Self.disabled(at: ["platform", "values", "telemetry", "disabled"], of: $0.components)
            }
        case .enginePackage:
            objects.enginePackage.statement {
                Self.disabled(at: ["cozystack-controller", "values"] + Self.controllerPath, of: $0.components)
            }
        case .operatorDeployment: objects.operatorDeployment.statement(Self.arguments)
        case .controllerDeployment: objects.controllerDeployment.statement(Self.arguments)
        }
    }

    /// Whether any place says no.
    var sayNo: Bool {
        ConsentPlace.allCases.contains { if case .refusal = statement(of: $0) { true } else { false } }
    }

    /// The UID of the object that a place is part of; nil where it was not read, or is none.
    func objectID(of place: ConsentPlace) -> String? {
        switch place {
        case .flag, .environment: nil
        case .statusConfigMap: objects.statusConfigMap.object?.metadata.uid
        case .configMap, .controllerValues: objects.configMap.object?.metadata.uid
        case .platformPackage: objects.platformPackage.object?.metadata.uid
        case .enginePackage: objects.enginePackage.object?.metadata.uid
        case .operatorDeployment: objects.operatorDeployment.object?.metadata.uid
        case .controllerDeployment: objects.controllerDeployment.object?.metadata.uid
        }
    }
}

extension ConsentFacts {
    private static let controllerPath = ["cozystackController", "disableTelemetry"]

    /// `DO_NOT_TRACK`: anything but empty, `0` and `false` is a no.
    private static func environment(_ value: String?) -> ConsentStatement {
        guard let value, !["", "0", "false"].contains(plain(value)) else { return .silent }
        return .refusal("it is set")
    }

    /// A setting that is to be a plain yes; without one, nothing is said.
    private static func enabled(_ value: String?) -> ConsentStatement {
        guard let value else { return .silent }
        guard !yeses.contains(plain(value)) else { return .agreement }
        return .refusal(noes.contains(plain(value)) ? "it says no" : strange)
    }

    /// A setting that switches off, somewhere in values; without one, nothing is said.
    private static func disabled(at path: [String], of values: JSONValue?) -> ConsentStatement {
        guard let values, values != .null else { return .silent }
        guard let key = path.first else { return disabled(values) }
        // Whoever wrote something else where there are to be values may have meant a no.
        guard case .object(let members) = values else { return .refusal(strange) }
        return disabled(at: Array(path.dropFirst()), of: members[key])
    }

    /// A setting that switches off.
    private static func disabled(_ value: JSONValue) -> ConsentStatement {
        switch value {
        case .bool(false), .number(0): .agreement
        case .bool(true): .refusal("it says no")
        case .string(let text) where noes.contains(plain(text)): .agreement
        case .string(let text) where yeses.contains(plain(text)): .refusal("it says no")
        default: .refusal(strange)
        }
    }

    /// The setting that switches off in values written as YAML.
    private static func values(_ yaml: String?) -> ConsentStatement {
        guard let yaml else { return .silent }
        guard let values = JSONValue(yaml: yaml) else { return .refusal(strange) }
        return disabled(at: controllerPath, of: values)
    }

    /// The arguments of all containers.
    private static func arguments(of deployment: Deployment) -> ConsentStatement {
        let arguments = deployment.containers.flatMap { $0.command + $0.args }
        let values = GoFlags(arguments).values(of: "disable-telemetry")
        guard !values.isEmpty else { return .silent }
        return values.allSatisfy { $0.map(GoFlags.isFalse) ?? false }
            ? .agreement : .refusal("--disable-telemetry is set")
    }

    /// A value in lower case without blanks around it.
    private static func plain(_ value: String) -> String {
        String(value.lowercased().drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }

    private static let yeses: Set = ["true", "yes", "1", "on"]
    private static let noes: Set = ["false", "no", "0", "off"]
    /// Why something that is neither is taken for a no.
    static let strange = "its value is neither a yes nor a no"
}

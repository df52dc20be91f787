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
                Self.disabled($0.components?.value(at: ["platform", "values", "telemetry", "disabled"]))
            }
        case .enginePackage:
            objects.enginePackage.statement {
                Self.disabled($0.components?.value(at: ["cozystack-controller", "values"] + Self.controllerPath))
            }
        case .operatorDeployment: objects.operatorDeployment.statement(Self.arguments)
        case .controllerDeployment: objects.controllerDeployment.statement(Self.arguments)
        }
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
        return .refusal(noes.contains(plain(value)) ? "it says no" : "its value is neither a yes nor a no")
    }

    /// A setting that switches off; without one, nothing is said.
    private static func disabled(_ value: JSONValue?) -> ConsentStatement {
        switch value {
        case nil, .null: return .silent
        case .bool(false), .number(0): return .agreement
        case .bool(true): return .refusal("it says no")
        case .string(let text) where noes.contains(plain(text)): return .agreement
        case .string(let text) where yeses.contains(plain(text)): return .refusal("it says no")
        default: return .refusal("its value is neither a yes nor a no")
        }
    }

    /// The setting that switches off in values written as YAML.
    private static func values(_ yaml: String?) -> ConsentStatement {
        guard let yaml else { return .silent }
        guard let values = JSONValue(yaml: yaml) else { return .refusal("its value is not YAML") }
        return disabled(values.value(at: controllerPath))
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
    private static let noes: Set = ["false", "no", "0", "off", ""]
}

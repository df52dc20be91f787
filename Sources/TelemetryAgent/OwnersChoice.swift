// SPDX-License-Identifier: Apache-2.0

public import Kubernetes

/// A change of what the owner of a cluster says, before it is made: a value that decides.
///
/// A no goes to the place that the generation of the cluster has for it. A yes goes there too, and to every other place
/// that says no and can be changed by a merge patch.
struct ConsentChange: Equatable {
    /// The merge patches to be made, by place.
    private(set) var patches: [ConsentPlace: JSONValue] = [:]
    /// The place for the generation.
    let place: ConsentPlace
    /// The places that say no afterwards and have to be changed by hand, with their reasons.
    private(set) var remaining: [ConsentPlace: String] = [:]

    /// The change to a no.
    init(refusingIn facts: ConsentFacts) throws(AgentError) {
        place = try Self.place(facts.objects)
        if case .refusal = facts.statement(of: place) { return }
        patches[place] = Self.patch(place, isOn: false)
    }

    /// The change to a yes.
    init(agreeingIn facts: ConsentFacts) throws(AgentError) {
        place = try Self.place(facts.objects)
        if facts.statement(of: place) != .agreement { patches[place] = Self.patch(place, isOn: true) }
        for other in ConsentPlace.allCases where other.isObject && other != place {
            switch facts.statement(of: other) {
            case .refusal(let reason):
                if let patch = Self.patch(other, isOn: true) {
                    patches[other] = patch
                } else {
                    remaining[other] = reason
                }
            case .unreadable(let reason): remaining[other] = "it could not be read: \(reason)"
            case .agreement, .silent, .absent: break
            }
        }
    }

    /// Where a cluster of this generation has its answer.
    private static func place(_ objects: PlatformObjects) throws(AgentError) -> ConsentPlace {
        switch objects.platformPackage {
        case .found: return .platformPackage
        case .unreadable(let reason): throw .unreadablePlace(.platformPackage, reason: reason)
        case .missing: break
        }
        switch objects.configMap {
        case .found: return .configMap
        case .unreadable(let reason): throw .unreadablePlace(.configMap, reason: reason)
        case .missing: return .statusConfigMap
        }
    }

    /// What to merge into the object of a place; nil where that cannot be said by a merge patch.
    private static func patch(_ place: ConsentPlace, isOn: Bool) -> JSONValue? {
        switch place {
        case .statusConfigMap, .configMap:
            nested(["data", "telemetry-enabled"], .string(isOn ? "true" : "false"))
        case .platformPackage:
            nested(["spec", "components", "platform", "values", "telemetry", "disabled"], .bool(!isOn))
        case .enginePackage:
            nested(
                ["spec", "components", "cozystack-controller", "values", "cozystackController", "disableTelemetry"],
                .bool(!isOn)
            )
        case .flag, .environment, .controllerValues, .operatorDeployment, .controllerDeployment: nil
        }
    }

    private static func nested(_ path: [String], _ value: JSONValue) -> JSONValue {
        path.reversed().reduce(value) { .object([$1: $0]) }
    }
}

/// What the owner of a cluster says by command.
public struct OwnersChoice: Sendable {
    /// What a command changed.
    public struct Outcome: Equatable, Sendable {
        /// The place where a cluster of this generation has its answer.
        public let place: ConsentPlace
        /// The places that were changed, in their order; none where it was said already.
        public let changed: [ConsentPlace]
        /// The remembered refusals that were forgotten, of places that are gone.
        public let forgotten: [ConsentPlace]
        /// The places that still say no, with their reasons.
        public let remaining: [ConsentPlace: String]
        /// Whether there is a sign of an agent in the namespace.
        public let hasAgent: Bool
    }

    private let client: KubernetesClient
    private let status: StatusStore

    /// The choice of the owner of a client's cluster.
    ///
    /// - Parameters:
    ///   - client: Changes objects of the cluster.
    ///   - namespace: The agent's.
    public init(client: KubernetesClient, namespace: String) {
        self.client = client
        status = StatusStore(client: client, namespace: namespace)
    }

    /// Says no.
    ///
    /// - Throws: `AgentError` or `KubernetesError`.
    public func optOut() async throws -> Outcome {
        let facts = await facts()
        return try await make(try ConsentChange(refusingIn: facts), forgetting: [], facts.objects)
    }

    /// Says yes, and takes back every no that can be taken back from here.
    ///
    /// - Throws: `AgentError` or `KubernetesError`.
    public func optIn() async throws -> Outcome {
        let facts = await facts()
        let refusals = Refusals(facts.objects.statusConfigMap.object?.data ?? [:])
        let change = try ConsentChange(agreeingIn: facts)
        return try await make(change, forgetting: ConsentPlace.allCases.filter(refusals.contains), facts.objects)
    }

    private func facts() async -> ConsentFacts {
        let reader = ClusterReader(client: client)
        return ConsentFacts(objects: await reader.platformObjects(statusIn: status.namespace))
    }

    private func make(
        _ change: ConsentChange,
        forgetting refusals: [ConsentPlace],
        _ objects: PlatformObjects
    ) async throws -> Outcome {
        let changed = ConsentPlace.allCases.filter { change.patches[$0] != nil }
        for place in changed { try await apply(change.patches[place] ?? .null, to: place) }
        var forgotten: [String: String?] = [:]
        for place in refusals { forgotten.updateValue(nil, forKey: Refusals.key(place)) }
        try await status.write(forgotten)
        return Outcome(
            place: change.place,
            changed: changed,
            forgotten: refusals,
            remaining: change.remaining,
            hasAgent: StatusRecord(data: objects.statusConfigMap.object?.data ?? [:]).isOfAgent
        )
    }

    private func apply(_ patch: JSONValue, to place: ConsentPlace) async throws {
        switch place {
        case .statusConfigMap:
            guard case .string(let value)? = patch.value(at: ["data", "telemetry-enabled"]) else { return }
            try await status.write(["telemetry-enabled": value])
        case .configMap:
            try await client.patch(.configMaps, namespace: "cozy-system", name: "cozystack", merge: patch)
        case .platformPackage:
            try await client.patch(.packages, name: "cozystack.cozystack-platform", merge: patch)
        case .enginePackage:
            try await client.patch(.packages, name: "cozystack.cozystack-engine", merge: patch)
        case .flag, .environment, .controllerValues, .operatorDeployment, .controllerDeployment: break
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

/// Whether anything may be sent.
///
/// This is the one answer that every path that could send has to ask for.
public enum Consent: Equatable, Sendable {
    /// Nobody said no.
    case yes
    /// Somebody said no.
    case no(place: ConsentPlace, reason: String)
    /// Nobody is known to have said no, but a place where it may be said could not be read; nothing may be sent.
    case unknown(place: ConsentPlace, reason: String)

    /// The answer to what all places say: any single no is a no.
    ///
    /// - Parameters:
    ///   - facts: What was read from every place, just now.
    ///   - refusals: Which of them said no before; they go on saying it when what said so is gone.
    init(_ facts: ConsentFacts, remembering refusals: Refusals = Refusals()) {
        var unknown: Consent?
        for place in ConsentPlace.allCases {
            switch facts.statement(of: place) {
            case .agreement: continue
            case .silent where !refusals.outlive(facts.objectID(of: place), at: place): continue
            case .silent:
                self = .no(place: place, reason: "it said no before it was deleted and made again")
                return
            case .absent:
                guard refusals.contains(place) else { continue }
                self = .no(place: place, reason: "it said no before it was deleted")
                return
            case .unreadable(let reason):
                unknown = unknown ?? .unknown(place: place, reason: reason)
            case .refusal(let reason):
                self = .no(place: place, reason: reason)
                return
            }
        }
        self = unknown ?? .yes
    }
}

/// A place where somebody can say no, in the order that they are looked at.
public enum ConsentPlace: String, CaseIterable, Hashable, Sendable, CustomStringConvertible {
    case flag
    case environment
    case configMap
    case controllerValues
    case platformPackage
    case enginePackage
    case operatorDeployment
    case controllerDeployment
    case statusConfigMap

    /// The place in words that say where to change it.
    public var description: String {
        switch self {
        case .flag: "the flag --disable-telemetry"
        case .environment: "the environment variable DO_NOT_TRACK"
        case .configMap: "telemetry-enabled in the ConfigMap cozy-system/cozystack"
        case .controllerValues: "values-cozystack-controller in the ConfigMap cozy-system/cozystack"
        case .platformPackage: "the values of the Package cozystack.cozystack-platform"
        case .enginePackage: "the values of the Package cozystack.cozystack-engine"
        case .operatorDeployment: "the arguments of the Deployment cozy-system/cozystack-operator"
        case .controllerDeployment: "the arguments of the Deployment cozy-system/cozystack-controller"
        case .statusConfigMap: "telemetry-enabled in the agent's own ConfigMap cozy-telemetry-status"
        }
    }
}

/// What one place says.
enum ConsentStatement: Equatable {
    /// A yes, in so many words.
    case agreement
    /// Nothing either way.
    case silent
    /// Nothing, because it does not exist.
    case absent
    /// No, or something that could be meant as one.
    case refusal(String)
    /// It may say no and could not be read, with the reason in words.
    case unreadable(String)
}

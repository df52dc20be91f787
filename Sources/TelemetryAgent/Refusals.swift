// SPDX-License-Identifier: Apache-2.0

/// The places that said no, so that a no outlives the object that said it.
///
/// A no that its owner takes back where it stands is forgotten. One whose object was deleted stays, also where the object
/// was made again without it, until somebody says yes in that place or by `cozy-telemetry opt-in`.
struct Refusals: Equatable, Sendable {
    /// The UID of the object that said no, by place.
    private(set) var objectIDs: [ConsentPlace: String] = [:]

    init() {}

    /// The refusals among the values of a ConfigMap.
    init(_ data: [String: String]) {
        for place in ConsentPlace.allCases { objectIDs[place] = data[Self.key(place)] }
    }

    /// The key of a ConfigMap's value that remembers a place.
    static func key(_ place: ConsentPlace) -> String { "refusal.\(place.rawValue)" }

    /// Whether a place said no.
    func contains(_ place: ConsentPlace) -> Bool { objectIDs[place] != nil }

    /// Whether a place said no in another object than the one that is there now.
    func outlive(_ objectID: String?, at place: ConsentPlace) -> Bool {
        objectIDs[place].map { $0 != objectID } ?? false
    }

    /// The refusals after places were read.
    func updated(by facts: ConsentFacts) -> Refusals {
        var refusals = self
        for place in ConsentPlace.allCases where place.isObject {
            switch facts.statement(of: place) {
            case .agreement: refusals.objectIDs[place] = nil
            case .refusal: refusals.objectIDs[place] = facts.objectID(of: place)
            case .silent where !outlive(facts.objectID(of: place), at: place): refusals.objectIDs[place] = nil
            // One that cannot be read has not said anything else; it is asked again.
            case .silent, .absent, .unreadable: break
            }
        }
        return refusals
    }

    /// The values of a ConfigMap that differ from those of former refusals; nil for one to be removed.
    func changes(from former: Refusals) -> [String: String?] {
        var changes: [String: String?] = [:]
        for place in ConsentPlace.allCases where objectIDs[place] != former.objectIDs[place] {
            changes.updateValue(objectIDs[place], forKey: Self.key(place))
        }
        return changes
    }

    /// These and those of others.
    func union(_ others: Refusals) -> Refusals {
        var union = self
        union.objectIDs.merge(others.objectIDs) { own, _ in own }
        return union
    }
}

extension ConsentPlace {
    /// Whether it is an object in the cluster, which can be deleted, and not a setting of the agent.
    var isObject: Bool { self != .flag && self != .environment }
}

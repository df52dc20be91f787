// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// A claim that one holder renews and others wait for.
public struct Lease: KubernetesObject, Hashable {
    /// What is claimed.
    public struct Claim: Hashable, Sendable {
        /// Who holds it; empty for nobody.
        public var holder: String
        /// For how many seconds after a renewal it is the holder's.
        public var seconds: Int
        /// When the holder took it, by the holder's clock.
        public var acquired: String
        /// When the holder last renewed it, by the holder's clock.
        public var renewed: String
        /// How often it went from one holder to another.
        public var transitions: Int
    }

    /// The metadata.
    public let metadata: ObjectMeta
    /// `spec`.
    public let claim: Claim

    /// A lease to be created.
    public static func manifest(name: String, _ claim: Claim) -> JSONValue {
        [
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": ["name": .string(name)],
            "spec": value(of: claim),
        ]
    }

    /// A claim as it travels, for the field `spec` of a patch.
    public static func value(of claim: Claim) -> JSONValue {
        [
            // Nobody is null: not every server takes an empty name.
            "holderIdentity": claim.holder.isEmpty ? .null : .string(claim.holder),
            "leaseDurationSeconds": .number(Double(claim.seconds)),
            "acquireTime": .string(claim.acquired), "renewTime": .string(claim.renewed),
            "leaseTransitions": .number(Double(claim.transitions)),
        ]
    }

    /// A time as leases have it (`MicroTime`): exactly six digits after the seconds.
    static func time(_ date: Date) -> String {
        date.formatted(.iso8601.year().month().day().time(includingFractionalSeconds: true)) + "000Z"
    }
}

extension Lease {
    /// Reads an object.
    public init(from decoder: any Decoder) throws {
        let object = try Fields(decoder)
        metadata = ObjectMeta(object)
        let spec = object["spec"]
        claim = Claim(
            holder: spec.text("holderIdentity"),
            seconds: spec.value("leaseDurationSeconds") ?? 0,
            acquired: spec.text("acquireTime"),
            renewed: spec.text("renewTime"),
            transitions: spec.value("leaseTransitions") ?? 0
        )
    }
}

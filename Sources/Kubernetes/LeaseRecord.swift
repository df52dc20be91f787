// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// The lease in the cluster as one candidate reads and writes it; every call ends in the time of a renewal.
struct LeaseRecord: Sendable {
    let client: KubernetesClient
    let namespace: String
    let name: String
    let candidate: String
    let times: LeaseTimes

    /// What came of a renewal.
    enum Renewal: Sendable {
        case renewed(Lease)
        /// It is somebody else's, or does not exist any more.
        case lost
    }

    /// The lease; nil where it does not exist.
    func read() async throws -> Lease? {
        try await inTime {
            do {
                return try await client.get(.leases, namespace: namespace, name: name)
            } catch KubernetesError.notFound {
                return nil
            }
        }
    }

    /// The lease whenever it changes, and as it is at first.
    func events() -> WatchEvents<Lease> {
        client.watch(.leases, Selection(namespace: namespace, fields: "metadata.name=\(name)"))
    }

    /// Makes the lease as the candidate's.
    ///
    /// - Throws: `KubernetesError.conflict` where somebody else made it.
    func create() async throws -> Lease {
        let claim = Lease.Claim(of: candidate, at: Lease.time(.now), times)
        return try await inTime {
            try await client.create(.leases, namespace: namespace, Lease.manifest(name: name, claim))
        }
    }

    /// Makes a version of the lease the candidate's.
    ///
    /// - Throws: `KubernetesError.conflict` where it was changed meanwhile.
    func take(_ lease: Lease) async throws -> Lease {
        try await inTime { try await write(lease.claim.taken(by: candidate, at: Lease.time(.now), times), over: lease) }
    }

    /// Renews the lease that the candidate holds.
    func renew(_ lease: Lease) async throws -> Renewal {
        try await inTime {
            do {
                return .renewed(try await take(lease))
            } catch KubernetesError.conflict {
                // Its labels may have changed, or an answer to the last renewal was lost.
                guard let lease = try await read(), lease.claim.holder == candidate else { return .lost }
                return .renewed(try await take(lease))
            } catch KubernetesError.notFound {
                return .lost
            }
        }
    }

    /// Makes the lease nobody's where it is the candidate's.
    func release() async throws {
        try await inTime {
            guard let lease = try await read(), lease.claim.holder == candidate else { return }
            _ = try await write(lease.claim.released(at: Lease.time(.now)), over: lease)
        }
    }

    private func write(_ claim: Lease.Claim, over lease: Lease) async throws -> Lease {
        let version = JSONValue.string(lease.metadata.resourceVersion)
        let patch: JSONValue = ["metadata": ["resourceVersion": version], "spec": Lease.value(of: claim)]
        return try await client.patch(.leases, namespace: namespace, name: name, merge: patch)
    }

    private func inTime<Result: Sendable>(_ call: @escaping @Sendable () async throws -> Result) async throws -> Result
    {
        guard let result = try await withDeadline(times.renewal, call) else {
            throw KubernetesError.deadlineExceeded(path: Resource<Lease>.leases.path(namespace: namespace, name: name))
        }
        return result
    }
}

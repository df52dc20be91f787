// SPDX-License-Identifier: Apache-2.0

public import Logging

/// Lets one of several processes lead, by a lease of the cluster.
///
/// Whoever holds the lease leads, and stops before another one can begin, also where the API server cannot be reached.
/// The clocks of the machines need not agree; they have to go at about the same speed.
public struct LeaderElection: Sendable {
    private let record: LeaseRecord
    private let journal: ElectionJournal

    private var times: LeaseTimes { record.times }

    /// An election by a lease, which is made where it does not exist.
    ///
    /// - Parameters:
    ///   - client: Reaches the cluster; the caller shuts it down.
    ///   - namespace: The namespace of the lease.
    ///   - lease: The name of the lease.
    ///   - candidate: Who takes part, for people: the name of the pod. Something random is added to it.
    ///   - times: How long the lease lasts; the same for all candidates.
    ///   - logger: Where it says what changed.
    public init(
        client: KubernetesClient,
        namespace: String,
        lease: String,
        candidate: String,
        times: LeaseTimes = LeaseTimes(),
        logger: Logger
    ) {
        record = LeaseRecord(
            client: client,
            namespace: namespace,
            name: lease,
            candidate: "\(candidate)_\(String(UInt64.random(in: .min ... .max), radix: 36))",
            times: times
        )
        journal = ElectionJournal(logger)
    }

    /// Runs a body whenever this process leads, until it ends by itself.
    ///
    /// The body is cancelled when the lease is or may soon be lost; it has to end at once then, and is run again when
    /// this process leads again. Where it ends by itself or throws, or this task is cancelled, the lease is released, so
    /// that the next candidate takes it at once.
    ///
    /// - Parameter body: What the leader does.
    /// - Throws: What the body throws while it leads, or `CancellationError` where this task was cancelled.
    public func whileLeading(_ body: @escaping @Sendable () async throws -> Void) async throws {
        while true {
            let tenure = try await Candidacy(record: record, journal: journal).tenure()
            journal.note(.leading)
            let ending: Ending
            do {
                ending = try await lead(tenure, body)
            } catch {
                await record.releaseUncancelled(journal)
                throw error
            }
            switch ending {
            case .lost: journal.note(.lost)
            case .finished: return await record.releaseUncancelled(journal)
            }
        }
    }

    /// How leading ends.
    private enum Ending {
        /// The lease is, or may soon be, somebody else's.
        case lost
        /// The body is done.
        case finished
    }

    /// Runs the body and renews the lease beside it.
    private func lead(_ tenure: LeaseTenure, _ body: @escaping @Sendable () async throws -> Void) async throws -> Ending
    {
        try await withThrowingTaskGroup(of: Ending.self) { group in
            group.addTask {
                try await body()
                return .finished
            }
            group.addTask { try await renew(tenure) }
            let first = try await group.next() ?? .finished
            group.cancelAll()
            // A body that was cancelled may end with any error.
            while await group.nextResult() != nil {}
            return first
        }
    }

    /// Renews the lease until it is lost.
    private func renew(_ first: LeaseTenure) async throws -> Ending {
        var tenure = first
        while case .renew(let begin, let end) = tenure.decision(at: .now, times) {
            // The interval of renewals itself.
            try await Task.sleep(until: begin, clock: .continuous)
            let lease = tenure.lease
            do {
                switch try await withDeadline(end - .now, { try await record.renew(lease) }) {
                case .renewed(let lease):
                    tenure = LeaseTenure(lease, begun: begin, times)
                    // Where a renewal had failed, that is over.
                    journal.note(.leading)
                case .lost: return .lost
                case nil: tenure.noteFailure(at: .now, times)
                }
            } catch let error as KubernetesError {
                journal.note(error)
                tenure.noteFailure(at: .now, times)
            }
        }
        return .lost
    }
}

extension LeaseRecord {
    /// Releases the lease also where the task was cancelled; where that fails, the lease is free when its time is over.
    func releaseUncancelled(_ journal: ElectionJournal) async {
        // A task of its own, as a cancelled one can call nobody; it ends in the time of a renewal.
        let released = Task { try await release() }
        do {
            try await released.value
            journal.note(.released)
        } catch {
            journal.note(error)
        }
    }
}

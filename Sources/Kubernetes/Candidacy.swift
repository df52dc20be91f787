// SPDX-License-Identifier: Apache-2.0

/// Waits for a lease, and takes it when that is possible.
struct Candidacy: Sendable {
    let record: LeaseRecord
    let journal: ElectionJournal

    /// What was seen of the lease; nil where it does not exist.
    private struct Sight: Sendable {
        let lease: Lease?
        let time = ContinuousClock.now
    }

    /// The lease, once it is taken.
    ///
    /// - Throws: `CancellationError` where the task was cancelled.
    func tenure() async throws -> LeaseTenure {
        let (sights, continuation) = AsyncStream.makeStream(of: Sight.self)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            // A watch tells at once when the lease is released; looking now and then does not depend on it.
            group.addTask { try await look(continuation) }
            group.addTask { try await watch(continuation) }
            defer { group.cancelAll() }
            var observation: LeaseObservation?
            for await sight in sights {
                var current = observation ?? LeaseObservation(sight.lease, at: sight.time)
                current.note(sight.lease, at: sight.time)
                observation = current
                if let tenure = await claim(current) { return tenure }
            }
            throw CancellationError()
        }
    }

    /// Looks at the lease at every interval.
    private func look(_ sights: AsyncStream<Sight>.Continuation) async throws {
        while true {
            do {
                sights.yield(Sight(lease: try await record.read()))
            } catch let error as KubernetesError {
                journal.note(error)
            }
            try await pause()
        }
    }

    /// Follows the lease as it changes.
    private func watch(_ sights: AsyncStream<Sight>.Continuation) async throws {
        while true {
            do {
                for try await event in record.events() {
                    switch event {
                    case .added(let lease), .modified(let lease): sights.yield(Sight(lease: lease))
                    case .deleted: sights.yield(Sight(lease: nil))
                    case .bookmark: continue
                    }
                }
            } catch is KubernetesError {
                // `look` says what is wrong.
            }
            try await pause()
        }
    }

    /// Waits until the next look; candidates that began together do not stay together.
    private func pause() async throws {
        // The interval itself, for leases whose watch is down or whose holder is silent.
        try await Task.sleep(for: record.times.retry * Double.random(in: 1...1.2))
    }

    /// Takes the lease where that is possible; nil where it is not.
    private func claim(_ observation: LeaseObservation) async -> LeaseTenure? {
        let begin = ContinuousClock.now
        do {
            switch observation.decision(of: record.candidate, at: begin, record.times) {
            case .create: return LeaseTenure(try await record.create(), begun: begin, record.times)
            case .take(let lease): return LeaseTenure(try await record.take(lease), begun: begin, record.times)
            case .wait: journal.note(.waiting)
            }
        } catch KubernetesError.conflict {
            // Somebody else was faster.
        } catch is CancellationError {
            // The server may have taken it for a claim all the same.
            await record.releaseUncancelled(journal)
        } catch {
            journal.note(error)
        }
        return nil
    }
}

// SPDX-License-Identifier: Apache-2.0

import Kubernetes
import Logging
import Synchronization
import TelemetryTesting
import Testing

/// Candidates of one lease, and a record of who led when.
final class Candidates: Sendable {
    /// What happened, by the number of a candidate.
    enum Change: Equatable {
        case began(Int)
        case ended(Int)
    }

    private struct State {
        var leaders: Set<Int> = []
        var overlaps = 0
        var candidates: [Int: Candidate] = [:]
    }

    private struct Candidate {
        let client: KubernetesClient
        let task: Task<Void, Never>
    }

    let plane: ControlPlane
    private let namespace: String
    private let times: LeaseTimes
    private let logger: Logger
    private let state = Mutex(State())
    private let changes = AsyncStream.makeStream(of: Change.self)

    private init(_ plane: ControlPlane, _ namespace: String, _ times: LeaseTimes, _ logger: Logger) {
        self.plane = plane
        self.namespace = namespace
        self.times = times
        self.logger = logger
    }

    /// Runs a body with candidates in a namespace of their own, and stops all of them.
    static func with(
        _ plane: ControlPlane,
        namespace: String,
        times: LeaseTimes,
        logger: Logger = LogRecorder().logger,
        _ body: (Candidates) async throws -> Void
    ) async throws {
        let candidates = Candidates(plane, try await plane.namespace(namespace), times, logger)
        defer { #expect(candidates.overlaps == 0, "two led at the same time") }
        do {
            try await body(candidates)
        } catch {
            await candidates.stopAll()
            throw error
        }
        await candidates.stopAll()
    }

    /// How often one began to lead while another did.
    var overlaps: Int { state.withLock { $0.overlaps } }

    /// Adds a candidate.
    func start(_ number: Int) throws {
        let client = try plane.client()
        let election = LeaderElection(
            client: client,
            namespace: namespace,
            lease: "leader",
            candidate: "candidate-\(number)",
            times: times,
            logger: logger
        )
        let task = Task {
            // It ends by being stopped.
            _ = try? await election.whileLeading { [self] in
                begin(number)
                defer { end(number) }
                // Until it is cancelled.
                try await Task.sleep(for: .seconds(3_600))
            }
        }
        state.withLock { $0.candidates[number] = Candidate(client: client, task: task) }
    }

    /// Stops a candidate, which releases its lease.
    func stop(_ number: Int) async {
        guard let candidate = state.withLock({ $0.candidates.removeValue(forKey: number) }) else { return }
        candidate.task.cancel()
        await candidate.task.value
        // One that was cut off is shut down already.
        try? await candidate.client.shutdown()
    }

    /// Takes a candidate's connections away for good.
    func cutOff(_ number: Int) async throws {
        try await state.withLock { $0.candidates[number]?.client }?.shutdown()
    }

    private func stopAll() async {
        for number in state.withLock({ Array($0.candidates.keys) }) { await stop(number) }
    }

    /// The next change.
    func next() async throws -> Change {
        var iterator = changes.stream.makeAsyncIterator()
        return try #require(await iterator.next())
    }

    /// Who leads next; changes until then are left out.
    func nextLeader() async throws -> Int {
        while true {
            if case .began(let number) = try await next() { return number }
        }
    }

    private func begin(_ number: Int) {
        state.withLock { state in
            if !state.leaders.isEmpty { state.overlaps += 1 }
            state.leaders.insert(number)
        }
        changes.continuation.yield(.began(number))
    }

    private func end(_ number: Int) {
        state.withLock { _ = $0.leaders.remove(number) }
        changes.continuation.yield(.ended(number))
    }
}

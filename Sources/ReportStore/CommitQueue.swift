// SPDX-License-Identifier: Apache-2.0

import DequeModule
import GRDB
import Logging
import Metrics
import Synchronization
import TelemetryModel

/// Group commit: reports that arrive while a transaction is being synced go into the next one together.
///
/// A group is what waits when the writer is free, up to a thousand; a lone report is committed at once. The groups run
/// on the pool's own writer queue, one after the other, in turn with whatever else is written.
final class CommitQueue: Sendable {
    /// The most reports in one transaction.
    private static let largestGroup = 1_000
    /// A transaction ends with the report that brings it to so many samples, so that hostile reports do not hold the
    /// writer for long.
    private static let largestGroupSamples = 10_000

    private let pool: DatabasePool
    private let maximumWaiting: Int
    private let logger: Logger
    private let state = Mutex(State())
    private let durations: Metrics.Timer
    private let groupSizes: Recorder

    /// A report and who waits for its commit.
    private struct Waiting {
        let report: AcceptedReport
        let continuation: CheckedContinuation<ReportStore.Outcome, any Error>
    }

    private struct State {
        var waiting: Deque<Waiting> = []
        var isScheduled = false
        var isFailing = false
        var interner = Interner()
    }

    init(pool: DatabasePool, maximumWaiting: Int, metrics: any MetricsFactory, logger: Logger) {
        durations = Metrics.Timer(label: "telemetry_store_commit_duration_seconds", factory: metrics)
        groupSizes = Recorder(label: "telemetry_store_commit_reports", aggregate: true, factory: metrics)
        self.pool = pool
        self.maximumWaiting = maximumWaiting
        self.logger = logger
    }

    /// How many reports wait for their commit.
    var waiting: Int { state.withLock { $0.waiting.count } }

    /// Waits until the report is committed.
    func submit(_ report: AcceptedReport) async throws -> ReportStore.Outcome {
        try await withCheckedThrowingContinuation { continuation in
            let action = state.withLock { state -> Action in
                guard state.waiting.count < maximumWaiting else { return .refuse(state.waiting.count) }
                state.waiting.append(Waiting(report: report, continuation: continuation))
                defer { state.isScheduled = true }
                return state.isScheduled ? .wait : .schedule
            }
            switch action {
            case .refuse(let count): continuation.resume(throwing: StoreError.busy(waiting: count))
            case .schedule: schedule()
            case .wait: break
            }
        }
    }

    /// What a submission leads to.
    private enum Action {
        case refuse(Int)
        case schedule
        case wait
    }

    /// Has the next group committed as soon as the writer is free.
    private func schedule() {
        pool.asyncWriteWithoutTransaction { database in
            let group = self.state.withLock { state in
                var samples = 0
                let group = Array(
                    state.waiting.prefix(Self.largestGroup).prefix { entry in
                        defer { samples += entry.report.report.samples.count }
                        return samples < Self.largestGroupSamples
                    }
                )
                state.waiting.removeFirst(group.count)
                return group
            }
            self.commit(group, in: database)
            let hasMore = self.state.withLock { state in
                state.isScheduled = !state.waiting.isEmpty
                return state.isScheduled
            }
            if hasMore { self.schedule() }
        }
    }

    /// Commits a group as a whole, or nothing of it.
    private func commit(_ group: [Waiting], in database: Database) {
        let begin = ContinuousClock.now
        do {
            var outcomes: [ReportStore.Outcome] = []
            var writer = ReportWriter(database, interner: takeInterner())
            try database.inTransaction(.immediate) {
                try writer.begin()
                for entry in group { outcomes.append(try writer.take(entry.report) ? .newState : .knownState) }
                try writer.finish()
                return .commit
            }
            succeeded(writer.interner)
            for (entry, outcome) in zip(group, outcomes) { entry.continuation.resume(returning: outcome) }
            groupSizes.record(group.count)
            durations.record(duration: ContinuousClock.now - begin)
        } catch {
            let failure = StoreError.unavailable(reason: ReportStore.reason(of: error))
            failed(failure)
            for entry in group { entry.continuation.resume(throwing: failure) }
        }
    }

    /// Lends the interner to a transaction.
    ///
    /// It comes back with a commit; what a lost transaction gave out was never kept and is forgotten with it.
    private func takeInterner() -> Interner {
        state.withLock { state in
            defer { state.interner = Interner() }
            return state.interner
        }
    }

    private func succeeded(_ interner: Interner) {
        let wasFailing = state.withLock { state in
            state.interner = interner
            defer { state.isFailing = false }
            return state.isFailing
        }
        if wasFailing { logger.notice("the store takes reports again") }
    }

    /// Says so once.
    private func failed(_ failure: StoreError) {
        let isFirst = state.withLock { state in
            defer { state.isFailing = true }
            return !state.isFailing
        }
        if isFirst { logger.error("the store takes no reports", metadata: ["reason": "\(failure)"]) }
    }
}

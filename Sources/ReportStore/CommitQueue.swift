// SPDX-License-Identifier: Apache-2.0

import DequeModule
import Dispatch
import GRDB
import Logging
import Metrics
import Synchronization
import TelemetryModel

/// Group commit: reports that arrive while a transaction is being synced go into the next one together.
///
/// A group is what waits when the writer is free, up to a thousand; a lone report is committed at once, and reports that
/// follow closely wait some milliseconds for each other. The groups run on the pool's own writer queue, one after the
/// other, in turn with whatever else is written.
final class CommitQueue: Sendable {
    /// What is told of a submission once its group is committed, or is not; on the writer's thread.
    typealias Completion = @Sendable (Result<ReportStore.Outcome, StoreError>) -> Void

    /// What is to be committed.
    enum Content {
        /// A report that was decoded, and what it is recognised by.
        case report(AcceptedReport, Fingerprint?)
        /// One that was recognised, and when it came.
        case again(ClusterIndex.Recognised, UTCInstant)

        /// Samples that have to be looked at.
        var size: Int {
            if case .report(let accepted, _) = self { accepted.report.samples.count } else { 1 }
        }
    }

    /// So long after a transaction began the next one may; what comes in between goes into it together.
    private static let shortestInterval = Duration.milliseconds(4)
    /// The most reports in one transaction.
    private static let largestGroup = 1_000
    /// A transaction ends with the report that brings it to so many samples, so that hostile reports do not hold the
    /// writer for long.
    private static let largestGroupSamples = 20_000

    private let pool: DatabasePool
    private let maximumWaiting: Int
    private let maximumWaitingSamples: Int
    private let logger: Logger
    private let index: ClusterDirectory
    private let outbox: OutboxCount
    private let state = Mutex(State())
    private let durations: Metrics.Timer
    private let groupSizes: Recorder

    /// A report and who waits for its commit.
    private struct Waiting {
        let content: Content
        let completion: Completion
    }

    private struct State {
        var waiting: Deque<Waiting> = []
        var waitingSamples = 0
        var isScheduled = false
        var isFailing = false
        /// What refusals were for that the log has had.
        var toldReasons: Set<String> = []
        var lastBegin: ContinuousClock.Instant?
        var memory = WriterMemory()

        /// Takes the next group out of those that wait.
        mutating func nextGroup() -> [Waiting] {
            var samples = 0
            let group = Array(
                waiting.prefix(CommitQueue.largestGroup).prefix { entry in
                    defer { samples += entry.content.size }
                    return samples < CommitQueue.largestGroupSamples
                }
            )
            waiting.removeFirst(group.count)
            waitingSamples -= group.reduce(0) { $0 + $1.content.size }
            return group
        }
    }

    init(
        pool: DatabasePool,
        index: ClusterDirectory,
        outbox: OutboxCount,
        maximumWaiting: Int,
        maximumWaitingSamples: Int,
        metrics: any MetricsFactory,
        logger: Logger
    ) {
        durations = Metrics.Timer(label: "telemetry_store_commit_duration_seconds", factory: metrics)
        groupSizes = Recorder(label: "telemetry_store_commit_reports", aggregate: true, factory: metrics)
        self.pool = pool
        self.index = index
        self.outbox = outbox
        self.maximumWaiting = maximumWaiting
        self.maximumWaitingSamples = maximumWaitingSamples
        self.logger = logger
    }

    /// How many reports wait for their commit.
    var waiting: Int { state.withLock { $0.waiting.count } }

    /// Whether the last transaction was lost.
    var isFailing: Bool { state.withLock { $0.isFailing } }

    /// Has something committed with others; the completion is called exactly once, at once where too many wait.
    func submit(_ content: Content, completion: @escaping Completion) {
        let isFull = outbox.isFull
        let action = state.withLock { state -> Action in
            // Whoever takes what waits to be sent on has to catch up first.
            if isFull { return .refuse(state.waiting.count) }
            let samples = state.waitingSamples + content.size
            guard state.waiting.count < maximumWaiting, state.waiting.isEmpty || samples <= maximumWaitingSamples
            else { return .refuse(state.waiting.count) }
            state.waitingSamples = samples
            state.waiting.append(Waiting(content: content, completion: completion))
            defer { state.isScheduled = true }
            return state.isScheduled ? .wait : .schedule
        }
        switch action {
        case .refuse(let count): completion(.failure(.busy(waiting: count)))
        case .schedule: schedule()
        case .wait: break
        }
    }

    /// What a submission leads to.
    private enum Action {
        case refuse(Int)
        case schedule
        case wait
    }

    /// Has the next group committed as soon as the writer is free and the last one is some milliseconds old.
    private func schedule() {
        let due = state.withLock { $0.lastBegin.map { $0 + Self.shortestInterval } }
        let wait = due.map { $0 - ContinuousClock.now } ?? .zero
        guard wait > .zero else { return commitNext() }
        DispatchQueue.global().asyncAfter(deadline: .now() + wait / .seconds(1)) { self.commitNext() }
    }

    private func commitNext() {
        pool.asyncWriteWithoutTransaction { database in
            let group = self.state.withLock { state in
                state.lastBegin = ContinuousClock.now
                return state.nextGroup()
            }
            self.commit(group[...], in: database)
            let hasMore = self.state.withLock { state in
                state.isScheduled = !state.waiting.isEmpty
                return state.isScheduled
            }
            if hasMore { self.schedule() }
        }
    }

    /// Commits a group as a whole, or nothing of it; but for reports that damage keeps from being taken, which are
    /// refused alone.
    ///
    /// Such a report ends its transaction. Those before it, which could be taken, are committed in one of their own, and
    /// those after it in the next: each is taken twice at the most, whatever is damaged.
    private func commit(_ group: ArraySlice<Waiting>, in database: Database) {
        var rest = group
        while let damaged = commitUntilDamage(rest, in: database) {
            let before = rest[..<damaged.position]
            if let again = commitUntilDamage(before, in: database) {
                // It was taken a moment ago.
                for entry in before { entry.completion(.failure(again.reason)) }
            }
            rest[damaged.position].completion(.failure(damaged.reason))
            tellOfRefusal("a report is refused, others may be", damaged.reason)
            rest = rest[(damaged.position + 1)...]
        }
    }

    /// A report that damage kept from being taken; nothing of its transaction was kept.
    private struct DamagedEntry: Error {
        let position: Int
        let reason: StoreError
    }

    /// Commits a group as a whole, or nothing of it, and tells who waits.
    ///
    /// - Returns: The report that damage kept from being taken; then nobody was told yet.
    private func commitUntilDamage(_ group: ArraySlice<Waiting>, in database: Database) -> DamagedEntry? {
        guard !group.isEmpty else { return nil }
        let begin = ContinuousClock.now
        do {
            let outcomes = try transaction(in: database) { writer in
                try group.indices.map { position in
                    do {
                        return try Self.take(group[position].content, &writer)
                    } catch  where Self.isDamage(error) {
                        throw DamagedEntry(position: position, reason: StoreError(error))
                    }
                }
            }
            for (entry, outcome) in zip(group, outcomes) {
                entry.completion(outcome.map(Result.success) ?? .failure(.forgotten))
            }
            groupSizes.record(group.count)
            durations.record(duration: ContinuousClock.now - begin)
        } catch let damaged as DamagedEntry {
            return damaged
        } catch {
            let failure = StoreError(error)
            for entry in group { entry.completion(.failure(failure)) }
        }
        return nil
    }

    private static func take(_ content: Content, _ writer: inout ReportWriter) throws -> ReportStore.Outcome? {
        switch content {
        case .report(let accepted, let fingerprint): try writer.take(accepted, as: fingerprint)
        case .again(let recognised, let instant): try writer.takeAgain(recognised, at: instant) ? .knownState : nil
        }
    }

    /// Whether an error is about what is stored or when a report came, and not about the disk or the whole store.
    private static func isDamage(_ error: any Error) -> Bool {
        if let error = error as? DatabaseError {
            return [.SQLITE_CONSTRAINT, .SQLITE_CORRUPT, .SQLITE_MISMATCH].contains(error.resultCode)
        }
        switch error as? StoreError {
        case .damaged, .clockBehind: return true
        default: return false
        }
    }

    /// Runs a transaction with a writer; what it learnt is kept if it is committed, and forgotten with it if it is lost.
    ///
    /// - Throws: What the body or SQLite throws; then nothing was changed.
    func transaction<Value>(
        in database: Database,
        _ body: (inout ReportWriter) throws -> Value
    ) throws -> Value {
        do {
            let index = index
            var writer: ReportWriter?
            var value: Value?
            try database.inTransaction(.immediate) {
                var opened = try ReportWriter(
                    database,
                    memory: takeMemory(),
                    forwarding: outbox.limit == nil ? nil : outbox.unchangedHours,
                    find: index.find(_:),
                    newRow: index.newRow(after:)
                )
                value = try body(&opened)
                try opened.finish()
                writer = consume opened
                return .commit
            }
            guard let writer, let value else { throw StoreError.unavailable(reason: "the transaction did not run") }
            index.store(writer.entries)
            outbox.add(writer.outboxChange)
            succeeded(writer.memory)
            return value
        } catch {
            // What is damaged fails alone; reports of others are taken.
            if !(error is DamagedEntry), !Self.isDamage(error) { failed(StoreError(error)) }
            throw error
        }
    }

    /// Forgets what was learnt of a cluster, which is no more.
    func forget() { state.withLock { $0.memory = WriterMemory() } }

    /// Lends the memory to a transaction.
    ///
    /// It comes back with a commit; what a lost transaction gave out was never kept and is forgotten with it.
    private func takeMemory() -> WriterMemory {
        state.withLock { state in
            defer { state.memory = WriterMemory() }
            return state.memory
        }
    }

    private func succeeded(_ memory: WriterMemory) {
        if memory.damagedRows > 0 {
            tellOfRefusal("totals no longer follow", .damaged("\(memory.damagedRows) rows of totals or changes"))
        }
        let wasFailing = state.withLock { state in
            state.memory = memory
            state.memory.damagedRows = 0
            defer { state.isFailing = false }
            return state.isFailing
        }
        if wasFailing { logger.notice("the store takes reports again") }
    }

    /// Says so the first time that there is a reason; `store check` has the rest.
    private func tellOfRefusal(_ what: Logger.Message, _ reason: StoreError) {
        let isFirst = state.withLock { $0.toldReasons.insert("\(reason)").inserted }
        if isFirst { logger.error(what, metadata: ["reason": "\(reason)"]) }
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

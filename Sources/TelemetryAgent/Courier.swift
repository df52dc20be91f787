// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TelemetryModel

/// Sends what waits, until it is taken or refused for good.
///
/// What an endpoint said about itself is known as long as the courier is, whoever interrupts its runs.
final class Courier: Sendable {
    /// One attempt that is over.
    struct Attempt: Sendable {
        let report: WaitingReport
        /// When it was over.
        let at: UTCInstant
        /// The body as it travelled.
        let body: RequestBody
        let answer: DeliveryAnswer

        /// The SHA-256 of the report's text.
        var textDigest: [UInt8] { sha256(report.text) }
    }

    /// Makes the request of a body that is about to be sent; nil where nothing may be sent any more.
    ///
    /// It is asked right before every attempt, and so is where consent is read and where a request is signed.
    typealias Preparation = @Sendable (WaitingReport, RequestBody) async throws -> TelemetryRequest?

    /// What the endpoint asked for.
    private struct Memory {
        var schedule: RetrySchedule
        var gzip = GzipSupport()
        /// Nothing is sent before.
        var notBefore: ContinuousClock.Instant?
    }

    private let delivery: Delivery
    private let journal: AgentJournal
    private let pause: @Sendable (Duration) async throws -> Void
    private let onAttempt: @Sendable (Attempt) async -> Void
    private let memory: Mutex<Memory>

    /// - Parameters:
    ///   - delivery: Sends.
    ///   - journal: Is told of failures.
    ///   - random: A number from 0 up to 1, another one every time.
    ///   - pause: Waits before a report is tried again: the time that the schedule gives, which no event ends.
    ///   - onAttempt: Told of every attempt, also of one that was cut off.
    init(
        delivery: Delivery,
        journal: AgentJournal,
        random: @escaping @Sendable () -> Double = { .random(in: 0..<1) },
        pause: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) },
        onAttempt: @escaping @Sendable (Attempt) async -> Void = { _ in }
    ) {
        self.delivery = delivery
        self.journal = journal
        self.pause = pause
        self.onAttempt = onAttempt
        memory = Mutex(Memory(schedule: RetrySchedule(random: random)))
    }

    /// Sends what waits in an outbox, as it comes, one after the other.
    ///
    /// What fails is tried again by `RetrySchedule`, unless a newer report has taken its place meanwhile. Where the task
    /// is cancelled, so is the request under way, and what was not answered goes on waiting. It ends where `prepare` gives
    /// nothing.
    ///
    /// - Parameters:
    ///   - outbox: Where reports wait.
    ///   - meanwhile: Runs while a request is under way, and is cancelled when that is answered.
    ///   - prepare: Makes the requests.
    /// - Throws: What `prepare` throws, or `CancellationError`.
    func run(
        _ outbox: Outbox,
        meanwhile: @escaping @Sendable () async -> Void = {},
        prepare: @escaping Preparation
    ) async throws {
        // A run before this one may have been told to wait.
        if let wait = memory.withLock({ $0.notBefore.map { $0 - .now } }), wait > .zero { try await pause(wait) }
        var last: Collector?
        for await _ in await outbox.changes() {
            // A report that fails does not hold the other one back.
            while let report = await outbox.next(after: last) {
                last = report.collector
                guard let answer = try await send(report, prepare, meanwhile) else { return }
                if case .retry(let retryAfter, _) = answer {
                    let wait = memory.withLock { memory in
                        let wait = memory.schedule.delay(retryAfter: retryAfter)
                        memory.notBefore = .now + wait
                        return wait
                    }
                    try await pause(wait)
                } else {
                    memory.withLock { memory in
                        memory.schedule.reset()
                        memory.notBefore = nil
                    }
                    await outbox.remove(report)
                }
            }
        }
        try Task.checkCancellation()
    }

    /// Sends reports, each once, now.
    ///
    /// - Returns: How many were taken: all of them, or those before `prepare` gave nothing.
    /// - Throws: What `prepare` throws, `CancellationError`, or the first failure as an `AgentError` once all were tried.
    func sendNow(_ reports: [WaitingReport], prepare: @escaping Preparation) async throws -> Int {
        var failure: AgentError?
        var taken = 0
        for report in reports {
            guard let answer = try await send(report, prepare, {}) else { return taken }
            failure = failure ?? answer.failure
            if answer == .accepted { taken += 1 }
        }
        if let failure { throw failure }
        return taken
    }

    /// Sends a report once; packed where the endpoint takes that, and then plain where it does not after all.
    private func send(
        _ report: WaitingReport,
        _ prepare: Preparation,
        _ meanwhile: @escaping @Sendable () async -> Void
    ) async throws -> DeliveryAnswer? {
        var body = RequestBody(report.text, packed: memory.withLock { $0.gzip.isTaken })
        guard var reply = try await attempt(report, body, prepare, meanwhile) else { return nil }
        if body.isPacked, reply.answer == .refused(status: 415) {
            memory.withLock { $0.gzip.refuse() }
            body = RequestBody(report.text)
            guard let second = try await attempt(report, body, prepare, meanwhile) else { return nil }
            reply = second
        }
        memory.withLock { $0.gzip.learn(from: reply.codings) }
        if let reason = reply.answer.failure {
            let isFinal = if case .refused = reply.answer { true } else { false }
            journal.noteFailure(reason, of: report.collector, isFinal: isFinal)
        } else {
            journal.noteSuccess(of: report.collector)
        }
        return reply.answer
    }

    private func attempt(
        _ report: WaitingReport,
        _ body: RequestBody,
        _ prepare: Preparation,
        _ meanwhile: @escaping @Sendable () async -> Void
    ) async throws -> Delivery.Reply? {
        // Whoever is cancelled sends nothing more, not even begins to.
        try Task.checkCancellation()
        guard let request = try await prepare(report, body) else { return nil }
        let reply: Delivery.Reply
        do {
            async let _: Void = meanwhile()
            reply = try await delivery.attempt(request)
        } catch {
            // Its body may have arrived all the same.
            await onAttempt(Attempt(report: report, at: delivery.now(), body: body, answer: .cutOff))
            throw error
        }
        await onAttempt(Attempt(report: report, at: delivery.now(), body: body, answer: reply.answer))
        return reply
    }
}

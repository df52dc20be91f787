// SPDX-License-Identifier: Apache-2.0

import TelemetryModel

/// Sends what waits, until it is taken or refused for good.
struct Courier: Sendable {
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

    let delivery: Delivery
    let journal: AgentJournal
    var random: @Sendable () -> Double = { .random(in: 0..<1) }
    /// Waits before a report is tried again: the time that the schedule gives, which no event ends.
    var pause: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    /// Told of every attempt.
    var onAttempt: @Sendable (Attempt) async -> Void = { _ in }

    /// Sends what waits in an outbox, as it comes, one after the other.
    ///
    /// What fails is tried again by `RetrySchedule`, unless a newer report has taken its place meanwhile. Where the task
    /// is cancelled, so is the request under way, and what was not answered goes on waiting.
    ///
    /// - Returns: Once `prepare` gave nothing.
    /// - Throws: What `prepare` throws, or `CancellationError`.
    func run(_ outbox: Outbox, prepare: @escaping Preparation) async throws {
        var schedule = RetrySchedule(random: random)
        var gzip = GzipSupport()
        var last: Collector?
        for await _ in await outbox.changes() {
            // A report that fails does not hold the other one back.
            while let report = await outbox.next(after: last) {
                last = report.collector
                guard let answer = try await send(report, &gzip, prepare) else { return }
                if case .retry(let retryAfter, _) = answer {
                    try await pause(schedule.delay(retryAfter: retryAfter))
                } else {
                    schedule.reset()
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
        var gzip = GzipSupport()
        var failure: AgentError?
        var taken = 0
        for report in reports {
            guard let answer = try await send(report, &gzip, prepare) else { return taken }
            failure = failure ?? answer.failure
            if answer == .accepted { taken += 1 }
        }
        if let failure { throw failure }
        return taken
    }

    /// Sends a report once; packed where the endpoint takes that, and then plain where it does not after all.
    private func send(
        _ report: WaitingReport,
        _ gzip: inout GzipSupport,
        _ prepare: Preparation
    ) async throws -> DeliveryAnswer? {
        var body = RequestBody(report.text, packed: gzip.isTaken)
        guard var reply = try await attempt(report, body, prepare) else { return nil }
        if body.isPacked, reply.answer == .refused(status: 415) {
            gzip.refuse()
            body = RequestBody(report.text)
            guard let second = try await attempt(report, body, prepare) else { return nil }
            reply = second
        }
        gzip.learn(from: reply.codings)
        if let reason = reply.answer.failure {
            journal.noteFailure(reason, of: report.collector)
        } else {
            journal.noteSuccess(of: report.collector)
        }
        return reply.answer
    }

    private func attempt(
        _ report: WaitingReport,
        _ body: RequestBody,
        _ prepare: Preparation
    ) async throws -> Delivery.Reply? {
        // Whoever is cancelled sends nothing more, not even begins to.
        try Task.checkCancellation()
        guard let request = try await prepare(report, body) else { return nil }
        let reply = try await delivery.attempt(request)
        await onAttempt(Attempt(report: report, at: delivery.now(), body: body, answer: reply.answer))
        return reply
    }
}

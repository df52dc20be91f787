// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Answers that were asked for, each for its time; who asks for one that is under way waits for that one.
///
/// What failed is not kept.
final class AnswerCache<Question: Hashable & Sendable, Answer: Sendable>: Sendable {
    private struct Kept {
        let answer: Answer
        let until: ContinuousClock.Instant?
        /// When it was asked for last, by the number of questions until then.
        var lastUse: Int
    }

    private struct State {
        var kept: [Question: Kept] = [:]
        var underWay: [Question: Task<Answer, any Error>] = [:]
        var uses = 0
        /// How often everything was forgotten.
        var generation = 0
    }

    private let state = Mutex(State())
    private let capacity: Int

    /// A cache of so many answers.
    init(capacity: Int) {
        self.capacity = capacity
    }

    /// The answer to a question.
    ///
    /// - Parameters:
    ///   - question: The question.
    ///   - lifetime: For how long an answer is kept that is got now; nil for good.
    ///   - ask: Gets it. It ends where one who waits for it is cancelled; others that wait ask again.
    /// - Returns: The answer.
    /// - Throws: What `ask` throws.
    func answer(
        to question: Question,
        for lifetime: (Answer) -> Duration?,
        ask: @escaping @Sendable () async throws -> Answer
    ) async throws -> Answer {
        let (known, task, generation): (Answer?, Task<Answer, any Error>?, Int) = state.withLock { state in
            state.uses += 1
            if let kept = state.kept[question], kept.until.map({ $0 > .now }) ?? true {
                state.kept[question]?.lastUse = state.uses
                return (kept.answer, nil, state.generation)
            }
            let task = state.underWay[question] ?? Task { try await ask() }
            state.underWay[question] = task
            return (nil, task, state.generation)
        }
        if let known { return known }
        guard let task else { preconditionFailure("an answer is known or under way") }
        let result = await withTaskCancellationHandler {
            await task.result
        } onCancel: {
            task.cancel()
        }
        state.withLock { state in
            if state.underWay[question] == task { state.underWay[question] = nil }
            guard case .success(let answer) = result, state.generation == generation else { return }
            let until = lifetime(answer).map { ContinuousClock.now + $0 }
            state.kept = state.kept.filter { $0.value.until.map { $0 > .now } ?? true }
            state.kept[question] = Kept(answer: answer, until: until, lastUse: state.uses)
            guard state.kept.count > capacity else { return }
            let oldest = state.kept.min { $0.value.lastUse < $1.value.lastUse }
            if let oldest { state.kept[oldest.key] = nil }
        }
        if case .failure = result, task.isCancelled, !Task.isCancelled {
            return try await self.answer(to: question, for: lifetime, ask: ask)
        }
        return try result.get()
    }

    /// Forgets every answer, also those that are under way.
    func forget() {
        state.withLock { state in
            state.kept.removeAll()
            state.underWay.removeAll()
            state.generation += 1
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Testing

@testable import VictoriaMetrics

@Suite("Answers that are kept", .timeLimit(.minutes(1)))
struct AnswerCacheTests {
    /// Answers a question with how often anybody was asked.
    private final class Asked: Sendable {
        private let count = Mutex(0)

        func next() -> Int {
            count.withLock { count in
                count += 1
                return count
            }
        }
    }

    @Test("an answer for good is kept, one for no time is not, and what is forgotten is asked again")
    func lifetimes() async throws {
        let (cache, asked) = (AnswerCache<String, Int>(capacity: 10), Asked())
        for _ in 0..<3 { #expect(try await cache.answer(to: "a", for: { _ in nil }) { asked.next() } == 1) }
        #expect(try await cache.answer(to: "b", for: { _ in .zero }) { asked.next() } == 2)
        #expect(try await cache.answer(to: "b", for: { _ in .zero }) { asked.next() } == 3)
        cache.forget()
        #expect(try await cache.answer(to: "a", for: { _ in nil }) { asked.next() } == 4)
    }

    @Test("no more answers are kept than there is room for, those that were asked for last")
    func capacity() async throws {
        let (cache, asked) = (AnswerCache<Int, Int>(capacity: 2), Asked())
        for question in [1, 2, 1, 3, 1] {
            _ = try await cache.answer(to: question, for: { _ in nil }) { asked.next() }
        }
        #expect(asked.next() == 4)
        #expect(try await cache.answer(to: 2, for: { _ in nil }) { asked.next() } == 5)
    }

    @Test(
        "who waits for an answer that another one's end cut off asks again; an answer to what was forgotten is not kept"
    )
    func cancelled() async throws {
        let (cache, asked) = (AnswerCache<String, Int>(capacity: 2), Asked())
        let (isAsked, ask) = AsyncStream.makeStream(of: Void.self)
        let first = Task {
            try await cache.answer(to: "a", for: { _ in nil }) {
                ask.yield()
                // Until it is cut off.
                try await Task.sleep(for: .seconds(3_600))
                return 0
            }
        }
        for await _ in isAsked { break }
        let second = Task { try await cache.answer(to: "a", for: { _ in nil }) { asked.next() } }
        first.cancel()
        await #expect(throws: CancellationError.self) { try await first.value }
        #expect(try await second.value == 1)

        let (isReady, ready) = AsyncStream.makeStream(of: Void.self)
        let late = Task {
            try await cache.answer(to: "b", for: { _ in nil }) {
                ask.yield()
                for await _ in isReady { break }
                return 7
            }
        }
        for await _ in isAsked { break }
        cache.forget()
        ready.yield()
        #expect(try await late.value == 7)
        #expect(try await cache.answer(to: "b", for: { _ in nil }) { asked.next() } == 2)
    }
}

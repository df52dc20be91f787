// SPDX-License-Identifier: Apache-2.0

/// A tick at once, and then one after every interval, until the task is cancelled.
struct Ticks: AsyncSequence, Sendable {
    let interval: Duration

    func makeAsyncIterator() -> Iterator { Iterator(interval: interval) }

    struct Iterator: AsyncIteratorProtocol {
        fileprivate let interval: Duration
        private var next: ContinuousClock.Instant?

        fileprivate init(interval: Duration) {
            self.interval = interval
        }

        /// Waits for the next tick; those that went by meanwhile are left out.
        mutating func next() async throws -> Void? {
            let now = ContinuousClock.now
            guard let planned = next else {
                next = now + interval
                return ()
            }
            // The interval itself; tests drive the agent with triggers of their own.
            try await Task.sleep(until: planned, clock: .continuous)
            next = Swift.max(planned, ContinuousClock.now - interval) + interval
            return ()
        }
    }
}

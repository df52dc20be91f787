// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The memory that bodies under way may take, over all connections.
///
/// A body counts with what has arrived of it, from then until its request is answered: what is only announced takes no
/// memory, so announcing much keeps nobody else out.
final class BodyBudget: Sendable {
    private let limit: Int
    private let used = Atomic(0)

    /// A budget of so many bytes.
    init(limit: Int) {
        self.limit = limit
    }

    /// Whether nothing is left.
    var isExhausted: Bool { used.load(ordering: .relaxed) >= limit }

    /// Takes bytes out of the budget; false, and nothing taken, where so many are not left.
    func claim(_ count: Int) -> Bool {
        if used.add(count, ordering: .relaxed).newValue <= limit { return true }
        release(count)
        return false
    }

    /// Gives bytes back.
    func release(_ count: Int) {
        used.subtract(count, ordering: .relaxed)
    }
}

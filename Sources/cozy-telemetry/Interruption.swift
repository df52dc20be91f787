// SPDX-License-Identifier: Apache-2.0

import UnixSignals

/// Long work that SIGINT and SIGTERM ask to stop.
enum Interruption {
    /// Runs a body as a task that is cancelled by a signal; the body decides when it stops.
    static func task<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                for await _ in signals { break }
                return nil
            }
            // The first to end is the work or the signal; either way the other one is told to stop.
            var value = try await group.next() ?? nil
            group.cancelAll()
            while value == nil, let next = try await group.next() { value = next }
            guard let value else { throw CancellationError() }
            return value
        }
    }
}

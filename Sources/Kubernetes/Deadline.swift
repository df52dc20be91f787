// SPDX-License-Identifier: Apache-2.0

/// Runs an operation that has to end in time; nil where it did not, after it was cancelled.
package func withDeadline<Result: Sendable>(
    _ limit: Duration,
    _ operation: @escaping @Sendable () async throws -> Result
) async throws -> Result? {
    try await withThrowingTaskGroup(of: Result?.self) { group in
        group.addTask { try await operation() }
        group.addTask {
            // The deadline itself; it is cancelled when the operation ends before.
            try await Task.sleep(for: limit)
            return nil
        }
        defer { group.cancelAll() }
        return try await group.next() ?? nil
    }
}

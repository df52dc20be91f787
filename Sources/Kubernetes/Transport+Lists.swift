// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import NIOCore

extension Transport {
    /// A list, of which each item is decoded as soon as it is there, so that no more than one is held as it was sent.
    ///
    /// - Parameters:
    ///   - type: What the items are read into.
    ///   - call: What the list is asked for with.
    ///   - limit: The time that it may take, where that is shorter than a call may take anyway.
    /// - Returns: What the list says of itself, and its items in order.
    /// - Throws: `KubernetesError`, `ExpiredList`, or `CancellationError` where the task was cancelled.
    func list<Object: KubernetesObject>(
        of type: Object.Type,
        from call: Call,
        within limit: Duration
    ) async throws -> (metadata: ListMetadata?, items: [Object]) {
        let list = try await withDeadline(min(limit, limits.call)) {
            let response = try await open(call)
            var splitter = ListSplitter(largestItem: limits.itemBytes)
            var items: [Object] = []
            let readsOn = try await mappingErrors(of: call) {
                for try await chunk in response.body {
                    let fits = try chunk.withUnsafeReadableBytes { bytes in
                        try splitter.append(bytes) { items.append(try Self.decode(type, from: $0, path: call.path)) }
                    }
                    guard fits else { return false }
                }
                return true
            }
            guard readsOn else {
                let reason = "an item is larger than \(limits.itemBytes) bytes"
                throw KubernetesError.invalidResponse(path: call.path, reason: reason)
            }
            return (try Self.decode(ListFrame.self, from: splitter.frame, path: call.path).metadata, items)
        }
        guard let list else { throw KubernetesError.deadlineExceeded(path: call.path) }
        return list
    }
}

/// What is left of a list without its items, for each of which there is a zero.
private struct ListFrame: Decodable {
    let metadata: ListMetadata?
    let items: [Int]?
}

// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// How long a connection waits for its sender.
struct SenderDeadlines {
    /// For a request, from the end of the one before.
    let request: TimeAmount
    /// For the rest of a head, from the first of it that came by itself.
    let head: TimeAmount
    /// For a body, from its head.
    let body: TimeAmount

    /// The deadlines that were set.
    init(_ limits: ConnectionLimits) {
        request = .seconds(Int64(limits.idleTimeoutSeconds))
        head = .seconds(Int64(limits.headTimeoutSeconds))
        body = .seconds(Int64(limits.bodyTimeoutSeconds))
    }
}

// SPDX-License-Identifier: Apache-2.0

import Foundation
public import TelemetryModel

/// What a body is recognised by without being parsed: who sent it, and what its lines are, in whatever order.
///
/// It holds for this process only. Two bodies of a cluster have the same fingerprint if they have the same lines; that two
/// others have is as likely as guessing 64 random bits.
public struct Fingerprint: Hashable, Sendable {
    /// The cluster.
    let cluster: UInt64
    /// The lines and the cluster; never 0.
    let content: UInt64

    /// The fingerprint of a body of a cluster, as it was sent.
    public init(of body: Span<UInt8>, from cluster: ClusterID) {
        var sender = Hasher()
        sender.combine(cluster.text)
        self.cluster = UInt64(bitPattern: Int64(sender.finalize()))
        sender.combine(body.count)
        var sum = UInt64(bitPattern: Int64(sender.finalize()))
        // The pointer does not leave the closure, and the ranges of lines end at or before the buffer does.
        body.withUnsafeBytes { bytes in
            var rest = bytes
            while let start = rest.baseAddress, !rest.isEmpty {
                let newline = memchr(start, Int32(UInt8(ascii: "\n")), rest.count)
                let length = newline.map { UnsafeRawPointer($0) - start } ?? rest.count
                // A sum does not depend on the order; each line is hashed with the process's random key.
                var line = Hasher()
                line.combine(bytes: UnsafeRawBufferPointer(start: start, count: length))
                sum &+= UInt64(bitPattern: Int64(line.finalize()))
                rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(length + 1))
            }
        }
        content = sum == 0 ? 1 : sum
    }

    /// Hashes that were made before.
    init(cluster: UInt64, content: UInt64) {
        self.cluster = cluster
        self.content = content
    }
}

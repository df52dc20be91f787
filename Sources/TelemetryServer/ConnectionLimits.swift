// SPDX-License-Identifier: Apache-2.0

/// What the connections of the public listener may take.
public struct ConnectionLimits: Sendable {
    /// The most bytes of a request's line and header fields.
    public var largestHead = 16 * 1024
    /// The rest of a head has to come within so many seconds of its beginning.
    public var headTimeoutSeconds = 5
    /// A body has to come within so many seconds of its head.
    public var bodyTimeoutSeconds = 15
    /// A connection without a request is closed after so many seconds.
    public var idleTimeoutSeconds = 60
    /// After so many requests a connection is closed.
    public var largestRequestCount = 10_000
    /// The most connections.
    public var largestCount = 20_000
    /// The most connections from one address; those of trusted proxies are not bounded so.
    public var largestCountPerAddress = 256

    /// Limits, all at their default.
    public init() {}
}

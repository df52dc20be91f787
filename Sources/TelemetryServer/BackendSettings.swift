// SPDX-License-Identifier: Apache-2.0

/// What can be set of a backend.
public struct BackendSettings: Sendable {
    /// The public listener.
    public var listenAddress: ListenAddress
    /// The private listener, with metrics.
    public var adminAddress: ListenAddress
    /// What the public listener speaks TLS with; nil where it speaks plain HTTP.
    public var tls: TLSFiles?
    /// What the private listener speaks TLS with; nil where it speaks plain HTTP.
    public var adminTLS: TLSFiles?
    /// How often certificates are looked at for changes.
    public var certificateInterval = Duration.seconds(5)
    /// Whose access tokens are taken on the private listener, beside our own; nil for nobody's.
    public var issuer: IssuerSettings?
    /// The directory of the store and the key.
    public var dataDirectory: String
    /// The file with the pseudonym key, where it is not in that directory.
    public var pseudonymKeyFile: String?
    /// The largest body as it travels, in bytes.
    public var largestBody = 10 * 1024 * 1024
    /// The largest body once it is unpacked, in bytes.
    public var largestUnpackedBody = 10 * 1024 * 1024
    /// The memory for all bodies that are being read, in bytes; further ones are answered 503.
    public var largestBodiesInFlight = 256 * 1024 * 1024
    /// Whether the backend takes reports and sends them on, and knows no figures.
    public var isForwardOnly = false
    /// Whether reports that are not signed are refused.
    public var requiresSignatures = false
    /// *k*: what could single a cluster out is published where at least so many clusters have it.
    public var anonymityThreshold = 5
    /// For how long rows of reports are kept.
    public var retention = RetentionPeriod.standard
    /// Whether the clock is right, however far it is ahead of what it last showed.
    public var acceptsClock = false
    /// So many reports wait for their commit at the most; further ones are answered 503.
    public var largestQueue = 10_000
    /// The largest that a body may be once it is unpacked, as a multiple of its size packed; 64 KiB are always taken.
    public var largestUnpackingRatio = 100
    /// The most samples of a report.
    public var largestSampleCount = 50_000
    /// How many reports are taken in a time; nil for as many as come.
    public var rateLimits: RateLimits? = RateLimits()
    /// So many new clusters from one network in a UTC day are said in the log and counted; 0 for never.
    public var newClustersFlagged = 100
    /// The proxies that are believed when they say for whom they speak.
    public var trustedProxies: [AddressBlock] = []
    /// What connections of the public listener may take.
    public var connections = ConnectionLimits()

    /// Settings with everything else at its default.
    public init(listenAddress: ListenAddress, adminAddress: ListenAddress, dataDirectory: String) {
        self.listenAddress = listenAddress
        self.adminAddress = adminAddress
        self.dataDirectory = dataDirectory
    }
}

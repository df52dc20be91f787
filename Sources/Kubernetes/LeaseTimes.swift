// SPDX-License-Identifier: Apache-2.0

/// How long a lease lasts, and when its holder and the others look after it.
public struct LeaseTimes: Sendable {
    /// How long others wait after the last renewal that they saw, before they take the lease.
    public let duration: Duration
    /// From one renewal to the next, and for one attempt at most.
    public let renewal: Duration
    /// When a holder that cannot renew stops to lead, counted from the beginning of its last successful renewal.
    ///
    /// What is left until `duration` is the time to stop.
    public let surrender: Duration
    /// From one look of the others to the next; a fifth of it is added at random.
    public let retry: Duration

    /// Times with `renewal < surrender < duration`.
    public init(
        duration: Duration = .seconds(20),
        renewal: Duration = .seconds(5),
        surrender: Duration = .seconds(15),
        retry: Duration = .seconds(5)
    ) {
        precondition(.zero < renewal && renewal < surrender && surrender < duration && .zero < retry)
        self.duration = duration
        self.renewal = renewal
        self.surrender = surrender
        self.retry = retry
    }

    /// The duration in the whole seconds that a lease has, rounded up.
    var seconds: Int { Int(duration.components.seconds) + (duration.components.attoseconds > 0 ? 1 : 0) }
}

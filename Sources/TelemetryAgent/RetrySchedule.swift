// SPDX-License-Identifier: Apache-2.0

/// When a delivery that failed is tried again: exponential backoff with full jitter.
///
/// The wait is random from nothing to a limit that doubles with every failure in a row, so that clusters that failed
/// together do not come back together.
struct RetrySchedule: Sendable {
    /// The limit after the first failure.
    static let base = Duration.seconds(5)
    /// The highest limit.
    static let ceiling = Duration.seconds(900)
    /// The longest that an endpoint can ask for.
    static let longestRetryAfter = Duration.seconds(86_400)

    private let random: @Sendable () -> Double
    private var failures = 0

    /// - Parameter random: A number from 0 up to 1, another one every time.
    init(random: @escaping @Sendable () -> Double = { .random(in: 0..<1) }) {
        self.random = random
    }

    /// The wait after another failure.
    ///
    /// What the endpoint asked for comes before it, as everybody may have been asked for the same.
    mutating func delay(retryAfter: Duration?) -> Duration {
        let limit = min(Self.ceiling, Self.base * (1 << min(failures, 16)))
        failures += 1
        return min(retryAfter ?? .zero, Self.longestRetryAfter) + limit * random()
    }

    /// Begins anew: the endpoint did answer.
    mutating func reset() { failures = 0 }
}

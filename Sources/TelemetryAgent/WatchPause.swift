// SPDX-License-Identifier: Apache-2.0

import Kubernetes

/// Decides how long to wait before the API server is asked again for what it did not give, or for the next watch.
///
/// 1 s, then twice as long each time, up to 30 s; what the server asks for comes before it, up to a minute.
struct WatchPause {
    /// How many attempts in a row failed, or were watches that ended soon.
    private var failures = 0

    /// Notes how long a watch stood; a long time shows that the server works.
    mutating func note(_ length: Duration) {
        if length >= .seconds(10) { failures = 0 }
    }

    /// The time to wait after the server ended a watch, which it does from time to time.
    ///
    /// One that ends every watch at once is asked like one that fails.
    mutating func afterEnd() -> Duration {
        let pause = afterFailure(nil)
        return failures == 1 ? .milliseconds(100) : pause
    }

    /// The time to wait after a failure; nil for one whose reason is not known.
    mutating func afterFailure(_ error: (any Error)?) -> Duration {
        let pause = min(.seconds(1) * (1 << min(failures, 5)), .seconds(30))
        failures += 1
        guard case KubernetesError.tooManyRequests(_, let retryAfter?)? = error else { return pause }
        return max(pause, min(retryAfter, .seconds(60)))
    }
}

// SPDX-License-Identifier: Apache-2.0

/// Decides whether a page that could not be read is asked for again, and when.
struct PageRetry {
    /// How often in a row the page failed because the server broke off or could not answer.
    private var failures = 0

    /// What to do after an error.
    ///
    /// - Parameters:
    ///   - error: What went wrong.
    ///   - remaining: What is left of the time for the whole list; a longer wait is in vain.
    /// - Returns: How long to wait before the same page is asked for again; nil where the error is final.
    mutating func delay(after error: any Error, remaining: Duration) -> Duration? {
        guard let error = error as? KubernetesError, let delay = delay(after: error), delay < remaining else {
            return nil
        }
        return delay
    }

    private mutating func delay(after error: KubernetesError) -> Duration? {
        switch error {
        case .tooManyRequests(_, let retryAfter?): max(retryAfter, Self.shortestWait)
        case .tooManyRequests(_, nil), .unreachable, .status(500..., _, _): backoff()
        // A server that has just started may know neither grants nor definitions yet.
        case .unauthorized, .forbidden, .notFound: failures > 0 ? backoff() : nil
        default: nil
        }
    }

    /// Half a second, twice as long each time, some 15 s in all: a server restarts in less.
    private mutating func backoff() -> Duration? {
        guard failures < 5 else { return nil }
        defer { failures += 1 }
        return Self.shortestWait * (1 << failures)
    }

    private static let shortestWait = Duration.milliseconds(500)
}

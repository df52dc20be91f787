// SPDX-License-Identifier: Apache-2.0

/// The answers of a phase so far.
struct Tally {
    /// The bytes of all bodies.
    var bodyBytes = 0
    private var statuses: [Int: Int] = [:]
    /// The latency of every answer in microseconds.
    private var latencies: [UInt32] = []

    /// The number of answers.
    var requests: Int { latencies.count }

    /// Counts an answer.
    mutating func count(status: Int, nanoseconds: UInt64) {
        statuses[status, default: 0] += 1
        latencies.append(UInt32(clamping: nanoseconds / 1_000))
    }

    /// What the phase came to.
    ///
    /// - Parameters:
    ///   - seconds: How long it took.
    ///   - unsent: How late each report is that was due and never sent; it counts as answered now, not as absent.
    /// - Returns: The figures.
    func result(seconds: Double, unsent: [UInt64]) -> PhaseResult {
        let sorted = (latencies + unsent.map { UInt32(clamping: $0 / 1_000) }).sorted()
        return PhaseResult(
            requests: requests,
            unsent: unsent.count,
            statuses: Dictionary(uniqueKeysWithValues: statuses.map { (String($0), $1) }),
            bodyBytes: bodyBytes,
            seconds: seconds,
            perSecond: Double(requests) / seconds,
            p50: Self.milliseconds(at: 0.5, of: sorted),
            p99: Self.milliseconds(at: 0.99, of: sorted)
        )
    }

    /// The latency that a share of all does not exceed.
    private static func milliseconds(at share: Double, of sorted: [UInt32]) -> Double {
        guard !sorted.isEmpty else { return 0 }
        let place = Int((Double(sorted.count) * share).rounded(.up)) - 1
        return Double(sorted[max(place, 0)]) / 1_000
    }
}

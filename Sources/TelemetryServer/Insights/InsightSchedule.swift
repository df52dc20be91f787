// SPDX-License-Identifier: Apache-2.0

/// When the insights are computed anew, and for how long those that are kept are answered.
///
/// A pass over a small store takes no time, and its insights are of this second; one over a large store is made once an hour
/// at the most, however many ask.
struct InsightSchedule {
    /// After a pass there is none for so many times as long as it took.
    private static let rest = 100
    private static let shortest = Duration.seconds(1)
    private static let longest = Duration.seconds(3_600)
    /// What is older is not answered any more, so that an erased cluster is in no answer for longer.
    private static let tooOld = Duration.seconds(7_200)

    private var notBefore: Duration?
    private var madeAt: Duration?
    private var cost = Duration.zero

    /// Whether another pass may begin.
    func isDue(at uptime: Duration) -> Bool { notBefore.map { uptime >= $0 } ?? true }

    /// Whether what is kept may be answered.
    func isAnswerable(at uptime: Duration) -> Bool { madeAt.map { uptime - $0 <= Self.tooOld } ?? false }

    /// Whether a pass is likely to end within a time.
    func takes(atMost time: Duration) -> Bool { cost <= time }

    /// In so many seconds an answer can be hoped for where there is none.
    func retryAfter(at uptime: Duration) -> Int {
        let rest = notBefore.map { $0 - uptime } ?? .zero
        return max(5, Int(rest.components.seconds) + 1)
    }

    /// A pass has ended.
    ///
    /// - Parameters:
    ///   - began: When it began.
    ///   - uptime: The time.
    ///   - isGood: Whether it found what it looked for.
    mutating func ended(from began: Duration, to uptime: Duration, isGood: Bool) {
        cost = uptime - began
        notBefore = uptime + min(Self.longest, max(Self.shortest, cost * Self.rest))
        if isGood { madeAt = began }
    }
}

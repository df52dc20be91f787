// SPDX-License-Identifier: Apache-2.0

import TelemetryModel

/// Decides whether the receiving clock is believed when it comes to what cannot be taken back: finishing windows and deleting
/// rows.
///
/// A clock that is years ahead, as one without a battery before it is set, would have all rows deleted and windows
/// finished that have not begun. So the store remembers the last time that was believed, and a clock far ahead of that is
/// not believed before it has gone on so for two weeks of time that does not depend on it, or the operator says
/// that it is right.
struct ClockTrust {
    /// What is thought of a time.
    enum Judgement: Equatable {
        case believed
        /// So many days ahead of the last time that was believed; `isNews` the first time.
        case ahead(days: Int, isNews: Bool)
    }

    /// So many seconds a backend may have been off; fewer than it takes for a window to be finished too early that a report
    /// of the true time counts in.
    static let largestStep: Int64 = 45 * 86_400
    /// How long a clock that is ahead waits.
    static let patience = Duration.seconds(14 * 86_400)

    /// Whether the operator says that the clock is right.
    let isAccepted: Bool
    private var aheadSince: Duration?

    /// The trust of a backend that has just started.
    init(isAccepted: Bool = false) {
        self.isAccepted = isAccepted
    }

    /// Judges a time.
    ///
    /// - Parameters:
    ///   - now: What the clock shows.
    ///   - last: The last time that was believed; nil where there was none.
    ///   - uptime: Time since some moment, by a clock that nobody sets.
    /// - Returns: What is thought of it.
    mutating func judge(_ now: UTCInstant, last: UTCInstant?, uptime: Duration) -> Judgement {
        guard !isAccepted, let last, now > last.advanced(bySeconds: Self.largestStep) else {
            aheadSince = nil
            return .believed
        }
        let since = aheadSince ?? uptime
        guard uptime - since < Self.patience else {
            aheadSince = nil
            return .believed
        }
        defer { aheadSince = since }
        let days = (now.secondsSinceEpoch - last.secondsSinceEpoch) / 86_400
        return .ahead(days: Int(days), isNews: aheadSince == nil)
    }
}

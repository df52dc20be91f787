// SPDX-License-Identifier: Apache-2.0

import TelemetryModel

/// When the keys of an issuer are fetched: at first, for a key that is not known, and once an hour; never more often than
/// every ten seconds, as anybody can send a token that names a key.
struct KeyFreshness: Equatable {
    /// What to do for a token.
    enum Action: Equatable {
        /// Take the key that is known.
        case use
        /// Fetch the keys first.
        case fetch
        /// There is no such key.
        case unknownKey
        /// It cannot be told whether there is.
        case unavailable
    }

    /// Keys are fetched again after so many seconds.
    static let freshTime: Int64 = 3_600
    /// Where that fails they are good for so many, as an issuer may have withdrawn them.
    static let longestTime: Int64 = 86_400
    /// Between two attempts there are so many.
    static let pause: Int64 = 10

    private var fetched: UTCInstant?
    private var attempted: UTCInstant?

    /// Whether the last attempt failed.
    private var isFailing: Bool { attempted != nil && attempted != fetched }

    /// Decides, before and after an attempt.
    func action(isKnown: Bool, at now: UTCInstant) -> Action {
        let age = fetched.map { now.secondsSinceEpoch - $0.secondsSinceEpoch }
        let isGood = age.map { $0 < Self.longestTime } ?? false
        if isKnown, let age, 0..<Self.freshTime ~= age { return .use }
        if mayAttempt(at: now) { return .fetch }
        if isKnown, isGood { return .use }
        return isFailing ? .unavailable : .unknownKey
    }

    /// The keys are being fetched.
    mutating func begin(at now: UTCInstant) { attempted = now }

    /// They were.
    mutating func succeed() { fetched = attempted }

    private func mayAttempt(at now: UTCInstant) -> Bool {
        guard let attempted else { return true }
        // A clock that was set back must not stop attempts until it is there again.
        return !(0..<Self.pause ~= now.secondsSinceEpoch - attempted.secondsSinceEpoch)
    }
}

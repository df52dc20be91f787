// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

extension UTCInstant {
    /// The time of the machine's clock.
    @Sendable public static func now() -> Self {
        Self(secondsSinceEpoch: Int64(Date().timeIntervalSince1970.rounded(.down)))
    }

    /// The moment that a text as `rfc3339` writes it means; nil where it is none.
    public init?(rfc3339 text: String) {
        guard let date = try? Date(text, strategy: .iso8601) else { return nil }
        self.init(secondsSinceEpoch: Int64(date.timeIntervalSince1970.rounded(.down)))
    }
}

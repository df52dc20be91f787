// SPDX-License-Identifier: Apache-2.0

import Foundation
public import TelemetryModel

extension UTCInstant {
    /// The time of the machine's clock.
    @Sendable public static func now() -> Self {
        Self(secondsSinceEpoch: Int64(Date().timeIntervalSince1970.rounded(.down)))
    }
}

// SPDX-License-Identifier: Apache-2.0

import Synchronization
package import TelemetryModel

/// A clock that shows what a test sets it to.
package final class TestClock: Sendable {
    private let instant: Mutex<UTCInstant>

    package init(_ instant: UTCInstant) {
        self.instant = Mutex(instant)
    }

    /// What the clock shows.
    package var now: UTCInstant {
        get { instant.withLock { $0 } }
        set { instant.withLock { $0 = newValue } }
    }
}

// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TelemetryModel

/// Turns addresses into what is held of them: a SipHash under a key that lives in memory and changes with the UTC day.
///
/// Hashes of two days have nothing in common, and without the key nothing says which address one is of.
final class AddressHash: Sendable {
    private struct Key {
        var day: UTCDay
        var bits: UInt128

        static func random(_ day: UTCDay) -> Self { Self(day: day, bits: .random(in: .min ... .max)) }
    }

    private let today: @Sendable () -> UTCDay
    private let key: Mutex<Key>

    /// Hashes by the day that a clock shows.
    init(today: @escaping @Sendable () -> UTCDay) {
        self.today = today
        key = Mutex(.random(today()))
    }

    /// The hash of an address, or of a network, under the key of the day.
    func callAsFunction(_ bits: UInt128) -> UInt64 {
        let day = today()
        let current = key.withLock { key in
            if key.day != day { key = .random(day) }
            return key.bits
        }
        // SipHash under a key of the process; the key of the day goes in first.
        var hasher = Hasher()
        hasher.combine(current)
        hasher.combine(bits)
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }
}

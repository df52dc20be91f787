// SPDX-License-Identifier: Apache-2.0

import TelemetryModel

/// Counts new clusters by network and UTC day, in a table of fixed size, and says when there are many from one network.
///
/// Where there is no room for another network, the one with the fewest of a few makes way.
struct NewClusterWatch {
    private struct Slot {
        var key: UInt64 = 0
        var count = 0
    }

    /// So many slots may hold a network.
    private static let ways = 8

    private let threshold: Int
    private let size: Int
    private var slots: [Slot] = []
    private var day: UTCDay?

    /// A watch that speaks at so many of one network and day, never where that is 0; the size is a power of two, at least 8.
    init(threshold: Int, size: Int = 1 << 14) {
        self.threshold = threshold
        self.size = size
    }

    /// Counts a new cluster.
    ///
    /// - Returns: Whether with it there are many from this network today; true once for a network and a day.
    mutating func note(_ network: UInt64, on today: UTCDay) -> Bool {
        guard threshold > 0 else { return false }
        if day != today {
            day = today
            slots = Array(repeating: Slot(), count: size)
        }
        let first = Int(truncatingIfNeeded: network) & (size - 1) & ~(Self.ways - 1)
        let places = first..<first + Self.ways
        let place =
            places.first { slots[$0].key == network && slots[$0].count > 0 }
            ?? places.min { slots[$0].count < slots[$1].count } ?? first
        if slots[place].key != network { slots[place] = Slot(key: network) }
        slots[place].count += 1
        return slots[place].count == threshold
    }
}

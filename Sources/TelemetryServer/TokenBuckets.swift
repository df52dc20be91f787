// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// Token buckets by key in a table of fixed size.
///
/// A bucket is one instant, the one at which it would be full again (the "theoretical arrival time" of the generic cell
/// rate algorithm, ITU-T I.371). A bucket that is full takes no room. Where there is no room for another one, the fullest
/// of a few makes way, so that whoever is refused most is remembered longest.
struct TokenBuckets {
    private struct Slot {
        var key: UInt64 = 0
        /// When the bucket is full, in nanoseconds.
        var full: UInt64 = 0
    }

    /// So many slots may hold a key.
    private static let ways = 8

    private let interval: UInt64
    private let capacity: UInt64
    private var slots: [Slot]

    /// Buckets that fill at a rate and hold a burst.
    ///
    /// - Parameters:
    ///   - interval: The time in which a token comes back.
    ///   - burst: The tokens of a full bucket, at least 1.
    ///   - size: The most buckets that are remembered; a power of two, at least 8. Each takes 16 bytes.
    init(interval: TimeAmount, burst: Int, size: Int = 1 << 16) {
        self.interval = UInt64(max(1, interval.nanoseconds))
        capacity = self.interval * UInt64(max(1, burst))
        slots = Array(repeating: Slot(), count: size)
    }

    /// Takes a token out of the bucket of a key.
    ///
    /// - Parameters:
    ///   - key: A hash that nobody outside can foresee.
    ///   - now: An instant that is never before that of another call.
    /// - Returns: nil where there was one, else the time until there is.
    mutating func take(_ key: UInt64, at now: NIODeadline) -> TimeAmount? {
        let now = now.uptimeNanoseconds
        let first = Int(truncatingIfNeeded: key) & (slots.count - 1) & ~(Self.ways - 1)
        var place = first
        for index in first..<first + Self.ways {
            if slots[index].key == key, slots[index].full > now {
                place = index
                break
            }
            if slots[index].full < slots[place].full { place = index }
        }
        let isKnown = slots[place].key == key && slots[place].full > now
        let full = (isKnown ? slots[place].full : now) + interval
        if full - now > capacity { return .nanoseconds(Int64(full - now - capacity)) }
        slots[place] = Slot(key: key, full: full)
        return nil
    }
}

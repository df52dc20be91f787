// SPDX-License-Identifier: Apache-2.0

/// Numbers that look random and derive from a seed (SplitMix64).
struct Randomness: RandomNumberGenerator {
    private var state: UInt64

    /// The sequence of some numbers, such as a seed, a cluster and a line.
    init(_ numbers: UInt64...) {
        state = 0
        for number in numbers {
            state = next() ^ number
        }
    }

    /// The next number.
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// A number from 0 up to a limit, cheap and even enough for a load.
    mutating func below(_ limit: Int) -> Int {
        Int(truncatingIfNeeded: next().multipliedFullWidth(by: UInt64(limit)).high)
    }

    /// Appends a random identifier in the form of a UUID (version 4), 36 bytes.
    mutating func appendUUID(to bytes: inout [UInt8]) {
        let halves = (next() & 0xffff_ffff_ffff_0fff | 0x4000, next() & 0x3fff_ffff_ffff_ffff | 0x8000_0000_0000_0000)
        Self.append(halves.0, from: 60, through: 32, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        Self.append(halves.0, from: 28, through: 16, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        Self.append(halves.0, from: 12, through: 0, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        Self.append(halves.1, from: 60, through: 48, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        Self.append(halves.1, from: 44, through: 0, to: &bytes)
    }

    /// Appends the hexadecimal digits of some bits.
    private static func append(_ number: UInt64, from high: UInt64, through low: UInt64, to bytes: inout [UInt8]) {
        var shift = high
        while true {
            let digit = UInt8(truncatingIfNeeded: (number >> shift) & 0xf)
            bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") - 10 + digit)
            if shift == low { return }
            shift -= 4
        }
    }
}

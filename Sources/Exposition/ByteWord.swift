// SPDX-License-Identifier: Apache-2.0

/// Eight bytes looked at together, the first one in the lowest bits.
///
/// The tests answer with a mask in which the top bit of each byte that passes is set. Additions are done on seven
/// bits, so that no byte carries into the next.
struct ByteWord {
    /// The eight bytes.
    let bits: UInt64

    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let tops: UInt64 = 0x8080_8080_8080_8080

    /// Loads the eight bytes from an offset on; the caller has seen that they exist.
    @inline(__always)
    init(_ bytes: Span<UInt8>, at offset: Int) {
        // Unchecked because the callers' loops compare offset + 8 to the count; the checked form costs a second test.
        bits = UInt64(littleEndian: bytes.bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self))
    }

    /// The bytes that are not ASCII.
    @inline(__always)
    var nonASCII: UInt64 { bits & Self.tops }

    /// The bytes up to the first that equals one of three; above the first one the mask may be wrong.
    @inline(__always)
    func first(of a: UInt8, _ b: UInt8, _ c: UInt8) -> UInt64 {
        (zeroes(bits ^ Self.ones &* UInt64(a)) | zeroes(bits ^ Self.ones &* UInt64(b))
            | zeroes(bits ^ Self.ones &* UInt64(c))) & Self.tops
    }

    /// The bytes that cannot stand in a name.
    @inline(__always)
    func outsideName(colon: Bool) -> UInt64 {
        let low = bits & ~Self.tops
        let letters = inRange(low | Self.ones &* 0x20, UInt8(ascii: "a"), UInt8(ascii: "z"))
        // ':' follows '9' in ASCII.
        let digits = inRange(low, UInt8(ascii: "0"), colon ? UInt8(ascii: ":") : UInt8(ascii: "9"))
        let underscores = inRange(low, UInt8(ascii: "_"), UInt8(ascii: "_"))
        return (~(letters | digits | underscores) | bits) & Self.tops
    }

    /// The index of the first byte in a mask that is not zero.
    @inline(__always)
    static func index(_ mask: UInt64) -> Int { mask.trailingZeroBitCount >> 3 }

    /// The bits below the first byte in a mask.
    @inline(__always)
    static func below(_ mask: UInt64) -> UInt64 { (mask & (0 &- mask)) &- 1 }

    /// Exact up to the first zero byte; a borrow can mark bytes above it.
    @inline(__always)
    private func zeroes(_ word: UInt64) -> UInt64 { (word &- Self.ones) & ~word }

    /// The bytes within a closed range, for words without top bits.
    @inline(__always)
    private func inRange(_ low: UInt64, _ first: UInt8, _ last: UInt8) -> UInt64 {
        (low &+ Self.ones &* UInt64(0x80 - first)) & ~(low &+ Self.ones &* UInt64(0x7f - last))
    }
}

extension Span<UInt8> {
    /// The end of the run of name bytes that begins here; whether it begins with a digit is not looked at.
    @inline(__always)
    func endOfName(from start: Int, colon: Bool) -> Int {
        var offset = start
        while count - offset >= 8 {
            let outside = ByteWord(self, at: offset).outsideName(colon: colon)
            if outside != 0 { return offset + ByteWord.index(outside) }
            offset += 8
        }
        while offset < count, self[offset].continuesName(colon: colon) { offset += 1 }
        return offset
    }

    /// The next quote, backslash or newline, else the end; and whether a byte before it is not ASCII.
    @inline(__always)
    func endOfPlainText(from start: Int) -> (end: Int, isASCII: Bool) {
        var offset = start
        var nonASCII: UInt64 = 0
        while count - offset >= 8 {
            let word = ByteWord(self, at: offset)
            let found = word.first(of: Byte.quote, Byte.backslash, Byte.newline)
            if found != 0 {
                nonASCII |= word.nonASCII & ByteWord.below(found)
                return (offset + ByteWord.index(found), nonASCII == 0)
            }
            nonASCII |= word.nonASCII
            offset += 8
        }
        while offset < count {
            let byte = self[offset]
            if byte == Byte.quote || byte == Byte.backslash || byte == Byte.newline { break }
            nonASCII |= UInt64(byte & 0x80)
            offset += 1
        }
        return (offset, nonASCII == 0)
    }
}

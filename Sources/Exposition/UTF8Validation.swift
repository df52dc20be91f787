// SPDX-License-Identifier: Apache-2.0

extension Span<UInt8> {
    /// The offset of the first byte in a range that begins no well-formed sequence (Unicode 17, table 3-7), or nil.
    func firstInvalidUTF8(in range: Range<Int>) -> Int? {
        var offset = range.lowerBound
        while offset < range.upperBound {
            if self[offset] < 0x80 {
                offset += 1
                continue
            }
            guard let length = sequenceLength(at: offset, before: range.upperBound) else { return offset }
            offset += length
        }
        return nil
    }

    /// The length of the well-formed sequence of two to four bytes at an offset, or nil.
    private func sequenceLength(at offset: Int, before end: Int) -> Int? {
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xbf
        switch self[offset] {
        case 0xc2...0xdf: length = 2
        case 0xe0...0xef: length = 3
        case 0xf0...0xf4: length = 4
        default: return nil
        }
        // The second byte rules out overlong forms, surrogates and what is past U+10FFFF.
        switch self[offset] {
        case 0xe0: second = 0xa0...0xbf
        case 0xed: second = 0x80...0x9f
        case 0xf0: second = 0x90...0xbf
        case 0xf4: second = 0x80...0x8f
        default: break
        }
        guard end - offset >= length, second.contains(self[offset + 1]) else { return nil }
        for index in 2..<max(length, 2) where !(0x80...0xbf).contains(self[offset + index]) { return nil }
        return length
    }
}

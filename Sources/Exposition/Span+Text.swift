// SPDX-License-Identifier: Apache-2.0

extension Span<UInt8> {
    /// The bytes of a range as text; the parser's ranges are valid UTF-8.
    public func text(_ range: Range<Int>) -> String {
        // The pointer lives within the closure only, in which the string makes its copy.
        extracting(range).withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
    }

    /// The bytes of a range as text, the escapes `\\`, `\"` and `\n` replaced by what they stand for.
    public func unescaped(_ range: Range<Int>) -> String {
        var plain: [UInt8] = []
        plain.reserveCapacity(range.count)
        var position = range.lowerBound
        while position < range.upperBound {
            if self[position] == Byte.backslash, position + 1 < range.upperBound {
                position += 1
                plain.append(self[position] == Byte.n ? Byte.newline : self[position])
            } else {
                plain.append(self[position])
            }
            position += 1
        }
        return String(decoding: plain, as: UTF8.self)
    }

    /// What a label's value means.
    public func value(of label: LabelToken) -> String {
        label.isEscaped ? unescaped(label.value) : text(label.value)
    }

    /// Whether the bytes of a range are exactly this text; makes no string.
    @inline(__always)
    public func equals(_ range: Range<Int>, _ text: StaticString) -> Bool {
        // The pointer lives within the closure only; indices stay below both counts.
        text.withUTF8Buffer { letters in
            letters.count == range.count
                && letters.indices.allSatisfy { self[range.lowerBound + $0] == letters[$0] }
        }
    }

    /// Whether the bytes of a range are exactly this text; makes no string.
    public func equals(_ range: Range<Int>, _ text: String.UTF8View) -> Bool {
        guard range.count == text.count else { return false }
        var position = range.lowerBound
        for byte in text {
            if self[position] != byte { return false }
            position += 1
        }
        return true
    }
}

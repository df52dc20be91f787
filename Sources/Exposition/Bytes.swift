// SPDX-License-Identifier: Apache-2.0

/// The bytes the format gives a meaning.
enum Byte {
    static let tab = UInt8(ascii: "\t")
    static let newline = UInt8(ascii: "\n")
    static let carriageReturn = UInt8(ascii: "\r")
    static let space = UInt8(ascii: " ")
    static let quote = UInt8(ascii: "\"")
    static let backslash = UInt8(ascii: "\\")
    static let hash = UInt8(ascii: "#")
    static let comma = UInt8(ascii: ",")
    static let equals = UInt8(ascii: "=")
    static let openBrace = UInt8(ascii: "{")
    static let closeBrace = UInt8(ascii: "}")
    static let n = UInt8(ascii: "n")
}

extension UInt8 {
    /// Whether this is an ASCII digit.
    @inline(__always)
    var isDigit: Bool { self &- UInt8(ascii: "0") < 10 }

    /// Whether this is a blank or a tab.
    @inline(__always)
    var isBlank: Bool { self == Byte.space || self == Byte.tab }

    /// Whether a token cannot go on with this byte.
    @inline(__always)
    var endsToken: Bool { isBlank || self == Byte.newline || self == Byte.carriageReturn }

    /// Whether a name can go on with this byte: letters, digits, `_`, in metric names `:`.
    @inline(__always)
    func continuesName(colon: Bool) -> Bool {
        (self | 0x20) &- UInt8(ascii: "a") < 26 || isDigit || self == UInt8(ascii: "_")
            || (colon && self == UInt8(ascii: ":"))
    }
}

extension Span<UInt8> {
    /// The byte at an offset, or nil past the end.
    @inline(__always)
    func byte(at offset: Int) -> UInt8? { offset < count ? self[offset] : nil }

    /// The first offset from here on that holds neither a blank nor a tab.
    @inline(__always)
    func endOfBlanks(from start: Int) -> Int {
        var offset = start
        while offset < count, self[offset].isBlank { offset += 1 }
        return offset
    }

    /// The end of the token that begins here: the next white space, or the end.
    func endOfToken(from start: Int) -> Int {
        var offset = start
        while offset < count, !self[offset].endsToken { offset += 1 }
        return offset
    }

    /// Where the next line begins if this one ends here (LF, CR LF or the end of the input), else nil.
    @inline(__always)
    func nextLine(ifEndedAt offset: Int) -> Int? {
        guard offset < count else { return offset }
        if self[offset] == Byte.newline { return offset + 1 }
        let isCRLF = self[offset] == Byte.carriageReturn && byte(at: offset + 1) == Byte.newline
        return isCRLF ? offset + 2 : nil
    }

    /// Whether the bytes of two ranges are equal.
    @inline(__always)
    func equal(_ left: Range<Int>, _ right: Range<Int>) -> Bool {
        guard left.count == right.count else { return false }
        var (a, b) = (left.lowerBound, right.lowerBound)
        while a < left.upperBound {
            if self[a] != self[b] { return false }
            (a, b) = (a + 1, b + 1)
        }
        return true
    }
}

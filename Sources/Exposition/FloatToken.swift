// SPDX-License-Identifier: Apache-2.0

/// A token read as a float, by the grammar of Go's `strconv.ParseFloat` without underscores.
enum FloatToken: Equatable {
    /// The nearest float, ties to even.
    case value(Double)
    /// Not a float.
    case illegal
    /// Beyond the largest float.
    case outOfRange

    /// Reads the bytes of a range.
    init(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        var scanner = FloatScanner(range)
        scanner.sign(bytes)
        if let special = scanner.special(bytes, range) {
            self = .value(special)
        } else if scanner.number(bytes) {
            self = scanner.exactValue.map(Self.value) ?? Self.converted(bytes, range)
        } else {
            self = .illegal
        }
    }

    /// What the standard library makes of a legal number; it rounds correctly and knows no locale.
    private static func converted(_ bytes: Span<UInt8>, _ range: Range<Int>) -> FloatToken {
        guard let value = Double(bytes.text(range)) else { return .illegal }
        return value.isInfinite ? .outOfRange : .value(value)
    }
}

/// Walks over a token and keeps what is needed to convert the common decimals exactly.
private struct FloatScanner {
    private var offset: Int
    private let end: Int
    private var isNegative = false
    private var isHex = false
    private var mantissa: UInt64 = 0
    private var digits = 0
    private var fractionDigits = 0
    private var exponent = 0

    init(_ range: Range<Int>) {
        (offset, end) = (range.lowerBound, range.upperBound)
    }

    /// The powers of ten that a `Double` holds exactly.
    private static let powersOfTen: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
        1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    ]

    /// The value where one operation on exact operands gives it, so that it is rounded once (Clinger 1990).
    var exactValue: Double? {
        let power = exponent - fractionDigits
        guard !isHex, digits <= 19, mantissa <= 1 << 53, abs(power) <= 22 else { return nil }
        let factor = Self.powersOfTen[abs(power)]
        let magnitude = power < 0 ? Double(mantissa) / factor : Double(mantissa) * factor
        return isNegative ? -magnitude : magnitude
    }

    /// Takes an optional sign.
    mutating func sign(_ bytes: Span<UInt8>) {
        isNegative = take(bytes, "-")
        if !isNegative { _ = take(bytes, "+") }
    }

    /// The infinities and NaN, in any case of letters; NaN bears no sign.
    func special(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Double? {
        if bytes.equalsIgnoringCase(offset..<end, "inf") || bytes.equalsIgnoringCase(offset..<end, "infinity") {
            return isNegative ? -.infinity : .infinity
        }
        return bytes.equalsIgnoringCase(range, "nan") ? .nan : nil
    }

    /// Takes a mantissa and an exponent, and tells whether they are legal and nothing is left.
    mutating func number(_ bytes: Span<UInt8>) -> Bool {
        let start = offset
        isHex = take(bytes, "0") && take(bytes, "x")
        if !isHex { offset = start }
        takeDigits(bytes)
        if take(bytes, ".") {
            let whole = digits
            takeDigits(bytes)
            fractionDigits = digits - whole
        }
        guard digits > 0 else { return false }
        if take(bytes, isHex ? "p" : "e") {
            guard takeExponent(bytes) else { return false }
        } else if isHex {
            return false
        }
        return offset == end
    }

    /// Takes one character, small or capital.
    private mutating func take(_ bytes: Span<UInt8>, _ character: Unicode.Scalar) -> Bool {
        guard offset < end, bytes[offset] | 0x20 == UInt8(ascii: character) | 0x20 else { return false }
        // The two signs and the point have no capital; they must match as they are.
        guard bytes[offset] >= 0x40 || bytes[offset] == UInt8(ascii: character) else { return false }
        offset += 1
        return true
    }

    /// Takes the digits there are, decimal or hex.
    ///
    /// The mantissa is right for up to 19 decimal digits.
    private mutating func takeDigits(_ bytes: Span<UInt8>) {
        while offset < end {
            let byte = bytes[offset]
            if byte.isDigit {
                mantissa = mantissa &* 10 &+ UInt64(byte &- UInt8(ascii: "0"))
            } else if !isHex || (byte | 0x20) &- UInt8(ascii: "a") >= 6 {
                return
            }
            digits += 1
            offset += 1
        }
    }

    /// Takes a sign and at least one digit.
    ///
    /// The exponent stays out of the exact range once it has left it.
    private mutating func takeExponent(_ bytes: Span<UInt8>) -> Bool {
        let isBelowOne = take(bytes, "-")
        if !isBelowOne { _ = take(bytes, "+") }
        let start = offset
        while offset < end, bytes[offset].isDigit {
            exponent = min(exponent * 10 + Int(bytes[offset] &- UInt8(ascii: "0")), 1_000_000)
            offset += 1
        }
        if isBelowOne { exponent = -exponent }
        return offset > start
    }
}

extension Span<UInt8> {
    /// Whether the bytes of a range are this word of small ASCII letters, in any case.
    fileprivate func equalsIgnoringCase(_ range: Range<Int>, _ word: StaticString) -> Bool {
        // The pointer lives within the closure only; indices stay below both counts.
        word.withUTF8Buffer { letters in
            letters.count == range.count
                && letters.indices.allSatisfy { self[range.lowerBound + $0] | 0x20 == letters[$0] }
        }
    }
}

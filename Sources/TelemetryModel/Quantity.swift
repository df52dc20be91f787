// SPDX-License-Identifier: Apache-2.0

/// An amount of a resource as Kubernetes writes it: `5Gi`, `5G`, `1.5Ti`, `128974848000m`, `1e10`.
///
/// Exact down to 10⁻⁹; a finer fraction is rounded away from zero and a magnitude over 2⁶³ − 1 is capped there, as
/// `k8s.io/apimachinery/pkg/api/resource` documents it.
public struct Quantity: Hashable, Comparable, Sendable {
    /// The amount in billionths.
    public let nanos: Int128

    /// Reads a quantity, or nil where the text is not one.
    public init?(_ text: some StringProtocol) {
        var scanner = QuantityScanner(text.utf8)
        guard let nanos = scanner.nanos() else { return nil }
        self.nanos = nanos
    }

    /// The amount in whole units, a fraction left out (towards zero).
    public var roundedDown: Int64 { Int64(nanos / Self.billion) }

    /// The amount in whole units, a fraction counted as one more (away from zero).
    public var roundedUp: Int64 {
        let (whole, rest) = nanos.quotientAndRemainder(dividingBy: Self.billion)
        return Int64(whole + rest.signum())
    }

    /// Smaller amounts come first.
    public static func < (left: Self, right: Self) -> Bool { left.nanos < right.nanos }

    /// Billionths in a unit.
    fileprivate static let billion: Int128 = 1_000_000_000

    /// The largest magnitude, in billionths.
    fileprivate static let limit = UInt128(Int64.max) * 1_000_000_000
}

/// Reads the digits, the point and the suffix of a quantity into billionths.
private struct QuantityScanner {
    /// What is left to read.
    private var rest: ArraySlice<UInt8>
    /// The significant digits read so far; at most 38 fit.
    private var digits: UInt128 = 0
    /// The power of ten that `digits` is to be multiplied by.
    private var exponent = 0
    /// Whether a digit other than zero did not fit any more.
    private var isTruncated = false

    init(_ text: some Sequence<UInt8>) {
        rest = Array(text)[...]
    }

    /// The whole text as billionths, or nil where it is not a quantity.
    mutating func nanos() -> Int128? {
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
        let whole = scanDigits(afterPoint: false)
        var fraction = 0
        if rest.first == UInt8(ascii: ".") {
            rest.removeFirst()
            fraction = scanDigits(afterPoint: true)
        }
        guard whole + fraction > 0, let suffix = scanSuffix() else { return nil }
        let magnitude = scaled(by: suffix)
        return isNegative ? -Int128(magnitude) : Int128(magnitude)
    }

    /// Takes digits into the number and says how many there were.
    private mutating func scanDigits(afterPoint: Bool) -> Int {
        var count = 0
        while let byte = rest.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
            rest.removeFirst()
            count += 1
            let digit = UInt128(byte - UInt8(ascii: "0"))
            let (product, overflow) = digits.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(digit)
            if overflow || carry {
                isTruncated = isTruncated || digit != 0
                if !afterPoint { exponent += 1 }
            } else {
                digits = sum
                if afterPoint { exponent -= 1 }
            }
        }
        return count
    }

    /// The suffix as powers of two and ten; nil where the rest is no suffix.
    private mutating func scanSuffix() -> (two: Int, ten: Int)? {
        // Strings are equal by canonical equivalence, where U+212A KELVIN SIGN is a K.
        guard rest.allSatisfy({ $0 < 0x80 }) else { return nil }
        let text = String(decoding: rest, as: UTF8.self)
        if let power = Self.suffixes[text] { return power }
        guard text.first == "e" || text.first == "E" else { return nil }
        let number = text.dropFirst()
        let digits = number.drop { $0 == "+" || $0 == "-" }
        guard number.count - digits.count <= 1, (1...9).contains(digits.count) else { return nil }
        return Int(number).map { (two: 0, ten: $0) }
    }

    /// The number times its suffix in billionths, rounded up and capped.
    private mutating func scaled(by suffix: (two: Int, ten: Int)) -> UInt128 {
        guard digits > 0 else { return 0 }
        var ten = exponent + suffix.ten + 9
        guard ten <= (suffix.two == 0 ? 38 : 9) else { return Quantity.limit }
        let digits = significantDigits(raising: &ten)
        guard digits > 0 else { return 1 }
        let factor = power(of: 10, max(ten, 0)) << UInt128(suffix.two)
        let (high, low) = digits.multipliedFullWidth(by: factor)
        let divisor = power(of: 10, max(-ten, 0))
        guard high < divisor else { return Quantity.limit }
        let (quotient, remainder) = divisor.dividingFullWidth((high, low))
        let isExact = remainder == 0 && !isTruncated
        return min(isExact ? quotient : quotient + 1, Quantity.limit)
    }

    /// The digits, without those at the end that a power of ten below −38 takes away.
    private mutating func significantDigits(raising ten: inout Int) -> UInt128 {
        var digits = digits
        while ten < -38, digits > 0 {
            isTruncated = isTruncated || digits % 10 != 0
            (digits, ten) = (digits / 10, ten + 1)
        }
        return digits
    }

    /// A power of a small base; the caller keeps it below 2¹²⁸.
    private func power(of base: UInt128, _ exponent: Int) -> UInt128 {
        (0..<exponent).reduce(1) { product, _ in product * base }
    }

    /// The suffixes of the documentation of `Quantity` in Kubernetes.
    private static let suffixes: [String: (two: Int, ten: Int)] = [
        "n": (0, -9), "u": (0, -6), "m": (0, -3), "": (0, 0), "k": (0, 3), "M": (0, 6), "G": (0, 9),
        "T": (0, 12), "P": (0, 15), "E": (0, 18),
        "Ki": (10, 0), "Mi": (20, 0), "Gi": (30, 0), "Ti": (40, 0), "Pi": (50, 0), "Ei": (60, 0),
    ]
}

// SPDX-License-Identifier: Apache-2.0

extension Double {
    /// The shortest text that reads back as this number; all NaNs read back as one.
    public var expositionText: String {
        if isNaN { return "NaN" }
        if isInfinite { return self < 0 ? "-Inf" : "+Inf" }
        if self == 0 { return sign == .minus ? "-0" : "0" }
        // Up to 2^53 every whole number is exact.
        if magnitude <= 0x1p53, rounded(.towardZero) == self { return String(Int64(self)) }
        return description
    }
}

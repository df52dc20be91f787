// SPDX-License-Identifier: Apache-2.0

/// Numbers and texts as few bytes: unsigned LEB128, seven bits a byte, the lowest first.
struct ByteWriter {
    private(set) var bytes: [UInt8] = []

    init() {
        bytes.reserveCapacity(96)
    }

    /// A number that is not negative in few bytes; a negative one takes ten.
    mutating func write(_ number: Int64) {
        write(bits: UInt64(bitPattern: number))
    }

    /// A number of either sign, small ones in few bytes (zigzag).
    mutating func write(signed number: Int128) {
        write(bits: UInt128(bitPattern: (number << 1) ^ (number >> 127)))
    }

    private mutating func write<Number: FixedWidthInteger & UnsignedInteger>(bits: Number) {
        var rest = bits
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// Eight bytes, the highest first.
    mutating func write(raw number: UInt64) {
        for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: number >> shift)) }
    }

    /// A text with its length before it.
    mutating func write(_ text: String) {
        write(Int64(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }

    /// Numbers in ascending order, each as the distance from the one before.
    mutating func write(ascending numbers: [Int]) {
        write(Int64(numbers.count))
        var previous = 0
        for number in numbers {
            write(Int64(number - previous))
            previous = number
        }
    }
}

/// Reads what `ByteWriter` wrote; nil where the bytes are not that.
struct ByteReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Whether everything was read.
    var isAtEnd: Bool { position == bytes.count }

    /// A number as `write(_:)` wrote it.
    mutating func number() -> Int64? {
        bits(UInt64.self).map(Int64.init(bitPattern:))
    }

    /// A number as `write(signed:)` wrote it.
    mutating func signedNumber() -> Int128? {
        bits(UInt128.self).map { Int128(bitPattern: $0 >> 1) ^ -Int128(bitPattern: $0 & 1) }
    }

    /// Seven bits a byte, the lowest first, up to a byte below 128.
    private mutating func bits<Number: FixedWidthInteger & UnsignedInteger>(_: Number.Type) -> Number? {
        var number: Number = 0
        var shift = 0
        while position < bytes.count, shift < Number.bitWidth {
            let byte = bytes[position]
            position += 1
            number |= Number(byte & 0x7f) << shift
            if byte < 0x80 { return number }
            shift += 7
        }
        return nil
    }

    /// Eight bytes as `write(raw:)` wrote them.
    mutating func rawNumber() -> UInt64? {
        guard bytes.count - position >= 8 else { return nil }
        defer { position += 8 }
        return bytes[position..<position + 8].reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// A text as `write(_:)` wrote it.
    mutating func text() -> String? {
        guard let length = number(), length >= 0, length <= bytes.count - position else { return nil }
        defer { position += Int(length) }
        return String(decoding: bytes[position..<position + Int(length)], as: UTF8.self)
    }

    /// Numbers as `write(ascending:)` wrote them; none is negative.
    mutating func ascendingNumbers() -> [Int]? {
        guard let count = number(), count >= 0, count <= bytes.count - position else { return nil }
        var numbers: [Int] = []
        numbers.reserveCapacity(Int(count))
        var previous = 0
        for _ in 0..<count {
            guard let distance = number(), distance >= 0 else { return nil }
            previous &+= Int(distance)
            guard previous >= 0 else { return nil }
            numbers.append(previous)
        }
        return numbers
    }
}

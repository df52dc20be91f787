// SPDX-License-Identifier: Apache-2.0

/// Numbers and texts as few bytes: unsigned LEB128, seven bits a byte, the lowest first.
struct ByteWriter {
    private(set) var bytes: [UInt8] = []

    init() {
        bytes.reserveCapacity(96)
    }

    /// A number that is not negative in few bytes; a negative one takes ten.
    mutating func write(_ number: Int64) {
        var rest = UInt64(bitPattern: number)
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// A number of either sign, small ones in few bytes (zigzag).
    mutating func write(signed number: Int128) {
        var rest = UInt128(bitPattern: (number << 1) ^ (number >> 127))
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
        var number: UInt64 = 0
        var shift: UInt64 = 0
        while position < bytes.count, shift < 64 {
            let byte = bytes[position]
            position += 1
            number |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return Int64(bitPattern: number) }
            shift += 7
        }
        return nil
    }

    /// A number as `write(signed:)` wrote it.
    mutating func signedNumber() -> Int128? {
        var number: UInt128 = 0
        var shift: UInt128 = 0
        while position < bytes.count, shift < 128 {
            let byte = bytes[position]
            position += 1
            number |= UInt128(byte & 0x7f) << shift
            if byte < 0x80 { return Int128(bitPattern: number >> 1) ^ -Int128(bitPattern: number & 1) }
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

    /// Numbers as `write(ascending:)` wrote them.
    mutating func ascendingNumbers() -> [Int]? {
        guard let count = number(), count >= 0, count <= bytes.count - position else { return nil }
        var numbers: [Int] = []
        numbers.reserveCapacity(Int(count))
        var previous = 0
        for _ in 0..<count {
            guard let distance = number() else { return nil }
            previous &+= Int(distance)
            numbers.append(previous)
        }
        return numbers
    }
}

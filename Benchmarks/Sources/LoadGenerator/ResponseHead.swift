// SPDX-License-Identifier: Apache-2.0

/// What the head of an HTTP/1.1 response says about the response.
struct ResponseHead {
    /// The status.
    let status: Int
    /// The length of head and body together.
    let length: Int

    /// Reads a head, if it has come whole.
    ///
    /// - Parameter bytes: What has come so far.
    /// - Throws: `LoadError` for a response that is none, whose end is not told by Content-Length, or that is the last.
    init?(_ bytes: ArraySlice<UInt8>) throws {
        var start = bytes.startIndex
        var status: Int?
        var bodyLength: Int?
        while true {
            guard let end = Self.endOfLine(in: bytes, from: start) else { return nil }
            let line = bytes[start..<end]
            start = end + 2
            if line.isEmpty { break }
            if status == nil {
                status = try Self.status(of: line)
            } else if let value = Self.value(of: "content-length:", in: line) {
                bodyLength = Self.number(value)
            } else if Self.value(of: "transfer-encoding:", in: line) != nil {
                throw LoadError("a response with Transfer-Encoding, which this reader does not know")
            } else if let value = Self.value(of: "connection:", in: line), Self.value(of: "close", in: value) != nil {
                throw LoadError("the server closes the connection after a response")
            }
        }
        guard let status else { throw LoadError("a response without a status") }
        if status == 204 || status == 304 { bodyLength = 0 }
        guard let bodyLength else { throw LoadError("a response of status \(status) without Content-Length") }
        self.status = status
        length = start - bytes.startIndex + bodyLength
    }

    /// Where the line that begins at an index ends; nil if it has not come whole.
    private static func endOfLine(in bytes: ArraySlice<UInt8>, from start: Int) -> Int? {
        guard let end = bytes[start...].firstIndex(of: UInt8(ascii: "\r")), end + 1 < bytes.endIndex else { return nil }
        return end
    }

    private static func status(of line: ArraySlice<UInt8>) throws -> Int {
        guard let rest = value(of: "http/1.1 ", in: line), let status = number(rest.prefix(3)) else {
            throw LoadError("not an HTTP/1.1 response: \(String(decoding: line.prefix(100), as: UTF8.self))")
        }
        return status
    }

    /// What follows a lower-case prefix, whatever the case of the line, without spaces before it.
    private static func value(of prefix: StaticString, in line: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        let matches = prefix.withUTF8Buffer { prefix in
            line.count >= prefix.count && zip(line, prefix).allSatisfy { byte, expected in lowerCase(byte) == expected }
        }
        return matches ? line.dropFirst(prefix.utf8CodeUnitCount).drop { $0 == UInt8(ascii: " ") } : nil
    }

    private static func lowerCase(_ byte: UInt8) -> UInt8 {
        UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte ? byte | 0x20 : byte
    }

    /// The number that some digits are; nil where other bytes are among them.
    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        guard !digits.isEmpty, digits.count < 10 else { return nil }
        var number = 0
        for digit in digits {
            guard UInt8(ascii: "0")...UInt8(ascii: "9") ~= digit else { return nil }
            number = number * 10 + Int(digit - UInt8(ascii: "0"))
        }
        return number
    }
}

// SPDX-License-Identifier: Apache-2.0

import Foundation
import TelemetryModel

/// The chain of an audit log, line by line: makes the next one, and says of one that is there whether it follows.
struct AuditChain: Equatable {
    /// Why a line is not the next one.
    enum Break: Error, Equatable, CustomStringConvertible {
        case notALine
        case changed
        case doesNotFollow
        case outOfSequence(expected: Int)

        var description: String {
            switch self {
            case .notALine: "it is not a line of an audit log"
            case .changed: "its content is not what its hash was made of"
            case .doesNotFollow: "it does not follow the line before it: a line is missing, added or moved"
            case .outOfSequence(let expected): "its number is not \(expected)"
            }
        }
    }

    /// How many lines there are.
    private(set) var count = 0
    /// The hash of the last one.
    private(set) var last = AuditChain.start

    /// The hash that the first line follows.
    static let start = String(repeating: "0", count: 64)

    /// A chain without lines.
    init() {}

    /// A chain that goes on behind a line, which is believed to follow those before it.
    init(behind line: [UInt8]) throws(Break) {
        let read = try Self.read(line)
        (count, last) = (read.sequence, read.hash)
    }

    /// Takes a line that is there, without the newline.
    mutating func take(_ line: [UInt8]) throws(Break) -> AuditLine {
        let read = try Self.read(line)
        guard read.previous == last else { throw .doesNotFollow }
        guard read.sequence == count + 1 else { throw .outOfSequence(expected: count + 1) }
        (count, last) = (read.sequence, read.hash)
        return read
    }

    /// Makes the next line, without the newline.
    mutating func append(_ entry: AuditEntry, at instant: UTCInstant) -> [UInt8] {
        let line = AuditLine(
            decision: entry.decision,
            object: entry.object,
            operation: entry.operation,
            previous: last,
            reason: entry.reason,
            sequence: count + 1,
            time: instant.rfc3339,
            who: entry.who,
            hash: ""
        )
        let content = Array(Self.content(of: line).utf8)
        let hash = hexadecimal(sha256(content))
        (count, last) = (line.sequence, hash)
        return content + Array("\(Self.mark)\(hash)\"}".utf8)
    }

    /// The number that a line begins with, which is not verified; nil where it begins with none.
    static func number(of line: ArraySlice<UInt8>) -> Int? {
        let beginning = Array("{\"sequence\":".utf8)
        guard line.starts(with: beginning) else { return nil }
        let digits = line.dropFirst(beginning.count).prefix { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
        return Int(String(decoding: digits, as: UTF8.self))
    }

    private static let mark = ",\"hash\":\""
    /// Bytes of the mark, 64 digits, a quote and a brace.
    private static let tailLength = mark.utf8.count + 66

    /// Everything before the hash.
    private static func content(of line: AuditLine) -> String {
        var fields: [(String, String)] = [
            ("sequence", "\(line.sequence)"), ("time", quoted(line.time)), ("who", quoted(line.who)),
            ("operation", quoted(line.operation)),
        ]
        if let object = line.object { fields.append(("object", quoted(object))) }
        fields.append(("decision", quoted(line.decision.rawValue)))
        if let reason = line.reason { fields.append(("reason", quoted(reason))) }
        fields.append(("previous", quoted(line.previous)))
        return "{" + fields.map { "\"\($0)\":\($1)" }.joined(separator: ",")
    }

    /// A text as JSON has it (RFC 8259, 7), all but printable ASCII escaped, of 200 scalars at the most: a character has no
    /// largest size, and a line has.
    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for unit in String(String.UnicodeScalarView(text.unicodeScalars.prefix(200))).utf16 {
            switch unit {
            case 0x22, 0x5C: quoted += "\\" + String(UnicodeScalar(UInt8(unit)))
            case 0x20...0x7E: quoted += String(UnicodeScalar(UInt8(unit)))
            default:
                let digits = String(unit, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }
        }
        return quoted + "\""
    }

    private static func read(_ line: [UInt8]) throws(Break) -> AuditLine {
        guard line.count > tailLength, let read = try? JSONDecoder().decode(AuditLine.self, from: Data(line)) else {
            throw .notALine
        }
        let content = Array(line.dropLast(tailLength))
        guard Array(line.suffix(tailLength)) == Array("\(mark)\(hexadecimal(sha256(content)))\"}".utf8) else {
            throw .changed
        }
        return read
    }
}

// SPDX-License-Identifier: Apache-2.0

/// Reads the Prometheus text exposition format 0.0.4, a line at a time, from bytes that the caller holds.
///
/// The parser keeps a position and state, never the bytes: each call must be given the same ones. Where the format's
/// description leaves room, what Prometheus' own parsers take is legal: blanks and tabs around every token, none needed
/// after `}`, trailing commas.
public struct ExpositionParser: Sendable {
    /// The labels of the sample last returned, in the order of the line.
    public internal(set) var labels: [LabelToken] = []

    let limits: ExpositionLimits
    /// Where the next line begins.
    var offset = 0
    /// The current line, from 1.
    private var line = 0
    /// Where the current line begins.
    private(set) var lineStart = 0
    private var samples = 0
    /// The names that had a `# HELP`, a `# TYPE` or samples.
    var families = FamilyLedger()

    /// Makes a parser that stands before the first line.
    public init(limits: ExpositionLimits = .unlimited) {
        self.limits = limits
    }

    /// The next line that means something; blank lines and comments are read and skipped.
    ///
    /// - Parameter bytes: The whole exposition, the same at each call.
    /// - Returns: A line, or nil at the end and after an error.
    /// - Throws: `ExpositionError`, with the position and the reason. Too many bytes are reported at line 1, column 1.
    public mutating func next(in bytes: Span<UInt8>) throws(ExpositionError) -> Line? {
        do throws(ExpositionError) {
            return try meaningfulLine(in: bytes)
        } catch {
            offset = bytes.count
            throw error
        }
    }

    /// An error on the current line.
    func error(_ reason: ExpositionError.Reason, at offset: Int) -> ExpositionError {
        ExpositionError(line: line, column: offset - lineStart + 1, reason: reason)
    }

    /// Reads lines up to one that is neither blank nor a comment.
    private mutating func meaningfulLine(in bytes: Span<UInt8>) throws(ExpositionError) -> Line? {
        guard offset > 0 || bytes.count <= limits.bytes else {
            throw ExpositionError(line: 1, column: 1, reason: .tooManyBytes(limit: limits.bytes))
        }
        while offset < bytes.count {
            (line, lineStart) = (line + 1, offset)
            guard line <= limits.lines else { throw error(.tooManyLines(limit: limits.lines), at: offset) }
            let start = bytes.endOfBlanks(from: offset)
            if let next = bytes.nextLine(ifEndedAt: start) {
                offset = next
            } else if bytes[start] != Byte.hash {
                return .sample(try sample(in: bytes, at: start))
            } else if let line = try comment(in: bytes, at: start + 1) {
                return line
            }
        }
        return nil
    }

    // MARK: Samples

    /// `name [{labels}] value [timestamp]`, up to the end of the line.
    private mutating func sample(in bytes: Span<UInt8>, at start: Int) throws(ExpositionError) -> SampleToken {
        guard samples < limits.samples else { throw error(.tooManySamples(limit: limits.samples), at: start) }
        samples += 1
        labels.removeAll(keepingCapacity: true)
        let name = try metricName(in: bytes, at: start)
        var position = bytes.endOfBlanks(from: name.upperBound)
        if bytes.byte(at: position) == Byte.openBrace {
            position = bytes.endOfBlanks(from: try readLabels(in: bytes, from: position + 1))
        }
        let valueStart = position
        let value = try readValue(in: bytes, at: &position)
        let timestamp = try readTimestamp(in: bytes, at: &position)
        families.sawSample(of: name, in: bytes)
        offset = position
        return SampleToken(
            name: name,
            value: value,
            valueStart: valueStart,
            timestamp: timestamp,
            line: line,
            lineStart: lineStart
        )
    }

    /// The metric name that begins here.
    func metricName(in bytes: Span<UInt8>, at start: Int) throws(ExpositionError) -> Range<Int> {
        let end = bytes.endOfName(from: start, colon: true)
        guard end > start, !bytes[start].isDigit else { throw error(.illegalMetricName, at: start) }
        guard end - start <= limits.nameLength else {
            throw error(.nameTooLong(limit: limits.nameLength), at: start)
        }
        return start..<end
    }

    /// The value, leaving the position behind it.
    @inline(__always)
    private func readValue(in bytes: Span<UInt8>, at position: inout Int) throws(ExpositionError) -> Double {
        let start = position
        var whole: UInt64 = 0
        // Counts are the rule: up to 15 digits are exact in an integer and in a float.
        while position < bytes.count, position - start < 15, bytes[position].isDigit {
            whole = whole &* 10 &+ UInt64(bytes[position] &- UInt8(ascii: "0"))
            position += 1
        }
        if position > start, bytes.byte(at: position)?.endsToken ?? true { return Double(whole) }
        return try readFloat(in: bytes, from: start, end: &position)
    }

    /// Any float.
    private func readFloat(
        in bytes: Span<UInt8>,
        from start: Int,
        end position: inout Int
    ) throws(ExpositionError) -> Double {
        position = bytes.endOfToken(from: start)
        guard position > start else { throw error(.missingValue, at: start) }
        switch FloatToken(bytes, start..<position) {
        case .value(let value): return value
        case .illegal: throw error(.illegalValue, at: start)
        case .outOfRange: throw error(.valueOutOfRange, at: start)
        }
    }

    /// The timestamp if there is one, leaving the position at the next line.
    @inline(__always)
    private func readTimestamp(in bytes: Span<UInt8>, at position: inout Int) throws(ExpositionError) -> Int64? {
        position = bytes.endOfBlanks(from: position)
        if let next = bytes.nextLine(ifEndedAt: position) {
            position = next
            return nil
        }
        return try readInteger(in: bytes, at: &position)
    }

    /// A signed integer that ends the line, leaving the position at the next one.
    private func readInteger(in bytes: Span<UInt8>, at position: inout Int) throws(ExpositionError) -> Int64 {
        let start = position
        let isNegative = bytes[start] == UInt8(ascii: "-")
        let digits = isNegative || bytes[start] == UInt8(ascii: "+") ? start + 1 : start
        let end = bytes.endOfToken(from: start)
        guard digits < end else { throw error(.junkAfterValue, at: start) }
        for index in digits..<end where !bytes[index].isDigit { throw error(.junkAfterValue, at: start) }
        guard let value = bytes.integer(digits..<end, isNegative: isNegative) else {
            throw error(.timestampOutOfRange, at: start)
        }
        position = bytes.endOfBlanks(from: end)
        guard let next = bytes.nextLine(ifEndedAt: position) else { throw error(.junkAfterValue, at: position) }
        position = next
        return value
    }
}

extension Span<UInt8> {
    /// The integer of a range that holds digits only, or nil if 64 bits do not hold it.
    fileprivate func integer(_ digits: Range<Int>, isNegative: Bool) -> Int64? {
        var value: Int64 = 0
        for index in digits {
            let digit = Int64(self[index] &- UInt8(ascii: "0"))
            let (product, tooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflow) = product.addingReportingOverflow(isNegative ? -digit : digit)
            guard !tooLarge, !overflow else { return nil }
            value = sum
        }
        return value
    }
}

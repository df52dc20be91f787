// SPDX-License-Identifier: Apache-2.0

extension ExpositionParser {
    /// Labels from behind the opening brace on, into `labels`; returns the offset behind the closing one.
    mutating func readLabels(in bytes: Span<UInt8>, from start: Int) throws(ExpositionError) -> Int {
        var position = start
        var names = LabelNames()
        while true {
            position = bytes.endOfBlanks(from: position)
            let next = bytes.byte(at: position)
            if next == Byte.closeBrace { return position + 1 }
            try refuseEndOfLine(in: bytes, at: position)
            position = bytes.endOfBlanks(from: try readLabel(in: bytes, at: position, names: &names))
            switch bytes.byte(at: position) {
            case Byte.comma: position += 1
            case Byte.closeBrace: return position + 1
            default:
                try refuseEndOfLine(in: bytes, at: position)
                throw error(.missingComma, at: position)
            }
        }
    }

    /// A line that ends within the braces is an error of its own.
    @inline(__always)
    private func refuseEndOfLine(in bytes: Span<UInt8>, at position: Int) throws(ExpositionError) {
        if bytes.nextLine(ifEndedAt: position) != nil { throw error(.unterminatedLabels, at: position) }
    }

    /// `name="value"`; returns the offset behind the closing quote.
    @inline(__always)
    private mutating func readLabel(
        in bytes: Span<UInt8>,
        at start: Int,
        names: inout LabelNames
    ) throws(ExpositionError) -> Int {
        guard labels.count < limits.labelsPerSample else {
            throw error(.tooManyLabels(limit: limits.labelsPerSample), at: start)
        }
        let name = try labelName(in: bytes, at: start)
        guard names.isNew(name, among: labels, in: bytes) else { throw error(.duplicateLabelName, at: start) }
        let equals = bytes.endOfBlanks(from: name.upperBound)
        guard bytes.byte(at: equals) == Byte.equals else { throw error(.missingEquals, at: equals) }
        let quote = bytes.endOfBlanks(from: equals + 1)
        guard bytes.byte(at: quote) == Byte.quote else { throw error(.missingQuote, at: quote) }
        let value = try labelValue(in: bytes, from: quote + 1)
        labels.append(LabelToken(name: name, value: value.range, isEscaped: value.isEscaped))
        return value.range.upperBound + 1
    }

    /// The label name that begins here.
    @inline(__always)
    private func labelName(in bytes: Span<UInt8>, at start: Int) throws(ExpositionError) -> Range<Int> {
        let end = bytes.endOfName(from: start, colon: false)
        guard end > start, !bytes[start].isDigit else { throw error(.illegalLabelName, at: start) }
        guard end - start <= limits.nameLength else {
            throw error(.nameTooLong(limit: limits.nameLength), at: start)
        }
        if bytes.equals(start..<end, "__name__") { throw error(.reservedLabelName, at: start) }
        return start..<end
    }

    /// The bytes up to the closing quote.
    @inline(__always)
    private func labelValue(
        in bytes: Span<UInt8>,
        from start: Int
    ) throws(ExpositionError) -> (range: Range<Int>, isEscaped: Bool) {
        var (position, isASCII) = bytes.endOfPlainText(from: start)
        var isEscaped = false
        while bytes.byte(at: position) == Byte.backslash {
            guard let escaped = bytes.byte(at: position + 1) else { break }
            guard escaped == Byte.backslash || escaped == Byte.quote || escaped == Byte.n else {
                throw error(.illegalEscape, at: position)
            }
            let more = bytes.endOfPlainText(from: position + 2)
            (position, isASCII, isEscaped) = (more.end, isASCII && more.isASCII, true)
        }
        guard bytes.byte(at: position) == Byte.quote else { throw error(.unterminatedQuotes, at: start - 1) }
        guard position - start <= limits.valueLength else {
            throw error(.valueTooLong(limit: limits.valueLength), at: start)
        }
        if !isASCII, let invalid = bytes.firstInvalidUTF8(in: start..<position) {
            throw error(.invalidUTF8, at: invalid)
        }
        return (start..<position, isEscaped)
    }
}

/// Tells whether a label name is new in its sample: by comparing for a few labels, by hashing for many.
private struct LabelNames {
    private var seen: Set<String> = []

    /// Above this many labels comparing each with each would cost more than a set.
    private static let comparedAtMost = 16

    @inline(__always)
    mutating func isNew(_ name: Range<Int>, among labels: [LabelToken], in bytes: Span<UInt8>) -> Bool {
        guard labels.count < Self.comparedAtMost else { return insert(name, among: labels, in: bytes) }
        for label in labels where bytes.equal(label.name, name) { return false }
        return true
    }

    /// Fills the set on the first call, then adds to it.
    private mutating func insert(_ name: Range<Int>, among labels: [LabelToken], in bytes: Span<UInt8>) -> Bool {
        if seen.isEmpty { seen = Set(labels.map { bytes.text($0.name) }) }
        return seen.insert(bytes.text(name)).inserted
    }
}

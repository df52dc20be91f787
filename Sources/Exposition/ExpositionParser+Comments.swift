// SPDX-License-Identifier: Apache-2.0

extension ExpositionParser {
    /// A line that begins with `#`, read from behind it; nil if it is a plain comment.
    mutating func comment(in bytes: Span<UInt8>, at start: Int) throws(ExpositionError) -> Line? {
        var end = start
        while end < bytes.count, bytes[end] != Byte.newline { end += 1 }
        offset = min(end + 1, bytes.count)
        if end < bytes.count, bytes[end - 1] == Byte.carriageReturn { end -= 1 }
        if let invalid = bytes.firstInvalidUTF8(in: start..<end) { throw error(.invalidUTF8, at: invalid) }

        let keyword = bytes.endOfBlanks(from: start)
        let keywordEnd = bytes.endOfToken(from: keyword)
        let isHelp = bytes.equals(keyword..<keywordEnd, "HELP")
        guard isHelp || bytes.equals(keyword..<keywordEnd, "TYPE") else { return nil }
        let name = try metricName(in: bytes, at: bytes.endOfBlanks(from: keywordEnd))
        guard name.upperBound == end || bytes[name.upperBound].isBlank else {
            throw error(.illegalMetricName, at: name.upperBound)
        }
        let rest = bytes.endOfBlanks(from: name.upperBound)..<end
        return isHelp ? try help(in: bytes, name: name, text: rest) : try type(in: bytes, name: name, rest: rest)
    }

    /// The text of a `# HELP`; its escapes are the backslash and the newline.
    private mutating func help(
        in bytes: Span<UInt8>,
        name: Range<Int>,
        text: Range<Int>
    ) throws(ExpositionError) -> Line {
        var position = text.lowerBound
        while position < text.upperBound {
            if bytes[position] == Byte.backslash {
                let next = position + 1 < text.upperBound ? bytes[position + 1] : nil
                guard next == Byte.backslash || next == Byte.n else { throw error(.illegalEscape, at: position) }
                position += 1
            }
            position += 1
        }
        guard families.addHelp(for: name, in: bytes) else { throw error(.secondHelp, at: name.lowerBound) }
        return .help(name: name, text: text)
    }

    /// The type of a `# TYPE`, which must be the first for its name and come before its samples.
    private mutating func type(
        in bytes: Span<UInt8>,
        name: Range<Int>,
        rest: Range<Int>
    ) throws(ExpositionError) -> Line {
        let end = min(bytes.endOfToken(from: rest.lowerBound), rest.upperBound)
        let word = rest.lowerBound..<end
        guard !word.isEmpty else { throw error(.missingType, at: rest.lowerBound) }
        guard let type = MetricType.allCases.first(where: { bytes.equals(word, $0.rawValue.utf8) }) else {
            throw error(.unknownType, at: word.lowerBound)
        }
        let junk = bytes.endOfBlanks(from: end)
        guard junk >= rest.upperBound else { throw error(.junkAfterType, at: junk) }
        switch families.addType(for: name, in: bytes, samplesBefore: lineStart) {
        case .new: return .type(name: name, type)
        case .alreadyTyped: throw error(.secondType, at: name.lowerBound)
        case .afterSample: throw error(.typeAfterSample, at: name.lowerBound)
        }
    }
}

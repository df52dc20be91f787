// SPDX-License-Identifier: Apache-2.0

/// Which names have had a `# HELP`, a `# TYPE` or samples; it costs nothing until the first such line.
struct FamilyLedger: Sendable {
    /// What a `# TYPE` line meets.
    enum TypeOutcome { case new, alreadyTyped, afterSample }

    private var helped: Set<String> = []
    private var typed: Set<String> = []
    /// The names of the samples so far; nil until there was a `# TYPE`.
    private var sampled: Set<String>?
    private var lastSampled = 0..<0

    /// Notes a `# HELP`; false if the name had one.
    mutating func addHelp(for name: Range<Int>, in bytes: Span<UInt8>) -> Bool {
        helped.insert(bytes.text(name)).inserted
    }

    /// Notes a `# TYPE`; all lines that end before an offset have been parsed.
    mutating func addType(for name: Range<Int>, in bytes: Span<UInt8>, samplesBefore end: Int) -> TypeOutcome {
        if sampled == nil { sampled = Self.sampleNames(in: bytes, before: end) }
        let name = bytes.text(name)
        guard typed.insert(name).inserted else { return .alreadyTyped }
        return sampled?.contains(name) == true ? .afterSample : .new
    }

    /// Notes a sample.
    @inline(__always)
    mutating func sawSample(of name: Range<Int>, in bytes: Span<UInt8>) {
        if sampled != nil { insert(name, in: bytes) }
    }

    /// Adds a name; samples of one name mostly follow each other and are added once.
    private mutating func insert(_ name: Range<Int>, in bytes: Span<UInt8>) {
        guard !bytes.equal(name, lastSampled) else { return }
        lastSampled = name
        sampled?.insert(bytes.text(name))
    }

    /// The sample names of lines that have already been found legal.
    private static func sampleNames(in bytes: Span<UInt8>, before end: Int) -> Set<String> {
        var names: Set<String> = []
        var position = 0
        while position < end {
            let start = bytes.endOfBlanks(from: position)
            let name = start..<bytes.endOfName(from: start, colon: true)
            if !name.isEmpty { names.insert(bytes.text(name)) }
            position = name.upperBound
            // A legal label value holds no raw newline, so the next one ends the line.
            while position < end, bytes[position] != Byte.newline { position += 1 }
            position += 1
        }
        return names
    }
}

// SPDX-License-Identifier: Apache-2.0

/// A label as a value.
///
/// Equality and order are by bytes, as in the format, not by what looks the same.
public struct Label: Hashable, Sendable, Comparable {
    /// The label name.
    public var name: String
    /// The value, without escapes.
    public var value: String

    /// Makes a label.
    public init(name: String, value: String) {
        self.name = name
        self.value = value
    }

    /// Whether the bytes of both parts are equal.
    public static func == (left: Label, right: Label) -> Bool {
        left.name.utf8.elementsEqual(right.name.utf8) && left.value.utf8.elementsEqual(right.value.utf8)
    }

    /// Hashes the bytes of both parts.
    public func hash(into hasher: inout Hasher) {
        for part in [name, value] {
            hasher.combine(part.utf8.count)
            for byte in part.utf8 { hasher.combine(byte) }
        }
    }

    /// By name, then by value, byte by byte.
    public static func < (left: Label, right: Label) -> Bool {
        if !left.name.utf8.elementsEqual(right.name.utf8) { return left.name.precedes(right.name) }
        return left.value.precedes(right.value)
    }
}

/// A sample as a value.
public struct Sample: Hashable, Sendable {
    /// The metric name.
    public var name: String
    /// The labels, in the order of the line.
    public var labels: [Label]
    /// The value.
    public var value: Double
    /// Milliseconds since 1970, leap seconds not counted.
    public var timestamp: Int64?

    /// Makes a sample; whether its names are legal is seen when it is written.
    public init(name: String, labels: [Label] = [], value: Double, timestamp: Int64? = nil) {
        self.name = name
        self.labels = labels
        self.value = value
        self.timestamp = timestamp
    }

    /// Reads all samples of an exposition, in their order; `# HELP` and `# TYPE` are checked and left out.
    ///
    /// - Parameters:
    ///   - bytes: The exposition.
    ///   - limits: What is accepted at most.
    /// - Returns: The samples.
    /// - Throws: `ExpositionError` at the first thing that is not well formed or past a limit.
    public static func parse(
        _ bytes: [UInt8],
        limits: ExpositionLimits = .unlimited
    ) throws(ExpositionError) -> [Sample] {
        let span = bytes.span
        var parser = ExpositionParser(limits: limits)
        var samples: [Sample] = []
        while let line = try parser.next(in: span) {
            guard case .sample(let token) = line else { continue }
            var labels: [Label] = []
            for label in parser.labels {
                labels.append(Label(name: span.text(label.name), value: span.value(of: label)))
            }
            let name = span.text(token.name)
            samples.append(Sample(name: name, labels: labels, value: token.value, timestamp: token.timestamp))
        }
        return samples
    }

    /// The writer's order: by name, labels, value and timestamp; total, so that it never depends on the order before.
    static func areInOrder(_ left: Sample, _ right: Sample) -> Bool {
        if left.name != right.name { return left.name.precedes(right.name) }
        if left.labels != right.labels { return left.labels.lexicographicallyPrecedes(right.labels) }
        guard left.value.bitPattern == right.value.bitPattern else {
            return left.value.isTotallyOrdered(belowOrEqualTo: right.value)
        }
        guard let rightTimestamp = right.timestamp else { return false }
        return left.timestamp.map { $0 < rightTimestamp } ?? true
    }
}

extension String {
    /// Byte order of UTF-8, which does not depend on Unicode's equivalences.
    fileprivate func precedes(_ other: String) -> Bool { utf8.lexicographicallyPrecedes(other.utf8) }
}

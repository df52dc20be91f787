// SPDX-License-Identifier: Apache-2.0

/// Writes the Prometheus text exposition format 0.0.4; what it writes always parses.
///
/// A call that throws leaves the bytes as they were. The error's line and column are those that the offending part
/// would have had.
public struct ExpositionWriter: Sendable {
    /// What has been written.
    public private(set) var bytes: [UInt8] = []

    private var line = 1
    private var lineStart = 0
    private var helped: Set<String> = []
    private var typed: Set<String> = []
    private var sampled: Set<String> = []
    private var lastSampled = ""

    /// Makes a writer that has written nothing.
    public init() {}

    /// Samples in a fixed order: by name, then labels, byte by byte; labels keep the order they have.
    ///
    /// - Parameter samples: The samples in any order.
    /// - Returns: The exposition.
    /// - Throws: `ExpositionError` for an illegal name or a label that comes twice.
    public static func write(sorted samples: [Sample]) throws(ExpositionError) -> [UInt8] {
        var writer = ExpositionWriter()
        for sample in samples.sorted(by: Sample.areInOrder) { try writer.sample(sample) }
        return writer.bytes
    }

    /// Writes a `# HELP` line.
    ///
    /// By the format a reader does not see the blanks that a text begins with, nor a CR at its end.
    ///
    /// - Parameters:
    ///   - name: The metric name.
    ///   - text: The text, without escapes.
    /// - Throws: `ExpositionError` for an illegal name or one that had its help.
    public mutating func help(name: String, text: String) throws(ExpositionError) {
        append("# HELP ")
        try appendMetricName(name)
        guard helped.insert(name).inserted else { throw refusal(.secondHelp, before: name) }
        append(" ")
        appendEscaped(text, quotes: false)
        endLine()
    }

    /// Writes a `# TYPE` line.
    ///
    /// - Parameters:
    ///   - name: The metric name.
    ///   - type: The type.
    /// - Throws: `ExpositionError` for an illegal name, one that had its type, or one that had samples.
    public mutating func type(name: String, _ type: MetricType) throws(ExpositionError) {
        append("# TYPE ")
        try appendMetricName(name)
        guard !sampled.contains(name) else { throw refusal(.typeAfterSample, before: name) }
        guard typed.insert(name).inserted else { throw refusal(.secondType, before: name) }
        append(" ")
        append(type.rawValue)
        endLine()
    }

    /// Writes a sample.
    ///
    /// - Parameter sample: The sample.
    /// - Throws: `ExpositionError` for an illegal name or a label that comes twice.
    public mutating func sample(_ sample: Sample) throws(ExpositionError) {
        try self.sample(
            name: sample.name,
            labels: sample.labels,
            value: sample.value,
            timestamp: sample.timestamp
        )
    }

    /// Writes a sample from its parts.
    ///
    /// - Parameters:
    ///   - name: The metric name.
    ///   - labels: The labels, in the order of the line.
    ///   - value: The value; whole numbers up to 2^53 are written without point or exponent.
    ///   - timestamp: Milliseconds since 1970.
    /// - Throws: `ExpositionError` for an illegal name or a label that comes twice.
    public mutating func sample(
        name: String,
        labels: [Label] = [],
        value: Double,
        timestamp: Int64? = nil
    ) throws(ExpositionError) {
        try appendMetricName(name)
        if !labels.isEmpty { try appendLabels(labels) }
        append(" ")
        append(value.expositionText)
        if let timestamp {
            append(" ")
            append(String(timestamp))
        }
        endLine()
        if name != lastSampled {
            sampled.insert(name)
            lastSampled = name
        }
    }

    // MARK: Parts

    private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

    private mutating func endLine() {
        bytes.append(Byte.newline)
        (line, lineStart) = (line + 1, bytes.count)
    }

    /// An error where the line now ends, and takes the line back; a part already written may come off the column.
    private mutating func refusal(_ reason: ExpositionError.Reason, before part: String = "") -> ExpositionError {
        let column = bytes.count - part.utf8.count - lineStart + 1
        bytes.removeSubrange(lineStart...)
        return ExpositionError(line: line, column: column, reason: reason)
    }

    private mutating func appendMetricName(_ name: String) throws(ExpositionError) {
        guard name.isExpositionName(colon: true) else { throw refusal(.illegalMetricName) }
        append(name)
    }

    /// Writes `{a="b",c="d"}`.
    private mutating func appendLabels(_ labels: [Label]) throws(ExpositionError) {
        append("{")
        for (index, label) in labels.enumerated() {
            if index > 0 { append(",") }
            try checkName(of: label, after: labels[..<index])
            append(label.name)
            append("=\"")
            appendEscaped(label.value, quotes: true)
            append("\"")
        }
        append("}")
    }

    private mutating func checkName(of label: Label, after others: ArraySlice<Label>) throws(ExpositionError) {
        guard label.name.isExpositionName(colon: false) else { throw refusal(.illegalLabelName) }
        guard label.name != "__name__" else { throw refusal(.reservedLabelName) }
        guard !others.contains(where: { $0.name == label.name }) else { throw refusal(.duplicateLabelName) }
    }

    /// Writes text with its backslashes and newlines escaped, and its quotes where it stands between quotes.
    private mutating func appendEscaped(_ text: String, quotes: Bool) {
        let isPlain = text.utf8.allSatisfy { byte in
            byte != Byte.newline && byte != Byte.backslash && (byte != Byte.quote || !quotes)
        }
        if isPlain { return append(text) }
        for byte in text.utf8 {
            switch byte {
            case Byte.newline:
                append("\\n")
            case Byte.backslash:
                append("\\\\")
            case Byte.quote where quotes:
                append("\\\"")
            default:
                bytes.append(byte)
            }
        }
    }
}

extension String {
    /// Whether this is a metric name (with colons) or a label name (without).
    fileprivate func isExpositionName(colon: Bool) -> Bool {
        guard let first = utf8.first, !first.isDigit else { return false }
        return utf8.allSatisfy { $0.continuesName(colon: colon) }
    }
}

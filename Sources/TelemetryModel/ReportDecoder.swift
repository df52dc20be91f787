// SPDX-License-Identifier: Apache-2.0

public import Exposition

/// A report as it was decoded, with what was left out of it.
public struct DecodedReport: Equatable, Sendable {
    /// The report.
    public let report: Report
    /// Samples of metrics that the dictionary does not have.
    public let droppedSamples: Int
    /// Labels that their metric does not have.
    public let droppedLabels: Int
    /// Values that did not have the form of their label and became `other`.
    public let replacedValues: Int
}

/// Reads a report out of a body: parses it, keeps what the dictionary has, and replaces identifiers.
///
/// What the dictionary does not have is left out and counted. Timestamps are ignored: all of a report holds at the moment
/// it was received.
public struct ReportDecoder: Sendable {
    private let pseudonymizer: Pseudonymizer?
    private let limits: ExpositionLimits
    private let cache = SeriesCache()

    /// Limits for reports from anywhere: ten times what the largest cluster known sends.
    public static let defaultLimits = ExpositionLimits(
        lines: 200_000,
        samples: 50_000,
        labelsPerSample: 32,
        nameLength: 256,
        valueLength: 4_096
    )

    /// A decoder; it gets faster with what it has read, so one is kept.
    ///
    /// - Parameters:
    ///   - pseudonymizer: Replaces identifiers; without one they stay.
    ///   - limits: What a body may have.
    public init(pseudonymizer: Pseudonymizer?, limits: ExpositionLimits = Self.defaultLimits) {
        self.pseudonymizer = pseudonymizer
        self.limits = limits
    }

    /// Reads a body.
    ///
    /// - Throws: `ReportError` with the position of what is wrong.
    public func decode(_ body: [UInt8]) throws(ReportError) -> DecodedReport {
        var parser = ExpositionParser(limits: limits)
        var contents = Contents(builder: ReportBuilder(pseudonymizer: pseudonymizer), cache: cache)
        let bytes = body.span
        while let line = try Self.next(&parser, in: bytes) {
            guard case .sample(let token) = line else { continue }
            try contents.add(token, parser.labels, in: bytes)
        }
        let report = try contents.builder.report()
        guard !report.samples.isEmpty else { throw .empty(dropped: contents.droppedSamples) }
        return DecodedReport(
            report: report,
            droppedSamples: contents.droppedSamples,
            droppedLabels: contents.droppedLabels,
            replacedValues: contents.builder.replacedValues
        )
    }

    private static func next(
        _ parser: inout ExpositionParser,
        in bytes: Span<UInt8>
    ) throws(ReportError) -> ExpositionParser.Line? {
        do {
            return try parser.next(in: bytes)
        } catch {
            throw .malformed(error)
        }
    }
}

/// What was read of a body so far.
private struct Contents {
    var builder: ReportBuilder
    let cache: SeriesCache
    var droppedSamples = 0
    var droppedLabels = 0

    /// Adds a sample, or counts it where the dictionary has no such metric.
    mutating func add(_ token: SampleToken, _ labels: [LabelToken], in bytes: Span<UInt8>) throws(ReportError) {
        let identifier = labels.first { bytes.equals($0.name, "uid") }
        let line = SeriesCache.Line(whole: token.name.lowerBound..<token.valueStart, identifier: identifier?.value)
        if identifier?.isEscaped != true, let series = cache.series(of: line, in: bytes) {
            let value = try Self.value(token, of: series.metric)
            guard let identifier else {
                return builder.add(series, value: value, line: token.line)
            }
            if builder.add(series, identifier: bytes.text(identifier.value), value: value, line: token.line) { return }
        }
        try addNew(token, labels, line, in: bytes)
    }

    /// Adds a sample of a line that was not understood before.
    private mutating func addNew(
        _ token: SampleToken,
        _ labels: [LabelToken],
        _ line: SeriesCache.Line,
        in bytes: Span<UInt8>
    ) throws(ReportError) {
        guard let definition = DataDictionary.metrics.first(where: { bytes.equals(token.name, $0.name.utf8) }) else {
            droppedSamples += 1
            return
        }
        let value = try Self.value(token, of: definition.metric)
        var values = [String?](repeating: nil, count: definition.labels.count)
        var dropped = 0
        for label in labels {
            if let position = definition.labels.firstIndex(where: { bytes.equals(label.name, $0.name.utf8) }) {
                values[position] = bytes.value(of: label)
            } else {
                dropped += 1
            }
        }
        droppedLabels += dropped
        let sentAs = dropped == 0 ? nil : Self.asSent(labels, in: bytes)
        let replaced = builder.replacedValues
        builder.add(definition.metric, values, value: value, sentAs: sentAs, line: token.line)
        guard dropped == 0, builder.replacedValues == replaced, !labels.contains(where: \.isEscaped) else { return }
        for (position, label) in definition.labels.enumerated() where label.isIdentifier { values[position] = nil }
        cache.remember(Series(definition.metric, values), for: line, in: bytes)
    }

    /// The labels in a form that does not depend on their order, with lengths, so that different ones never read the same.
    private static func asSent(_ labels: [LabelToken], in bytes: Span<UInt8>) -> String {
        var pairs: [String] = []
        for label in labels {
            let value = bytes.value(of: label)
            pairs.append("\(bytes.text(label.name))=\(value.utf8.count):\(value)")
        }
        return pairs.sorted().joined()
    }

    private static func value(_ token: SampleToken, of metric: Metric) throws(ReportError) -> Int64 {
        guard let value = Int64(exactly: token.value), metric.values.contains(value) else {
            throw .valueOutOfRange(metric, line: token.line, column: token.column(of: token.valueStart))
        }
        return value
    }
}

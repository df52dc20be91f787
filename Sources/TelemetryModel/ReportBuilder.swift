// SPDX-License-Identifier: Apache-2.0

/// Makes a report out of values that somebody else wrote, so that nothing gets in that the dictionary does not allow.
public struct ReportBuilder: Sendable {
    /// The values that did not have the form of their label and became `other`.
    public private(set) var replacedValues = 0

    /// Values that a label may have in one report, but for identifiers; what comes beyond becomes `other`.
    ///
    /// Each is a total of its own in every window, so their number has to be bounded. It also is the number of packages
    /// with their variants.
    public static let largestNameCount = 256
    /// The same of labels that are lists of names, of which a cluster has one.
    public static let largestListCount = 4

    private let pseudonymizer: Pseudonymizer?
    private var entries: [Entry] = []

    /// A sample with what is needed to tell it from an equal one.
    private struct Entry {
        let sample: Report.Sample
        /// The sample as it was sent where it differs from what is kept, else empty; bytes, because strings that look the
        /// same are equal.
        let sentAs: [UInt8]
        let line: Int

        /// Brings samples that were sent twice together, the first line first.
        static func areInOrder(_ left: Self, _ right: Self) -> Bool {
            if left.sample.series < right.sample.series { return true }
            if right.sample.series < left.sample.series { return false }
            guard left.sentAs == right.sentAs else { return left.sentAs.lexicographicallyPrecedes(right.sentAs) }
            return left.line < right.line
        }
    }

    /// Begins a report.
    ///
    /// - Parameter pseudonymizer: Replaces identifiers; without one they stay as they are, as in what a cluster sends.
    public init(pseudonymizer: Pseudonymizer? = nil) {
        self.pseudonymizer = pseudonymizer
    }

    /// Adds a sample.
    ///
    /// - Parameters:
    ///   - metric: The metric.
    ///   - labels: Values in the order of the dictionary, nil for a label that is not there.
    ///   - value: A value that the metric allows.
    ///   - sentAs: Name and labels as they were sent, where some were dropped; two samples with the same are duplicates.
    ///   - line: The line it was sent on, for errors.
    public mutating func add(
        _ metric: Metric,
        _ labels: [String?] = [],
        value: Int64,
        sentAs: String? = nil,
        line: Int = 0
    ) {
        var kept = labels
        var original = sentAs
        for (position, definition) in metric.definition.labels.enumerated() where position < labels.count {
            guard let text = labels[position] else { continue }
            if !definition.form.accepts(text) {
                kept[position] = DataDictionary.other
                replacedValues += 1
                original = original ?? Self.asSent(labels)
            } else if definition.isIdentifier, let pseudonymizer {
                kept[position] = pseudonymizer.replacement(for: text)
            }
        }
        entries.append(
            Entry(sample: .init(Series(metric, kept), value), sentAs: Array((original ?? "").utf8), line: line)
        )
    }

    /// Adds a sample of a series whose values have the form of their labels, and that has no identifier.
    mutating func add(_ series: Series, value: Int64, line: Int) {
        entries.append(Entry(sample: .init(series, value), sentAs: [], line: line))
    }

    /// Adds a sample of a series whose other values have the form of their labels.
    ///
    /// - Parameters:
    ///   - series: The series without its identifier.
    ///   - identifier: The identifier, as it was sent.
    ///   - value: A value that the metric allows.
    ///   - line: The line it was sent on, for errors.
    /// - Returns: Whether the identifier has its form too; where not, nothing was added.
    mutating func add(_ series: Series, identifier: String, value: Int64, line: Int) -> Bool {
        guard let position = series.metric.identifierLabel, LabelForm.identifier.accepts(identifier) else {
            return false
        }
        let replaced = series.replacing(position, pseudonymizer?.replacement(for: identifier) ?? identifier)
        add(replaced, value: value, line: line)
        return true
    }

    /// The finished report.
    ///
    /// Samples that were sent twice count once; samples that became the same series because a label was dropped or
    /// replaced are added up.
    ///
    /// - Throws: `ReportError.conflictingSamples` where a series was sent twice with different values.
    public mutating func report() throws(ReportError) -> Report {
        var kept: [Report.Sample] = []
        var previous: Entry?
        for entry in entries.sorted(by: Entry.areInOrder) {
            if let previous, previous.sample.series == entry.sample.series, previous.sentAs == entry.sentAs {
                guard previous.sample.value == entry.sample.value else {
                    throw .conflictingSamples(line: entry.line, firstLine: previous.line)
                }
                continue
            }
            kept.append(entry.sample)
            previous = entry
        }
        return Report(boundingNames(of: kept))
    }

    /// The samples with no more values of a label than may be; those that come first in canonical order stay.
    private mutating func boundingNames(of samples: [Report.Sample]) -> [Report.Sample] {
        let lists = Self.largestListCount
        let isSmall = samples.count <= lists || samples[lists].series.metric != .clusterInfo
        guard samples.count > Self.largestNameCount || !isSmall else { return samples }
        var known: [Metric: [Set<String>]] = [:]
        var pairs = 0
        return samples.map { sample in
            let metric = sample.series.metric
            var names = known.removeValue(forKey: metric) ?? Array(repeating: [], count: sample.series.labels.count)
            defer { known[metric] = names }
            if metric == .packageInfo { pairs += 1 }
            var labels = sample.series.labels
            for (position, form) in metric.labelForms.enumerated() where form != .identifier {
                guard let name = labels[position] else { continue }
                let limit = form == .nameList ? lists : Self.largestNameCount
                let isPairTooMany = metric == .packageInfo && pairs > limit
                if !isPairTooMany, names[position].contains(name) { continue }
                if !isPairTooMany, names[position].count < limit {
                    names[position].insert(name)
                } else {
                    labels[position] = DataDictionary.other
                    replacedValues += 1
                }
            }
            return .init(Series(metric, labels), sample.value)
        }
    }

    /// The values with their lengths, so that different ones never read the same.
    private static func asSent(_ labels: [String?]) -> String {
        labels.map { $0.map { "\($0.utf8.count):\($0)" } ?? "-" }.joined()
    }
}

extension Metric {
    /// The forms of the labels, looked up once.
    fileprivate var labelForms: [LabelForm] { Self.allLabelForms[Int(rawValue)] }

    private static let allLabelForms = DataDictionary.metrics.map { $0.labels.map(\.form) }
}

// SPDX-License-Identifier: Apache-2.0

/// A metric of the dictionary with a value for each of its labels, or none where the label was not sent.
public struct Series: Hashable, Sendable {
    /// The metric.
    public let metric: Metric

    /// Label values in the order of the dictionary; nil where the label was not sent.
    public let labels: [String?]

    /// A series of a metric; values beyond the metric's labels are an error of the caller.
    public init(_ metric: Metric, _ labels: [String?] = []) {
        precondition(labels.count <= metric.definition.labels.count, "more values than labels")
        self.metric = metric
        self.labels = labels + Array(repeating: nil, count: metric.definition.labels.count - labels.count)
    }

    /// The value of the label at a position of the dictionary.
    public subscript(_ label: Int) -> String? { labels[label] }
}

extension Series: Comparable {
    /// The canonical order: metrics as in the dictionary, volumes by driver and size, workloads by kind, type, version
    /// and uid, everything else by label values, byte by byte.
    public static func < (left: Self, right: Self) -> Bool {
        guard left.metric == right.metric else { return left.metric < right.metric }
        for label in left.metric.sortOrder where left.labels[label] != right.labels[label] {
            return left.metric.precedes(left.labels[label], right.labels[label], at: label)
        }
        return false
    }
}

extension Metric {
    /// Positions of the labels in the order that series are sorted by.
    fileprivate var sortOrder: [Int] {
        switch self {
        case .workloadsCount: [WorkloadLabel.kind, WorkloadLabel.type, WorkloadLabel.version, WorkloadLabel.uid]
        default: Array(definition.labels.indices)
        }
    }

    /// Whether one value of a label stands before another; a label that was not sent stands first.
    fileprivate func precedes(_ left: String?, _ right: String?, at label: Int) -> Bool {
        guard let left, let right else { return left == nil && right != nil }
        if definition.labels[label].form == .sizeGroup {
            let (leftSize, rightSize) = (SizeGroup(rawValue: left), SizeGroup(rawValue: right))
            return (leftSize?.largestGibibytes ?? .max, left) < (rightSize?.largestGibibytes ?? .max, right)
        }
        return left.utf8.lexicographicallyPrecedes(right.utf8)
    }
}

// SPDX-License-Identifier: Apache-2.0

/// A metric of the dictionary with a value for each of its labels, or none where the label was not sent.
public struct Series: Hashable, Sendable {
    /// The metric.
    public let metric: Metric

    /// Label values in the order of the dictionary; nil where the label was not sent.
    public private(set) var labels: [String?]

    /// A series of a metric; values beyond the metric's labels are an error of the caller.
    public init(_ metric: Metric, _ labels: [String?] = []) {
        precondition(labels.count <= metric.definition.labels.count, "more values than labels")
        self.metric = metric
        let missing = metric.definition.labels.count - labels.count
        self.labels = missing == 0 ? labels : labels + Array(repeating: nil, count: missing)
    }

    /// The series with another value of a label.
    package func replacing(_ label: Int, _ value: String) -> Self {
        var series = self
        series.labels[label] = value
        return series
    }

    /// The value of the label at a position of the dictionary.
    public subscript(_ label: Int) -> String? { labels[label] }
}

extension Series: Comparable {
    /// The canonical order: metrics as in the dictionary, volumes by driver and size, workloads by kind, type, version
    /// and uid, everything else by label values, byte by byte.
    public static func < (left: Self, right: Self) -> Bool {
        guard left.metric == right.metric else { return left.metric < right.metric }
        if left.metric == .workloadsCount {
            for label in workloadOrder where left.labels[label] != right.labels[label] {
                return precedes(left.labels[label], right.labels[label])
            }
            return false
        }
        for label in left.labels.indices where left.labels[label] != right.labels[label] {
            let isSize = left.metric == .volumesCount && label == 1
            return isSize
                ? precedesBySize(left.labels[label], right.labels[label])
                : precedes(left.labels[label], right.labels[label])
        }
        return false
    }

    /// The labels of a workload in the order that series are sorted by.
    private static let workloadOrder = [
        WorkloadLabel.kind, WorkloadLabel.type, WorkloadLabel.version, WorkloadLabel.uid,
    ]

    /// Whether one value of a label stands before another; a label that was not sent stands first.
    ///
    /// Values are ASCII, whose order as texts is that of their bytes.
    private static func precedes(_ left: String?, _ right: String?) -> Bool {
        guard let left, let right else { return left == nil && right != nil }
        return left < right
    }

    /// The same for size groups, the smallest first.
    private static func precedesBySize(_ left: String?, _ right: String?) -> Bool {
        guard let left, let right else { return left == nil && right != nil }
        let (leftSize, rightSize) = (SizeGroup(rawValue: left), SizeGroup(rawValue: right))
        return (leftSize?.largestGibibytes ?? .max, left) < (rightSize?.largestGibibytes ?? .max, right)
    }
}

extension Metric {
    /// The position of the label that identifies; nil where there is none.
    package var identifierLabel: Int? { self == .workloadsCount ? WorkloadLabel.uid : nil }
}

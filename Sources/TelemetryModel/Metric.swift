// SPDX-License-Identifier: Apache-2.0

/// A metric of the data dictionary.
///
/// There are no others.
///
/// The raw values are stored, and their order is the order of metrics in a report.
public enum Metric: UInt8, CaseIterable, Hashable, Comparable, Sendable {
    case clusterInfo = 0
    case nodesCount = 1
    case clusterCapacity = 2
    case loadBalancersCount = 3
    case tenantsCount = 4
    case volumesCount = 5
    case workloadsCount = 6
    case packageInfo = 7
    case applicationCount = 8

    /// The metric's entry in the data dictionary.
    public var definition: MetricDefinition { DataDictionary.metrics[Int(rawValue)] }

    /// The values that a sample may have.
    var values: ClosedRange<Int64> {
        switch self {
        case .clusterInfo, .packageInfo: 1...1
        case .clusterCapacity: 0...1 << 60
        default: 0...10_000_000
        }
    }

    /// Metrics in the order of a report.
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// Everything that is to know of a metric.
public struct MetricDefinition: Sendable {
    /// What the value of a sample says.
    public enum Kind: Sendable {
        /// Always 1; the labels are what is said.
        case info
        /// A whole number of things, up to 10⁷.
        case count
        /// An amount in base units, whole, up to 2⁶⁰.
        case capacity
    }

    /// The metric.
    public let metric: Metric
    /// Its name on the wire.
    public let name: String
    /// What it means, one sentence.
    public let meaning: String
    /// What its values say.
    public let kind: Kind
    /// The unit of its values, in words.
    public let unit: String
    /// Its labels in the order of the wire.
    public let labels: [LabelDefinition]
    /// The collectors that send it.
    public let collectors: [Collector]
    /// The first version of Cozystack that sends it.
    public let since: String

    /// The largest value that is taken.
    public var largestValue: Int64 { metric.values.upperBound }

    /// The position of a label, or nil where the metric has none of that name.
    public func label(named name: some StringProtocol) -> Int? {
        labels.firstIndex { $0.name == name }
    }
}

/// Everything that is to know of a metric's label.
public struct LabelDefinition: Sendable {
    /// Its name on the wire.
    public let name: String
    /// What it says, one sentence.
    public let meaning: String
    /// The form its values have.
    public let form: LabelForm
    /// A value as it may come.
    public let example: String
    /// The first version of Cozystack that sends it.
    public let since: String
    /// Whether its values tell one thing from all others; such a value is replaced by a keyed hash on arrival.
    public var isIdentifier: Bool { form == .identifier }
}

// SPDX-License-Identifier: Apache-2.0

/// The groups that the sizes of volumes are counted in, smallest first.
public enum SizeGroup: String, CaseIterable, Hashable, Sendable {
    case upTo1Gi = "1Gi"
    case upTo5Gi = "5Gi"
    case upTo10Gi = "10Gi"
    case upTo25Gi = "25Gi"
    case upTo50Gi = "50Gi"
    case upTo100Gi = "100Gi"
    case upTo250Gi = "250Gi"
    case upTo500Gi = "500Gi"
    case upTo1Ti = "1Ti"
    case upTo2Ti = "2Ti"
    case upTo5Ti = "5Ti"
    case over5Ti = "10Ti"

    /// The first group that a capacity, in whole GiB rounded down, does not exceed.
    public init(capacity: Quantity) {
        let gibibytes = capacity.roundedDown >> 30
        self = Self.allCases.first { gibibytes <= $0.largestGibibytes } ?? .over5Ti
    }

    /// The largest capacity of the group, in whole GiB.
    public var largestGibibytes: Int64 {
        switch self {
        case .upTo1Gi: 1
        case .upTo5Gi: 5
        case .upTo10Gi: 10
        case .upTo25Gi: 25
        case .upTo50Gi: 50
        case .upTo100Gi: 100
        case .upTo250Gi: 250
        case .upTo500Gi: 500
        case .upTo1Ti: 1_024
        case .upTo2Ti: 2_048
        case .upTo5Ti: 5_120
        case .over5Ti: .max
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

/// The quartiles of numbers of days, by nearest rank: the smallest number that at least a quarter, half and three quarters
/// of them do not exceed.
public struct Quartiles: Encodable, Equatable, Sendable {
    /// The first.
    public var quarter: Int
    /// The second.
    public var median: Int
    /// The third.
    public var threeQuarters: Int

    /// Three numbers.
    public init(quarter: Int, median: Int, threeQuarters: Int) {
        (self.quarter, self.median, self.threeQuarters) = (quarter, median, threeQuarters)
    }

    private enum CodingKeys: String, CodingKey {
        case quarter, median
        case threeQuarters = "three_quarters"
    }
}

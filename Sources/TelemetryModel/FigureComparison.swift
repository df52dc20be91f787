// SPDX-License-Identifier: Apache-2.0

/// Whether two engines answer the same of some months.
public struct FigureComparison: Sendable {
    private let left: any FigureSource
    private let right: any FigureSource

    /// A comparison of one engine with another that should answer the same.
    public init(_ left: some FigureSource, with right: some FigureSource) {
        (self.left, self.right) = (left, right)
    }

    /// What differs of the windows that end with each of some months.
    ///
    /// - Parameters:
    ///   - months: The last months of the windows.
    ///   - first: Windows that begin before it are left out, as one of the engines has only folded totals of them.
    ///   - growing: The month that more may have come to the other engine of meanwhile: of windows that hold it, only what is
    ///     less there differs.
    ///   - progress: Called with each month that is begun.
    /// - Returns: What differs, one for each figure and value of a dimension.
    /// - Throws: What the engines throw.
    public func differences(
        endingWith months: ClosedRange<CalendarMonth>,
        from first: CalendarMonth?,
        growing: CalendarMonth? = nil,
        progress: (CalendarMonth) -> Void
    ) async throws -> [String] {
        var differences: [String] = []
        for month in (months.lowerBound.index...months.upperBound.index).map(CalendarMonth.init(index:)) {
            progress(month)
            let windows = Window.Length.allCases.map { Window($0, endingWith: month) }
                .filter { $0.start >= first ?? $0.start }
            guard !windows.isEmpty else { continue }
            let (one, other) = (try await left.totals(of: windows), try await right.totals(of: windows))
            for window in windows {
                let mayGrow = growing.map(window.contains) ?? false
                differences += Self.differences(one[window]?.all, other[window]?.all, "", window, mayGrow)
                // Who was first seen before that month is not known to the other one.
                if first == nil {
                    let (left, right) = (one[window]?.established, other[window]?.established)
                    differences += Self.differences(left, right, "established ", window, mayGrow)
                }
            }
            for dimension in Dimension.allCases {
                let one = try await left.breakdowns(by: dimension, in: windows)
                let other = try await right.breakdowns(by: dimension, in: windows)
                for window in windows {
                    let mayGrow = growing.map(window.contains) ?? false
                    let name = "\(dimension.rawValue) "
                    differences += Self.differences(one[window], other[window], name, window, mayGrow)
                }
            }
        }
        return differences
    }

    private static func differences<Key: Hashable, Value: Equatable>(
        _ left: [Key: Value]?,
        _ right: [Key: Value]?,
        _ name: String,
        _ window: Window,
        _ mayGrow: Bool
    ) -> [String] {
        let (left, right) = (left ?? [:], right ?? [:])
        func differs(_ key: Key) -> Bool {
            guard left[key] != right[key] else { return false }
            guard mayGrow else { return true }
            switch (left[key], right[key]) {
            case (let one as Breakdown, let other as Breakdown): return other.clusters < one.clusters
            case (let one as Int64, let other as Int64): return other < one
            default: return left[key] != nil
            }
        }
        func text(_ value: Value?) -> String {
            switch value {
            case let breakdown as Breakdown: "\(breakdown.clusters) (\(breakdown.clustersAtEnd) at the end)"
            case let value?: "\(value)"
            case nil: "nothing"
            }
        }
        return Set(left.keys).union(right.keys).filter(differs)
            .map { "\(window.label), \(name)\($0): \(text(left[$0])) and \(text(right[$0]))" }.sorted()
    }
}

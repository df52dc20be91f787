// SPDX-License-Identifier: Apache-2.0

/// Clusters that come, stay, go and come back, how long they live, and how many of those that came together are left.
public struct Churn: Encodable, Equatable, Sendable {
    /// One month.
    public struct Month: Encodable, Equatable, Sendable {
        /// `2026-03`.
        public var month: String
        /// Clusters with a report in the month: the new, the kept and the returned ones.
        public var clusters: Int
        /// First seen ever.
        public var new: Int
        /// Seen in the month before; nil where the rows of that are deleted.
        public var kept: Int?
        /// Seen before, and not in the month before; nil as above.
        public var returned: Int?
        /// Not seen in the month after; nil where that is not over.
        public var gone: Int?

        /// A month.
        public init(month: CalendarMonth, clusters: Int, new: Int, kept: Int?, returned: Int?, gone: Int?) {
            (self.month, self.clusters, self.new) = ("\(month)", clusters, new)
            (self.kept, self.returned, self.gone) = (kept, returned, gone)
        }
    }

    /// Clusters that live for so long, from the first to the last UTC day that they were seen on by the end, both counted.
    public struct Lifetime: Encodable, Equatable, Sendable {
        /// Days at least.
        public var from: Int
        /// Days at the most; nil for any more.
        public var to: Int?
        /// Those that were seen in the last month, and so live on.
        public var seen: Int
        /// Those that were not.
        public var gone: Int

        /// Clusters of a span.
        public init(_ span: NumberSpan, seen: Int, gone: Int) {
            (from, to, self.seen, self.gone) = (span.from, span.to, seen, gone)
        }

        /// The spans of days that are told apart.
        public static let spans = NumberSpan.from([1, 2, 8, 31, 91, 181, 366])
    }

    /// The clusters that were first seen in a month.
    public struct Cohort: Encodable, Equatable, Sendable {
        /// The month, `2026-03`.
        public var month: String
        /// How many there are.
        public var clusters: Int
        /// How many of them were seen in that month, in the one after it, and so on until the end.
        public var seen: [Int]

        /// A cohort.
        public init(month: CalendarMonth, clusters: Int, seen: [Int]) {
            (self.month, self.clusters, self.seen) = ("\(month)", clusters, seen)
        }
    }

    /// The months, in order.
    public var months: [Month]
    /// Clusters by their lifetime, at the end of the last month.
    public var lifetimes: [Lifetime]
    /// The cohorts of the months, in order.
    public var cohorts: [Cohort]

    /// Months, lifetimes and cohorts.
    public init(months: [Month], lifetimes: [Lifetime], cohorts: [Cohort]) {
        (self.months, self.lifetimes, self.cohorts) = (months, lifetimes, cohorts)
    }
}

/// A span of whole numbers.
public struct NumberSpan: Encodable, Equatable, Sendable {
    /// The smallest.
    public var from: Int
    /// The largest; nil for any larger one.
    public var to: Int?

    /// Whether it holds a number.
    public func contains(_ number: Int) -> Bool { number >= from && number <= to ?? .max }

    /// The spans that begin with ascending numbers.
    static func from(_ starts: [Int]) -> [Self] {
        zip(starts, starts.dropFirst().map(Optional.some) + [nil]).map { Self(from: $0, to: $1.map { $0 - 1 }) }
    }
}

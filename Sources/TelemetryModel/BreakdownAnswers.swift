// SPDX-License-Identifier: Apache-2.0

/// The answer to `GET /api/breakdowns`: what may be told of how many clusters have which value.
public struct PublicBreakdowns: Codable, Equatable, Sendable {
    /// The values in a window.
    public struct Period: Codable, Equatable, Sendable {
        /// The window in English.
        public var label: String
        /// Its first day, `2026-03-01`.
        public var start: String
        /// Its last day, also while it runs.
        public var end: String
        /// The values.
        public var values: PublicBreakdown
    }

    /// The dimension.
    public var by: String
    /// The day at whose beginning the windows that still run were read, `2026-03-05`.
    public var asOf: String
    /// *k*: every count is a multiple of it.
    public var threshold: Int
    /// By the length of the window, `month`, `quarter` and `year`.
    public var periods: [String: Period]

    /// The public breakdowns of windows, as of a day.
    public init(by dimension: Dimension, asOf day: UTCDay, threshold: Int, _ breakdowns: [Window: PublicBreakdown]) {
        by = dimension.rawValue
        asOf = "\(day)"
        self.threshold = threshold
        periods = Dictionary(
            uniqueKeysWithValues: breakdowns.map { window, values in
                let (start, end) = ("\(window.start.firstDay)", "\(window.end.lastDay)")
                return ("\(window.length)", Period(label: window.label, start: start, end: end, values: values))
            }
        )
    }

    private enum CodingKeys: String, CodingKey {
        case by, periods
        case asOf = "as_of"
        case threshold = "k"
    }
}

/// The answer to `GET /v1/breakdowns/{dimension}` of the private listener: exact counts in one window.
public struct WholeBreakdown: Codable, Equatable, Sendable {
    /// How many clusters have a value.
    public struct Counts: Codable, Equatable, Sendable {
        /// Distinct clusters that reported it in the window.
        public var clusters: Int
        /// Clusters whose last report of the window has it.
        public var clustersAtEnd: Int

        private enum CodingKeys: String, CodingKey {
            case clusters
            case clustersAtEnd = "clusters_at_end"
        }
    }

    /// The dimension.
    public var dimension: String
    /// The window in English.
    public var label: String
    /// Its first day, `2026-03-01`.
    public var start: String
    /// Its last day, also while it runs.
    public var end: String
    /// The counts by value.
    public var values: [String: Counts]

    /// The counts of a window.
    public init(by dimension: Dimension, in window: Window, _ counts: [String: Breakdown]) {
        self.dimension = dimension.rawValue
        label = window.label
        start = "\(window.start.firstDay)"
        end = "\(window.end.lastDay)"
        values = counts.mapValues { Counts(clusters: $0.clusters, clustersAtEnd: $0.clustersAtEnd) }
    }
}

// SPDX-License-Identifier: Apache-2.0

import ReportStore
import TelemetryModel

/// An insight, with what it is about and how fresh it is.
struct InsightAnswer<Insight: Encodable>: Encodable {
    let insight: Insight
    /// Whose versions these are, where they are of one dimension.
    var dimension: Dimension?
    let months: ClosedRange<CalendarMonth>
    let fleet: FleetInsights

    private enum CodingKeys: String, CodingKey {
        case dimension, start, end
        case generatedAt = "generated_at"
        case rowsSince = "rows_since"
        case clustersRead = "clusters_read"
        case clustersDamaged = "clusters_damaged"
    }

    func encode(to encoder: any Encoder) throws {
        try insight.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encodeIfPresent(dimension?.rawValue, forKey: .dimension)
        try container.encode("\(months.lowerBound.firstDay)", forKey: .start)
        try container.encode("\(months.upperBound.lastDay)", forKey: .end)
        try container.encode(fleet.generatedAt.rfc3339, forKey: .generatedAt)
        try container.encodeIfPresent(fleet.rowsSince.map { "\($0)" }, forKey: .rowsSince)
        try container.encode(fleet.clusters, forKey: .clustersRead)
        try container.encode(fleet.damagedClusters, forKey: .clustersDamaged)
    }
}

/// `GET /v1/insights/curve`.
struct CurveAnswer: Encodable {
    /// One month.
    struct Month: Encodable {
        /// `2026-03`.
        let month: String
        /// Clusters with a report in the month.
        let clusters: Int64
        /// Those of them that reported the value.
        let withValue: Int
        /// Those whose last report of the month has it.
        let withValueAtEnd: Int

        private enum CodingKeys: String, CodingKey {
            case month, clusters
            case withValue = "with_value"
            case withValueAtEnd = "with_value_at_end"
        }
    }

    let dimension: String
    let value: String
    let months: [Month]

    /// The curve of a value.
    ///
    /// - Parameters:
    ///   - dimension: The dimension.
    ///   - value: One of its values, or a text that nobody has.
    ///   - windows: The months.
    ///   - store: Where it is read.
    /// - Throws: What the store throws.
    init(of dimension: Dimension, _ value: String, in windows: [Window], from store: ReportStore) async throws {
        let totals = try await store.totals(of: windows)
        let breakdowns = try await store.breakdowns(by: dimension, in: windows)
        (self.dimension, self.value) = (dimension.rawValue, value)
        months = windows.map { window in
            let counts = breakdowns[window]?[value] ?? Breakdown()
            return Month(
                month: "\(window.end)",
                clusters: totals[window]?.all[.clusters] ?? 0,
                withValue: counts.clusters,
                withValueAtEnd: counts.clustersAtEnd
            )
        }
    }
}

/// `GET /v1/insights/refusals`: what this process counted since it started.
struct RefusalsAnswer: Encodable {
    /// Reports that were refused with a status.
    struct Refused: Encodable {
        let status: Int
        let reason: String
        let reports: Int
    }

    /// Requests that were refused by a limit, which are also among those with 429.
    struct Limited: Encodable {
        let limit: String
        let requests: Int
    }

    /// What was taken out of reports that were accepted otherwise, as the data dictionary does not have it.
    struct Dropped: Encodable {
        let samples: Int
        let labels: Int
        let replacedValues: Int

        private enum CodingKeys: String, CodingKey {
            case samples, labels
            case replacedValues = "replaced_values"
        }
    }

    let since: String
    let accepted: Int
    let refused: [Refused]
    let limited: [Limited]
    let dropped: Dropped

    /// What a registry has of it.
    init(_ registry: MetricsRegistry, since: UTCInstant) {
        func counts(of name: String, by label: String) -> [String: Int] {
            Dictionary(registry.counts(of: name).map { ($0.labels[label] ?? "", $0.count) }) { $0 + $1 }
        }
        self.since = since.rfc3339
        accepted = registry.sum(of: "telemetry_reports_accepted_total")
        let byStatus = counts(of: "telemetry_reports_refused_total", by: "status")
        refused = IngestMetrics.refusals.map { status, reason in
            Refused(status: status, reason: reason, reports: byStatus["\(status)"] ?? 0)
        }
        limited = counts(of: "telemetry_rate_limited_total", by: "limit").sorted { $0.key < $1.key }
            .map { Limited(limit: $0.key, requests: $0.value) }
        dropped = Dropped(
            samples: registry.sum(of: "telemetry_dropped_samples_total"),
            labels: registry.sum(of: "telemetry_dropped_labels_total"),
            replacedValues: registry.sum(of: "telemetry_replaced_label_values_total")
        )
    }
}

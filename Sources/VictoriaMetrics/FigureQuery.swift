// SPDX-License-Identifier: Apache-2.0

import TelemetryModel

/// A span of time that peaks are taken over, half open, and so many more of the same length behind it.
struct QuerySpan: Hashable {
    /// The first instant of the first span.
    let start: UTCInstant
    /// The first instant that is not in it any more.
    let end: UTCInstant
    /// How many spans there are, one behind the other.
    var count = 1

    /// A window.
    init(_ window: Window) {
        start = UTCInstant(startOf: window.start.firstDay)
        end = UTCInstant(startOf: (window.end + 1).firstDay)
    }

    /// Days, a span each.
    init(_ days: ClosedRange<UTCDay>) {
        start = UTCInstant(startOf: days.lowerBound)
        end = start.advanced(bySeconds: 86_400)
        count = days.upperBound.daysSinceEpoch - days.lowerBound.daysSinceEpoch + 1
    }

    /// Seconds of one span.
    var length: Int64 { end.secondsSinceEpoch - start.secondsSinceEpoch }
}

/// Expressions of MetricsQL for the figures, to be evaluated a millisecond before the end of a span.
///
/// A lookbehind window of the span's length then begins just before its first instant, which it does not hold itself. Only
/// peaks (`max_over_time`) and the times of first and last samples are used: those stay what they are however often a sample
/// is written. The outer `max by (cluster …)` makes one series of those that replicas wrote with labels of their own.
enum FigureQuery {
    /// Per figure the sum over clusters of the cluster's peak.
    static func totals(_ span: QuerySpan) -> String { sum(peaks(span)) }

    /// The same of the clusters that were seen on two UTC days by the end.
    static func establishedTotals(_ span: QuerySpan) -> String {
        sum("\(peaks(span)) and on(cluster) \(established)")
    }

    /// How many clusters reported each value of a dimension.
    static func clusters(by dimension: Dimension, _ span: QuerySpan) -> String {
        "count by (value) (\(values(dimension, span, "max_over_time")))"
    }

    /// How many clusters have each value of a dimension in the last report of the collector that speaks of it.
    ///
    /// A report of v0 is retired by a later one of v1, whatever that speaks of.
    static func clustersAtEnd(by dimension: Dimension, _ span: QuerySpan) -> String {
        let metric = "metric=\"\(dimension.metric.definition.name)\""
        let v1 = lastReport("collector!=\"v0\"", span)
        let lastOfV0 = lastReport("collector=\"v0\"", span)
        let v0 =
            "(\(lastReport("collector=\"v0\",\(metric)", span)) == on(cluster) \(lastOfV0)) unless on(cluster) (\(v1) >= on(cluster) \(lastOfV0))"
        let speaker = "max(\(lastReport("collector!=\"v0\",\(metric)", span)), \(v0)) by (cluster)"
        return "count by (value) (\(values(dimension, span, "tlast_over_time")) == on(cluster) group_left() \(speaker))"
    }

    /// The time of the first sample of all.
    static let firstSample = "min(tfirst_over_time(\(everything)[\(allTime)]))"

    private static let everything = "\(ReportSeries.total){figure=\"clusters\"}"
    /// Longer than any storage keeps anything; what begins before 1970 finds nothing.
    private static let allTime = "50y"

    private static let established = """
        (floor(max by (cluster) (tlast_over_time(\(everything)[\(allTime)])) / 86400) \
        > floor(min by (cluster) (tfirst_over_time(\(everything)[\(allTime)])) / 86400))
        """

    private static func sum(_ peaks: String) -> String {
        "sum by (\(ReportSeries.totalLabels.joined(separator: ", "))) (\(peaks))"
    }

    private static func peaks(_ span: QuerySpan) -> String {
        "max by (cluster, \(ReportSeries.totalLabels.joined(separator: ", "))) (max_over_time(\(ReportSeries.total)[\(span.length)s]))"
    }

    private static func values(_ dimension: Dimension, _ span: QuerySpan, _ function: String) -> String {
        "max by (cluster, value) (\(function)(\(ReportSeries.value){dimension=\"\(dimension.rawValue)\"}[\(span.length)s]))"
    }

    private static func lastReport(_ filters: String, _ span: QuerySpan) -> String {
        "max by (cluster) (tlast_over_time(\(ReportSeries.collector){\(filters)}[\(span.length)s]))"
    }
}

// SPDX-License-Identifier: Apache-2.0

/// What a `# TYPE` line says of a metric.
public enum MetricType: String, Sendable, Hashable, CaseIterable {
    /// Only goes up, or back to zero.
    case counter
    /// Goes up and down.
    case gauge
    /// Counts in buckets.
    case histogram
    /// Quantiles computed by the sender.
    case summary
    /// Nothing is said.
    case untyped
}

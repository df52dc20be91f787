// SPDX-License-Identifier: Apache-2.0

import Exposition

/// What one cluster said of itself at one instant: samples of the dictionary in canonical order, each series once.
///
/// Two reports of an unchanged cluster are equal, in whatever order their lines came.
public struct Report: Hashable, Sendable {
    /// One series and its value.
    public struct Sample: Hashable, Sendable {
        /// The series.
        public let series: Series
        /// A whole number in the unit of the metric, not negative.
        public let value: Int64

        /// A sample of a series.
        public init(_ series: Series, _ value: Int64) {
            self.series = series
            self.value = value
        }
    }

    /// The samples in canonical order.
    public let samples: [Sample]

    /// A report of samples in any order; samples of the same series are added up, info metrics stay 1.
    ///
    /// The values have the form of their labels; whoever reads them from outside uses `ReportBuilder`.
    public init(_ samples: some Sequence<Sample>) {
        var sorted = Array(samples)
        let isSorted = zip(sorted, sorted.dropFirst()).allSatisfy { $0.series < $1.series }
        if isSorted {
            self.samples = sorted
            return
        }
        sorted.sort { $0.series < $1.series }
        var merged: [Sample] = []
        for sample in sorted {
            if let last = merged.last, last.series == sample.series {
                merged[merged.count - 1] = last.added(to: sample)
            } else {
                merged.append(sample)
            }
        }
        self.samples = merged
    }

    /// The canonical text in the exposition format: what travels and what is hashed.
    public var text: [UInt8] {
        var writer = ExpositionWriter()
        for sample in samples {
            let definition = sample.series.metric.definition
            let labels = zip(definition.labels, sample.series.labels).compactMap { label, value in
                value.map { Label(name: label.name, value: $0) }
            }
            do {
                try writer.sample(name: definition.name, labels: labels, value: Double(sample.value))
            } catch {
                preconditionFailure("the names of the dictionary are legal: \(error)")
            }
        }
        return writer.bytes
    }

    /// The content hash: SHA-256 of the canonical text.
    public var digest: [UInt8] { sha256(text) }
}

extension Report.Sample {
    /// This sample and another of the same series as one; the largest value of an info metric is 1, so it stays 1.
    fileprivate func added(to other: Self) -> Self {
        Self(series, min(value + other.value, series.metric.definition.largestValue))
    }
}

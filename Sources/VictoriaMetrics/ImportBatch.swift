// SPDX-License-Identifier: Apache-2.0

import Exposition
public import TelemetryModel

/// Accepted reports as VictoriaMetrics takes them: the exposition format with a timestamp on each sample.
///
/// Every series carries the pseudonym of its cluster as `cluster`. Beside the samples of a report stand those that figures are
/// read from: the peak of a total, say, cannot be had from the peaks of its parts, as three nodes that get a new kernel are
/// three, not six.
public struct ImportBatch: Sendable {
    /// The body of an import request.
    public let body: [UInt8]

    /// The samples of reports, in the order given.
    public init(_ reports: some Sequence<AcceptedReport>) {
        var writer = ExpositionWriter()
        do {
            for accepted in reports { try Self.write(accepted, to: &writer) }
        } catch {
            preconditionFailure("the names of the dictionary are legal: \(error)")
        }
        body = writer.bytes
    }

    private static func write(_ accepted: AcceptedReport, to writer: inout ExpositionWriter) throws(ExpositionError) {
        let cluster = Label(name: ReportSeries.cluster, value: "\(accepted.cluster)")
        for sample in accepted.report.samples {
            let definition = sample.series.metric.definition
            let labels = zip(definition.labels, sample.series.labels).compactMap { label, value in
                value.map { Label(name: label.name, value: $0) }
            }
            try writer.sample(
                name: definition.name,
                labels: [cluster] + labels,
                value: Double(sample.value),
                timestamp: accepted.millisecondsSinceEpoch
            )
        }
        for sample in ReportSeries.samples(of: accepted.report) {
            try writer.sample(
                name: sample.name,
                labels: [cluster] + sample.labels,
                value: Double(sample.value),
                timestamp: accepted.millisecondsSinceEpoch
            )
        }
    }
}

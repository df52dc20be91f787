// SPDX-License-Identifier: Apache-2.0

import Exposition
public import TelemetryModel

/// Accepted reports as VictoriaMetrics takes them: the exposition format with a timestamp on each sample.
///
/// Every series carries the pseudonym of its cluster as `cluster`. Beside the samples of a report stand its totals, one
/// series for each figure, because the peak of a total cannot be had from the peaks of its parts: three nodes that get a
/// new kernel are three, not six.
public struct ImportBatch: Sendable {
    /// The body of an import request.
    public let body: [UInt8]

    /// The samples and totals of reports, in the order given.
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
        let cluster = Label(name: "cluster", value: "\(accepted.cluster)")
        let milliseconds = accepted.receivedAt.secondsSinceEpoch * 1_000
        for sample in accepted.report.samples {
            let definition = sample.series.metric.definition
            let labels = zip(definition.labels, sample.series.labels).compactMap { label, value in
                value.map { Label(name: label.name, value: $0) }
            }
            try writer.sample(
                name: definition.name,
                labels: [cluster] + labels,
                value: Double(sample.value),
                timestamp: milliseconds
            )
        }
        let totals = accepted.report.figures.map { (labels: [cluster] + $0.key.labels, value: $0.value) }
        for total in totals.sorted(by: { $0.labels.lexicographicallyPrecedes($1.labels) }) {
            try writer.sample(
                name: "cozy_report_total",
                labels: total.labels,
                value: Double(total.value),
                timestamp: milliseconds
            )
        }
    }
}

extension Figure {
    /// The figure as labels of `cozy_report_total`.
    fileprivate var labels: [Label] {
        func figure(_ name: String, _ detail: (name: String, value: String)? = nil) -> [Label] {
            [Label(name: "figure", value: name)] + (detail.map { [Label(name: $0.name, value: $0.value)] } ?? [])
        }
        switch self {
        case .clusters: return figure("clusters")
        case .nodes: return figure("nodes")
        case .tenants: return figure("tenants")
        case .loadBalancers: return figure("load_balancers")
        case .volumes: return figure("volumes")
        case .capacity(let resource): return figure("capacity", ("resource", resource))
        case .application(let kind): return figure("application", ("kind", kind))
        case .clustersWithApplication(let kind): return figure("clusters_with_application", ("kind", kind))
        case .canonicalApplication(let name): return figure("canonical_application", ("name", name))
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import Exposition
import TelemetryModel

/// The series that figures are read from, beside the samples of a report.
///
/// Each of their samples belongs to one report: it has the pseudonym of the cluster and the report's time. No series that
/// anybody else writes has one of these names, so that raw ids never mix with pseudonyms.
enum ReportSeries {
    /// The totals of a report, one series for each figure.
    static let total = "cozy_report_total"
    /// 1 for each value of a dimension that a report has.
    static let value = "cozy_report_value"
    /// 1 for each metric that a report's collector speaks of, see `Collector.speaks(of:in:)`.
    static let collector = "cozy_report_collector"

    /// The label of the cluster.
    static let cluster = "cluster"
    /// The labels of `total` beside the cluster.
    static let totalLabels = ["figure", "name"]

    /// The samples of a report that figures are read from: a name and labels without the cluster.
    static func samples(of report: Report) -> [(name: String, labels: [Label], value: Int64)] {
        var samples = report.figures.map { (name: total, labels: $0.key.labels, value: $0.value) }
        var values: [Dimension: Set<String>] = [:]
        for sample in report.samples where sample.value > 0 {
            for dimension in dimensions[Int(sample.series.metric.rawValue)] {
                for text in dimension.values(of: sample.series)
                where values[dimension, default: []].insert(text).inserted {
                    samples.append((value, dimension.labels(text), 1))
                }
            }
        }
        let sender = report.collector
        for metric in Metric.allCases where !dimensions[Int(metric.rawValue)].isEmpty {
            guard sender.speaks(of: metric, in: report.samples.lazy.map(\.series.metric)) else { continue }
            samples.append((collector, sender.labels(of: metric), 1))
        }
        return samples
    }

    /// The dimensions that each metric says something of.
    private static let dimensions = Metric.allCases.map { metric in
        Dimension.allCases.filter { $0.metric == metric }
    }
}

extension Figure {
    /// The figure as labels of a series.
    fileprivate var labels: [Label] {
        let (figure, name): (String, String?) =
            switch self {
            case .clusters: ("clusters", nil)
            case .nodes: ("nodes", nil)
            case .tenants: ("tenants", nil)
            case .loadBalancers: ("load_balancers", nil)
            case .volumes: ("volumes", nil)
            case .capacity(let resource): ("capacity", resource)
            case .application(let kind): ("application", kind)
            case .clustersWithApplication(let kind): ("clusters_with_application", kind)
            case .canonicalApplication(let name): ("canonical_application", name)
            }
        return [Label(name: "figure", value: figure)] + (name.map { [Label(name: "name", value: $0)] } ?? [])
    }

    /// The figure of a series; nil where there is no such figure.
    init?(labels: [String: String]) {
        let name = labels["name"] ?? ""
        switch labels["figure"] {
        case "clusters": self = .clusters
        case "nodes": self = .nodes
        case "tenants": self = .tenants
        case "load_balancers": self = .loadBalancers
        case "volumes": self = .volumes
        case "capacity": self = .capacity(resource: name)
        case "application": self = .application(kind: name)
        case "clusters_with_application": self = .clustersWithApplication(kind: name)
        case "canonical_application": self = .canonicalApplication(name: name)
        default: return nil
        }
    }
}

extension Dimension {
    /// A value of the dimension as labels of a series.
    fileprivate func labels(_ value: String) -> [Label] {
        [Label(name: "dimension", value: rawValue), Label(name: "value", value: value)]
    }
}

extension Collector {
    /// The collector and a metric that it speaks of as labels of a series.
    fileprivate func labels(of metric: Metric) -> [Label] {
        [Label(name: "collector", value: label), Label(name: "metric", value: metric.definition.name)]
    }

    /// The collector as a label.
    private var label: String {
        switch self {
        case .v0: "v0"
        case .v1Operator: "v1-operator"
        case .v1Controller: "v1-controller"
        }
    }
}

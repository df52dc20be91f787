// SPDX-License-Identifier: Apache-2.0

import Foundation
import TelemetryModel

/// A figure of an export.
struct ExportRow: Encodable {
    /// A number as it was told.
    enum Number: Encodable {
        case whole(Int64)
        /// An average, to one decimal.
        case decimal(Double)

        /// Its digits.
        var text: String {
            switch self {
            case .whole(let number): "\(number)"
            case .decimal(let number): Int64(exactly: number).map { "\($0)" } ?? "\(number)"
            }
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .whole(let number): try container.encode(number)
            case .decimal(let number): try container.encode(number)
            }
        }
    }

    /// `overview`, `series` or `breakdown`.
    var source: String
    /// What the series is of, or the dimension.
    var of: String?
    /// `month`, `quarter` or `year`.
    var period: String
    var start: String
    var end: String
    var name: String
    /// Of a breakdown, the clusters that reported the value.
    var value: Number
    /// Of a breakdown, those whose last report has it.
    var atEnd: Int?

    /// The names of the columns.
    static let header = ["source", "of", "period", "start", "end", "name", "value", "at_end"]

    /// The columns.
    var fields: [String] { [source, of ?? "", period, start, end, name, value.text, atEnd.map { "\($0)" } ?? ""] }

    private enum CodingKeys: String, CodingKey {
        case source, of, period, start, end, name, value
        case atEnd = "at_end"
    }
}

extension Overview {
    /// The figures, a row each.
    var rows: [ExportRow] {
        [("month", periods.month), ("quarter", periods.quarter), ("year", periods.year)].flatMap { name, period in
            period.figures.map { figure, value in
                ExportRow(
                    source: "overview",
                    period: name,
                    start: period.start,
                    end: period.end,
                    name: figure,
                    value: value
                )
            }
        }
    }
}

extension Overview.Period {
    /// The figures by the names that the backend's CSV has.
    fileprivate var figures: [(String, ExportRow.Number)] {
        [
            ("clusters", .whole(clusters)), ("total_nodes", .whole(totalNodes)),
            ("avg_nodes_per_cluster", .decimal(avgNodesPerCluster)), ("total_tenants", .whole(totalTenants)),
            ("avg_tenants_per_cluster", .decimal(avgTenantsPerCluster)),
            ("established_clusters", .whole(established.clusters)),
            ("established_total_nodes", .whole(established.totalNodes)),
            ("established_avg_nodes_per_cluster", .decimal(established.avgNodesPerCluster)),
            ("established_total_tenants", .whole(established.totalTenants)),
            ("established_avg_tenants_per_cluster", .decimal(established.avgTenantsPerCluster)),
        ] + apps.sorted { $0.key < $1.key }.map { ("app/\($0.key)", .whole($0.value)) }
    }
}

extension PublicSeries {
    /// The figures, a row each.
    var rows: [ExportRow] {
        points.flatMap { point in
            point.values.sorted { $0.key < $1.key }.map { name, value in
                ExportRow(
                    source: "series",
                    of: of.rawValue,
                    period: window,
                    start: point.start,
                    end: point.end,
                    name: name,
                    value: .whole(value)
                )
            }
        }
    }
}

extension PublicBreakdowns {
    /// The figures, a row each.
    var rows: [ExportRow] {
        Window.Length.allCases.map(\.name).flatMap { name in
            (periods[name].map { period in period.values.values.map { (period, $0) } } ?? []).map { period, value in
                ExportRow(
                    source: "breakdown",
                    of: by,
                    period: name,
                    start: period.start,
                    end: period.end,
                    name: value.value,
                    value: .whole(Int64(value.clusters)),
                    atEnd: value.clustersAtEnd
                )
            }
        }
    }
}

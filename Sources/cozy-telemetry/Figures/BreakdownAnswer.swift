// SPDX-License-Identifier: Apache-2.0

import TelemetryModel

/// The answer to `GET /api/breakdowns`: what everybody may know.
struct BreakdownAnswer: Codable, Sendable {
    /// The values in a window.
    struct Period: Codable, Sendable {
        let label: String
        let start: String
        let end: String
        let values: [PublicBreakdown.Value]
    }

    let by: String
    let asOf: String
    let k: Int
    /// By the name of the window's length.
    let periods: [String: Period]

    private enum CodingKeys: String, CodingKey {
        case by, k, periods
        case asOf = "as_of"
    }
}

/// The answer to `GET /v1/breakdowns/{dimension}` of a private listener: exact counts in one window.
struct WholeBreakdownAnswer: Codable, Sendable {
    /// How many clusters have a value.
    struct Counts: Codable, Sendable {
        let clusters: Int
        let clustersAtEnd: Int

        private enum CodingKeys: String, CodingKey {
            case clusters
            case clustersAtEnd = "clusters_at_end"
        }
    }

    let dimension: String
    let label: String
    let start: String
    let end: String
    let values: [String: Counts]
}

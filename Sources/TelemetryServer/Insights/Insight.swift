// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import TelemetryModel

/// What can be asked of `/v1/insights/…`.
enum Insight: String, CaseIterable {
    case adoption, upgrades, together, churn, sizes, curve, refusals
}

/// An insight with everything that its request says.
enum InsightQuery {
    /// So many months, of which this is the last.
    struct Months {
        let end: CalendarMonth
        let count: Int
    }

    case adoption(Dimension, Months, limit: Int)
    case upgrades(Dimension, Months, limit: Int)
    case together(CalendarMonth, least: Int, limit: Int)
    case churn(Months)
    case sizes(Months)
    case curve(Dimension, String, Months)
    case refusals

    /// Reads a request.
    ///
    /// - Throws: `Refusal` with 400.
    init(_ insight: Insight, _ request: Request, at instant: UTCInstant) throws(Refusal) {
        switch insight {
        case .adoption:
            self = .adoption(
                try request.versionDimension(),
                try request.months(default: 12, at: instant),
                limit: try request.limit(default: 100)
            )
        case .upgrades:
            self = .upgrades(
                try request.versionDimension(),
                try request.months(default: 12, at: instant),
                limit: try request.limit(default: 100)
            )
        case .together:
            self = .together(
                try request.begunMonth(at: instant),
                least: try request.number("least", in: 1...1_000_000, default: 2),
                limit: try request.limit(default: 50)
            )
        case .churn: self = .churn(try request.months(default: 12, at: instant))
        case .sizes: self = .sizes(try request.months(default: 12, at: instant))
        case .curve:
            self = .curve(
                try request.dimension(of: Dimension.allCases),
                try request.text("value", longest: 300),
                try request.months(default: 24, at: instant)
            )
        case .refusals: self = .refusals
        }
    }
}

extension Request {
    /// The months that end with `year` and `month`, so many as `months` says.
    fileprivate func months(default count: Int, at instant: UTCInstant) throws(Refusal) -> InsightQuery.Months {
        .init(end: try begunMonth(at: instant), count: try number("months", in: 1...24, default: count))
    }

    /// The most entries of a list.
    fileprivate func limit(default limit: Int) throws(Refusal) -> Int {
        try number("limit", in: 1...1_000, default: limit)
    }

    /// The versions that `dimension` names; those of Cozystack where it is not given.
    fileprivate func versionDimension() throws(Refusal) -> Dimension {
        try dimension(of: [.cozystackVersion, .kubernetesVersion], default: .cozystackVersion)
    }
}

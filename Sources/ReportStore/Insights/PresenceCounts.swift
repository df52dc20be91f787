// SPDX-License-Identifier: Apache-2.0

import TelemetryModel

/// What is counted of when clusters come, stay, go and come back.
struct PresenceCounts: Sendable {
    /// One month.
    private struct Month {
        var new = 0
        var kept = 0
        var returned = 0
        var gone = 0
        /// Those first seen in it, by how many months later they were seen.
        var cohort: [Int: Int] = [:]
        /// By lifetime at its end, those that were seen in it, and those that were not.
        var living = Array(repeating: 0, count: Churn.Lifetime.spans.count)
        var ended = Array(repeating: 0, count: Churn.Lifetime.spans.count)

        var clusters: Int { new + kept + returned }
    }

    private let first: CalendarMonth
    private var months: [Month]

    /// Nothing counted yet of some months.
    init(_ months: ClosedRange<CalendarMonth>) {
        first = months.lowerBound
        self.months = Array(repeating: Month(), count: months.all.count)
    }

    /// Counts a cluster.
    mutating func add(_ trace: ClusterTrace) {
        let lastDays = Dictionary(trace.months.map { ($0.month.index - first.index, $0.lastDay) }) { $1 }
        let birth = trace.firstDay.month.index - first.index
        var lastDay: UTCDay?
        for number in months.indices {
            if let day = lastDays[number] {
                lastDay = day
                if birth == number {
                    months[number].new += 1
                } else if lastDays[number - 1] != nil {
                    months[number].kept += 1
                } else {
                    months[number].returned += 1
                }
                if lastDays[number + 1] == nil { months[number].gone += 1 }
                if months.indices.contains(birth) { months[birth].cohort[number - birth, default: 0] += 1 }
            }
            guard let lastDay else { continue }
            let days = lastDay.daysSinceEpoch - trace.firstDay.daysSinceEpoch + 1
            guard let span = Churn.Lifetime.spans.firstIndex(where: { $0.contains(days) }) else { continue }
            if lastDays[number] == nil { months[number].ended[span] += 1 } else { months[number].living[span] += 1 }
        }
    }

    /// Clusters with a report in a month.
    func clusters(in month: CalendarMonth) -> Int { self[month].clusters }

    private subscript(_ month: CalendarMonth) -> Month {
        let number = month.index - first.index
        return months.indices.contains(number) ? months[number] : Month()
    }

    /// The churn of months; the definition is `ReferenceInsights.churn(in:)`.
    ///
    /// - Parameters:
    ///   - range: The months.
    ///   - since: The first month whose rows are there; nil where none were deleted.
    ///   - today: The day that it is.
    /// - Returns: The churn.
    func churn(in range: ClosedRange<CalendarMonth>, since: CalendarMonth?, today: UTCDay) -> Churn {
        let end = self[range.upperBound]
        return Churn(
            months: range.all.map { month in
                let counts = self[month]
                return Churn.Month(
                    month: month,
                    clusters: counts.clusters,
                    new: counts.new,
                    kept: month == since ? nil : counts.kept,
                    returned: month == since ? nil : counts.returned,
                    gone: month + 1 < today.month ? counts.gone : nil
                )
            },
            lifetimes: zip(Churn.Lifetime.spans, zip(end.living, end.ended)).map {
                Churn.Lifetime($0, seen: $1.0, gone: $1.1)
            },
            cohorts: range.all.map { month in
                let seen = (month...range.upperBound).all.map { self[month].cohort[$0.index - month.index] ?? 0 }
                return Churn.Cohort(month: month, clusters: self[month].new, seen: seen)
            }
        )
    }
}

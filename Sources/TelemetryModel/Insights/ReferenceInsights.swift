// SPDX-License-Identifier: Apache-2.0

/// The definitions of the insights, written down as plainly as they can be, over every report that was ever accepted.
///
/// It scans everything for every answer. The store answers the same from one pass over its clusters, and is tested against
/// it. Where lists have a limit the store leaves the rest out; here nothing is.
public struct ReferenceInsights: Sendable {
    private let histories: [[AcceptedReport]]
    private let today: UTCDay

    /// The insights of reports in the order in which they were accepted.
    ///
    /// - Parameters:
    ///   - reports: The reports.
    ///   - today: The day that they are looked at on; none is later.
    public init(_ reports: [AcceptedReport], today: UTCDay) {
        histories = Array(Dictionary(grouping: reports, by: \.cluster).values)
        self.today = today
    }

    // MARK: Versions

    /// Which versions clusters have, how fast they took them, and how far behind they are.
    ///
    /// A cluster took a version in the hour in which it was first seen with it, and takes it once. The lag of a cluster is
    /// the number of days from the one on which the successor of its version was first seen in the fleet, to the end of the
    /// month, or to today in the month that runs. A cluster with two versions counts with each of them.
    public func adoption(of dimension: Dimension, in months: ClosedRange<CalendarMonth>) -> Adoption {
        let all = months.all
        let seen = firstDays(of: dimension, until: months.upperBound)
        let versions = seen.map { version, days in
            let first = days.min() ?? today
            let waits = days.map { $0.daysSinceEpoch - first.daysSinceEpoch }
            return Adoption.Version(
                version: version,
                firstSeen: first,
                successor: version.successor(among: seen.keys),
                clusters: days.count,
                daysTo: .init(
                    quarter: Self.rank(1, of: 4, waits),
                    half: Self.rank(1, of: 2, waits),
                    nineTenths: Self.rank(9, of: 10, waits)
                ),
                atEnd: all.map { month in
                    histories.count { Self.values(of: dimension, atEndOf: month, in: $0).contains(version) }
                }
            )
        }
        return Adoption(
            months: all.map { adoptionMonth($0, dimension) },
            versions: versions.sorted { $0.version.precedesAsVersion($1.version) }
        )
    }

    private func adoptionMonth(_ month: CalendarMonth, _ dimension: Dimension) -> Adoption.Month {
        let firsts = firstDays(of: dimension, until: month).compactMapValues { $0.min() }
        let end = min(month.lastDay, today)
        let versions = histories.flatMap { Self.values(of: dimension, atEndOf: month, in: $0) }
            .filter { VersionNumber($0) != nil }
        let lags = versions.map { version in
            version.successor(among: firsts.keys).flatMap { firsts[$0] }
                .map { end.daysSinceEpoch - $0.daysSinceEpoch }
        }
        return Adoption.Month(
            month: month,
            clusters: histories.count { Self.isSeen($0, in: month) },
            current: lags.count { $0 == nil },
            lag: Self.quartiles(lags.map { $0 ?? 0 })
        )
    }

    /// From which version to which clusters went, in the months in which they were first seen with the later one.
    ///
    /// The versions of a cluster stand in the order of the hours in which it was first seen with them, those of the same hour
    /// in the order of versions; each goes to the next. So going back to a version that it had before is no move, and going
    /// down to one that it had not is.
    public func upgrades(of dimension: Dimension, in months: ClosedRange<CalendarMonth>) -> Upgrades {
        var moves: [String: [String: [Int]]] = [:]
        for history in histories {
            let taken = Self.firstSeen(of: dimension, in: history).sorted { left, right in
                left.value.hour == right.value.hour
                    ? left.key.precedesAsVersion(right.key) : left.value.hour < right.value.hour
            }
            for (before, after) in zip(taken, taken.dropFirst()) where months.contains(after.value.day.month) {
                let days = after.value.day.daysSinceEpoch - before.value.day.daysSinceEpoch
                moves[before.key, default: [:]][after.key, default: []].append(days)
            }
        }
        let paths = moves.flatMap { from, ends in
            ends.compactMap { to, days in
                Self.quartiles(days).map { Upgrades.Path(from: from, to: to, clusters: days.count, days: $0) }
            }
        }
        return Upgrades(moves: paths.reduce(0) { $0 + $1.clusters }, paths: paths.ranked)
    }

    // MARK: Applications and packages

    /// Which applications and packages at least so many clusters have both of in their last reports of a month.
    public func together(at month: CalendarMonth, least: Int) -> Together {
        let seen = histories.filter { Self.isSeen($0, in: month) }
        let things = seen.map { history in
            Set(
                [Dimension.application, .workloadKind, .package].flatMap { dimension in
                    Self.values(of: dimension, atEndOf: month, in: history)
                        .compactMap { Together.Thing(valueOf: dimension, $0) }
                }
            )
        }
        let all = things.reduce(into: Set()) { $0.formUnion($1) }.sorted()
        var pairs: [Together.Pair] = []
        for (position, first) in all.enumerated() {
            for second in all[(position + 1)...] {
                let both = things.count { $0.contains(first) && $0.contains(second) }
                let alone = [first, second].map { thing in (thing, things.count { $0.contains(thing) }) }
                guard both >= max(1, least) else { continue }
                pairs.append(.init(Dictionary(uniqueKeysWithValues: alone), both: both, of: seen.count))
            }
        }
        return Together(clusters: seen.count, pairs: pairs.ranked)
    }

    // MARK: Clusters

    /// Clusters that come, stay, go and come back.
    public func churn(in months: ClosedRange<CalendarMonth>) -> Churn {
        let end = months.upperBound
        let lives = histories.compactMap { history -> (days: Int, isSeen: Bool)? in
            let days = history.map(\.receivedAt.day).filter { $0.month <= end }
            guard let first = days.min(), let last = days.max() else { return nil }
            return (last.daysSinceEpoch - first.daysSinceEpoch + 1, last.month == end)
        }
        return Churn(
            months: months.all.map(churnMonth),
            lifetimes: Churn.Lifetime.spans.map { span in
                let lives = lives.filter { span.contains($0.days) }
                return .init(span, seen: lives.count { $0.isSeen }, gone: lives.count { !$0.isSeen })
            },
            cohorts: months.all.map { month in
                let cohort = histories.filter { Self.firstMonth($0) == month }
                let seen = (month...end).all.map { later in cohort.count { Self.isSeen($0, in: later) } }
                return Churn.Cohort(month: month, clusters: cohort.count, seen: seen)
            }
        )
    }

    private func churnMonth(_ month: CalendarMonth) -> Churn.Month {
        let seen = histories.filter { Self.isSeen($0, in: month) }
        let known = seen.filter { Self.firstMonth($0) != month }
        return Churn.Month(
            month: month,
            clusters: seen.count,
            new: seen.count - known.count,
            kept: known.count { Self.isSeen($0, in: month - 1) },
            returned: known.count { !Self.isSeen($0, in: month - 1) },
            gone: month + 1 < today.month ? seen.count { !Self.isSeen($0, in: month + 1) } : nil
        )
    }

    /// Clusters by their peaks of nodes, tenants and volumes in a month.
    public func sizes(in months: ClosedRange<CalendarMonth>) -> Sizes {
        Sizes(
            months: months.all.map { month in
                let seen = histories.filter { Self.isSeen($0, in: month) }
                func distribution(_ figure: Figure) -> Sizes.Distribution {
                    var distribution = Sizes.Distribution()
                    for history in seen {
                        let reports = history.filter { $0.receivedAt.month == month }
                        distribution.add(reports.compactMap { $0.report.figures[figure] }.max())
                    }
                    return distribution
                }
                return Sizes.Month(
                    month: month,
                    clusters: seen.count,
                    nodes: distribution(.nodes),
                    tenants: distribution(.tenants),
                    volumes: distribution(.volumes)
                )
            }
        )
    }

    // MARK: What clusters said

    private static func isSeen(_ history: [AcceptedReport], in month: CalendarMonth) -> Bool {
        history.contains { $0.receivedAt.month == month }
    }

    private static func firstMonth(_ history: [AcceptedReport]) -> CalendarMonth? {
        history.map(\.receivedAt.month).min()
    }

    /// The values that a cluster has in its last report of a month, from the collector that speaks of the dimension.
    private static func values(
        of dimension: Dimension,
        atEndOf month: CalendarMonth,
        in history: [AcceptedReport]
    ) -> Set<String> {
        let reports = history.filter { $0.receivedAt.month == month }.map(\.report)
        return Set(dimension.lastReport(among: reports).map(dimension.values(in:)) ?? [])
    }

    /// When a cluster was first seen with each value.
    private static func firstSeen(
        of dimension: Dimension,
        in history: [AcceptedReport]
    ) -> [String: (day: UTCDay, hour: Int)] {
        var firsts: [String: (day: UTCDay, hour: Int)] = [:]
        for report in history.sorted(by: { $0.receivedAt < $1.receivedAt }) {
            let day = report.receivedAt.day
            for value in dimension.values(in: report.report) where firsts[value] == nil {
                firsts[value] = (day, day.daysSinceEpoch * 24 + report.receivedAt.hourOfDay)
            }
        }
        return firsts
    }

    /// The day on which each cluster took a value, of all that did by the end of a month.
    private func firstDays(of dimension: Dimension, until month: CalendarMonth) -> [String: [UTCDay]] {
        histories.reduce(into: [:]) { days, history in
            for (value, first) in Self.firstSeen(of: dimension, in: history) where first.day.month <= month {
                days[value, default: []].append(first.day)
            }
        }
    }

    // MARK: Ranks

    /// The smallest number that a part of all, at least, do not exceed.
    private static func rank(_ part: Int, of whole: Int, _ numbers: [Int]) -> Int {
        numbers.sorted().first { number in numbers.count { $0 <= number } * whole >= numbers.count * part } ?? 0
    }

    private static func quartiles(_ numbers: [Int]) -> Quartiles? {
        numbers.isEmpty
            ? nil
            : Quartiles(
                quarter: rank(1, of: 4, numbers),
                median: rank(1, of: 2, numbers),
                threeQuarters: rank(3, of: 4, numbers)
            )
    }
}

extension ClosedRange<CalendarMonth> {
    /// Every month.
    package var all: [CalendarMonth] { (lowerBound.index...upperBound.index).map(CalendarMonth.init(index:)) }
}

// SPDX-License-Identifier: Apache-2.0

import TelemetryModel

/// What is counted of the versions of Cozystack, or of Kubernetes.
struct VersionCounts: Sendable {
    /// A version that a cluster went from to another, and the month in which it did.
    private struct Move: Hashable {
        let from: Int
        let to: Int
        let month: CalendarMonth
    }

    /// Versions beyond these come together under `other`.
    private static let largestNames = 2_000
    /// Moves beyond these are counted, and not listed.
    private static let largestMoves = 50_000

    private var names = BoundedNames<String>(limit: largestNames)
    /// Clusters by the day on which they took each version.
    private var taken: [DayCounts] = []
    /// Clusters that have each version at the end of a month.
    private var atEnd: [[CalendarMonth: Int]] = []
    /// Clusters by the days that a move took.
    private var moves: [Move: DayCounts] = [:]
    /// Moves by month that are not among these.
    private var unlisted: [CalendarMonth: Int] = [:]

    init() {
        _ = number(of: DataDictionary.other)
    }

    /// The number of a version.
    mutating func number(of version: String) -> Int {
        // The first name is the one for all others.
        let number = names.number(of: version) ?? 0
        if number == taken.count {
            taken.append(DayCounts())
            atEnd.append([:])
        }
        return number
    }

    /// Counts a cluster that has versions at the end of a month.
    mutating func add(_ versions: Set<Int>, atEndOf month: CalendarMonth) {
        for version in versions { atEnd[version][month, default: 0] += 1 }
    }

    /// Counts a cluster that was first seen with versions in hours since 1970.
    mutating func add(firstHours: [Int: Int]) {
        let order = firstHours.sorted { left, right in
            left.value == right.value
                ? names.names[left.key].precedesAsVersion(names.names[right.key]) : left.value < right.value
        }
        for (version, hour) in order { taken[version].add(at: hour / 24) }
        for (before, after) in zip(order, order.dropFirst()) {
            let day = UTCDay(daysSinceEpoch: after.value / 24)
            let move = Move(from: before.key, to: after.key, month: day.month)
            guard moves.count < Self.largestMoves || moves[move] != nil else {
                unlisted[day.month, default: 0] += 1
                continue
            }
            moves[move, default: DayCounts()].add(at: after.value / 24 - before.value / 24)
        }
    }
}

// MARK: - Answers

extension VersionCounts {
    /// The adoption of the versions that most clusters took by the end of months; the definition is
    /// `ReferenceInsights.adoption(of:in:)`.
    ///
    /// - Parameters:
    ///   - months: The months.
    ///   - limit: So many versions.
    ///   - today: The last day that there is anything of.
    ///   - clusters: Clusters with a report in a month.
    /// - Returns: The adoption.
    func adoption(
        in months: ClosedRange<CalendarMonth>,
        limit: Int,
        today: UTCDay,
        clusters: (CalendarMonth) -> Int
    ) -> Adoption {
        let end = months.upperBound
        let seen = firstDays(until: end)
        let versions = seen.compactMap { number, first -> Adoption.Version? in
            var waits = DayCounts()
            waits.add(taken[number], from: first, until: end.lastDay.daysSinceEpoch)
            guard let speed = waits.speed else { return nil }
            return Adoption.Version(
                version: names.names[number],
                firstSeen: UTCDay(daysSinceEpoch: first),
                successor: nil,
                clusters: waits.total,
                daysTo: speed,
                atEnd: months.all.map { atEnd[number][$0] ?? 0 }
            )
        }
        let largest = versions.sorted { ($1.clusters, $0.version) < ($0.clusters, $1.version) }.prefix(limit)
        let releases = Releases(seen.map { (names.names[$0.key], $0.value) })
        return Adoption(
            months: months.all.map { month(of: $0, today: today, clusters: clusters($0)) },
            versions: largest.sorted { $0.version.precedesAsVersion($1.version) }.map { version in
                var version = version
                version.successor = releases.successor(of: version.version)?.name
                return version
            }
        )
    }

    private func month(of month: CalendarMonth, today: UTCDay, clusters: Int) -> Adoption.Month {
        let releases = Releases(firstDays(until: month).map { (names.names[$0.key], $0.value) })
        let end = min(month.lastDay, today).daysSinceEpoch
        var (lags, current) = (DayCounts(), 0)
        for (number, months) in atEnd.enumerated() {
            guard let clusters = months[month], VersionNumber(names.names[number]) != nil else { continue }
            let successor = releases.successor(of: names.names[number])
            if successor == nil { current += clusters }
            lags.add(clusters, at: successor.map { end - $0.firstDay } ?? 0)
        }
        return Adoption.Month(month: month, clusters: clusters, current: current, lag: lags.quartiles)
    }

    /// The first day since 1970 of each version that was seen by the end of a month.
    private func firstDays(until month: CalendarMonth) -> [Int: Int] {
        var days: [Int: Int] = [:]
        let last = month.lastDay.daysSinceEpoch
        for (number, counts) in taken.enumerated() {
            if let first = counts.first, first <= last { days[number] = first }
        }
        return days
    }

    /// The paths that most clusters went in months; the definition is `ReferenceInsights.upgrades(of:in:)`.
    func upgrades(in months: ClosedRange<CalendarMonth>, limit: Int) -> Upgrades {
        /// A path, in whichever month.
        struct Path: Hashable {
            let from, to: Int
        }
        var days: [Path: DayCounts] = [:]
        for (move, counts) in moves where months.contains(move.month) {
            days[Path(from: move.from, to: move.to), default: DayCounts()].add(counts)
        }
        let paths = days.compactMap { path, days in
            days.quartiles.map {
                Upgrades.Path(
                    from: names.names[path.from],
                    to: names.names[path.to],
                    clusters: days.total,
                    days: $0
                )
            }
        }
        let others = unlisted.filter { months.contains($0.key) }.reduce(0) { $0 + $1.value }
        return Upgrades(
            moves: days.values.reduce(others) { $0 + $1.total },
            paths: Array(paths.ranked.prefix(limit))
        )
    }
}

/// Releases in their order, so that a successor is found at once; the definition is `String.successor(among:)`.
private struct Releases {
    /// A release and the first day since 1970 that it was seen on.
    struct Release {
        let number: VersionNumber
        let name: String
        let firstDay: Int
    }

    private let sorted: [Release]

    init(_ versions: [(name: String, firstDay: Int)]) {
        sorted = versions.compactMap { name, day in
            VersionNumber(name).flatMap { $0.isRelease ? Release(number: $0, name: name, firstDay: day) : nil }
        }
        .sorted { ($0.number, $0.name) < ($1.number, $1.name) }
    }

    /// The next release above a version.
    func successor(of version: String) -> Release? {
        guard let number = VersionNumber(version) else { return nil }
        var (first, end) = (0, sorted.count)
        while first < end {
            let middle = (first + end) / 2
            if sorted[middle].number > number { end = middle } else { first = middle + 1 }
        }
        return first < sorted.count ? sorted[first] : nil
    }
}

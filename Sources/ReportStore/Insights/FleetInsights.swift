// SPDX-License-Identifier: Apache-2.0

public import TelemetryModel

/// What one pass over all clusters of a store found: enough for the insights of every month that there are rows of.
public struct FleetInsights: Sendable {
    /// When the pass began; what was accepted after that may be in it or not.
    public let generatedAt: UTCInstant
    /// The months that were looked at; the last one is that of `generatedAt`.
    public let months: ClosedRange<CalendarMonth>
    /// The first month that rows are there of; nil where none were deleted.
    public let rowsSince: CalendarMonth?
    /// Clusters that were counted.
    public private(set) var clusters = 0
    /// Clusters that cannot be read, and are in no answer.
    public internal(set) var damagedClusters = 0

    private var versions: [Dimension: VersionCounts] = [:]
    private var presence: PresenceCounts
    private var pairs: PairCounts
    private var sizes: [CalendarMonth: [Sizes.Distribution]] = [:]

    /// Nothing counted yet.
    ///
    /// - Parameters:
    ///   - instant: When the pass begins.
    ///   - months: The months that it is about.
    ///   - since: The first month that rows are there of; nil where none were deleted.
    ///   - common: The applications and packages that are told apart first.
    init(
        at instant: UTCInstant,
        _ months: ClosedRange<CalendarMonth>,
        rowsSince since: CalendarMonth?,
        common: [Together.Thing]
    ) {
        (generatedAt, self.months, rowsSince) = (instant, months, since)
        presence = PresenceCounts(months)
        pairs = PairCounts(common)
        for dimension in InsightItem.versionDimensions { versions[dimension] = VersionCounts() }
    }

    /// Counts clusters.
    ///
    /// - Parameters:
    ///   - traces: What is known of them.
    ///   - items: What their items mean.
    mutating func add(_ traces: [ClusterTrace], items: [Int: InsightItem]) {
        let numbers = InsightNumbers(items, &versions, &pairs)
        for trace in traces { add(trace, numbers) }
    }

    private mutating func add(_ trace: ClusterTrace, _ numbers: InsightNumbers) {
        clusters += 1
        presence.add(trace)
        for dimension in InsightItem.versionDimensions {
            var hours: [Int: Int] = [:]
            for (item, hour) in trace.firstHours {
                guard let version = numbers.versions[dimension]?[item] else { continue }
                hours[version] = min(hours[version] ?? hour, hour)
            }
            versions[dimension]?.add(firstHours: hours)
        }
        for month in trace.months {
            for dimension in InsightItem.versionDimensions {
                let versions = month.atEnd.compactMap { numbers.versions[dimension]?[$0] }
                self.versions[dimension]?.add(Set(versions), atEndOf: month.month)
            }
            pairs.add(Set(month.atEnd.compactMap { numbers.things[$0] }), atEndOf: month.month)
            for (size, peak) in month.sizes.enumerated() {
                sizes[month.month, default: Self.noSizes][size].add(peak)
            }
        }
    }

    private static let noSizes = Array(repeating: Sizes.Distribution(), count: InsightItem.Size.allCases.count)
}

/// The numbers that items of a part of the clusters are counted under.
private struct InsightNumbers {
    private(set) var versions: [Dimension: [Int: Int]] = [:]
    private(set) var things: [Int: Int] = [:]

    init(_ items: [Int: InsightItem], _ versions: inout [Dimension: VersionCounts], _ pairs: inout PairCounts) {
        // In an order, as names beyond a limit come together.
        for (item, meaning) in items.sorted(by: { $0.key < $1.key }) {
            switch meaning {
            case .version(let dimension, let name):
                self.versions[dimension, default: [:]][item] = versions[dimension]?.number(of: name)
            case .thing(let thing): things[item] = pairs.number(of: thing)
            case .size, .nothing: break
            }
        }
    }
}

// MARK: - Answers

extension FleetInsights {
    /// The months that end with one, without those whose rows are deleted; nil where no month is left.
    public func months(endingWith end: CalendarMonth, count: Int) -> ClosedRange<CalendarMonth>? {
        let first = max(end - (count - 1), rowsSince ?? end - (count - 1))
        return first <= end ? first...end : nil
    }

    /// Which versions clusters have; see `ReferenceInsights.adoption(of:in:)`.
    ///
    /// - Parameters:
    ///   - dimension: Versions of Cozystack or of Kubernetes; of anything else there are none.
    ///   - months: The months.
    ///   - limit: So many versions.
    /// - Returns: The adoption.
    public func adoption(of dimension: Dimension, in months: ClosedRange<CalendarMonth>, limit: Int) -> Adoption {
        (versions[dimension] ?? VersionCounts())
            .adoption(in: months, limit: limit, today: generatedAt.day, clusters: presence.clusters(in:))
    }

    /// From which version to which clusters went; see `ReferenceInsights.upgrades(of:in:)`.
    ///
    /// - Parameters:
    ///   - dimension: Versions of Cozystack or of Kubernetes; of anything else there are none.
    ///   - months: The months.
    ///   - limit: So many paths.
    /// - Returns: The paths.
    public func upgrades(of dimension: Dimension, in months: ClosedRange<CalendarMonth>, limit: Int) -> Upgrades {
        (versions[dimension] ?? VersionCounts()).upgrades(in: months, limit: limit)
    }

    /// Which applications and packages go together; see `ReferenceInsights.together(at:least:)`.
    ///
    /// - Parameters:
    ///   - month: The month.
    ///   - least: Pairs that fewer clusters have are left out.
    ///   - limit: So many pairs.
    /// - Returns: The pairs.
    public func together(at month: CalendarMonth, least: Int, limit: Int) -> Together {
        pairs.together(at: month, clusters: presence.clusters(in: month), least: least, limit: limit)
    }

    /// Clusters that come, stay, go and come back; see `ReferenceInsights.churn(in:)`.
    public func churn(in months: ClosedRange<CalendarMonth>) -> Churn {
        presence.churn(in: months, since: rowsSince, today: generatedAt.day)
    }

    /// Clusters by size; see `ReferenceInsights.sizes(in:)`.
    public func sizes(in months: ClosedRange<CalendarMonth>) -> Sizes {
        Sizes(
            months: months.all.map { month in
                let counts = sizes[month] ?? Self.noSizes
                return Sizes.Month(
                    month: month,
                    clusters: presence.clusters(in: month),
                    nodes: counts[InsightItem.Size.nodes.rawValue],
                    tenants: counts[InsightItem.Size.tenants.rawValue],
                    volumes: counts[InsightItem.Size.volumes.rawValue]
                )
            }
        )
    }
}

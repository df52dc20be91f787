// SPDX-License-Identifier: Apache-2.0

import GRDB
import TelemetryModel

/// What the insights need of one cluster, with items by their numbers.
struct ClusterTrace: Sendable {
    /// One month.
    struct Month: Sendable {
        let month: CalendarMonth
        /// The last day that it was seen on.
        let lastDay: UTCDay
        /// The versions and things that it has in its last reports, as items.
        let atEnd: [Int]
        /// Its peaks, in the order of `InsightItem.Size`; nil for what it says nothing of.
        let sizes: [Int64?]
    }

    /// The first day that it was ever seen on.
    let firstDay: UTCDay
    /// The months that it was seen in, in order; at least one.
    let months: [Month]
    /// The versions that it ever had, as items, each with the hour since 1970 in which it was first seen with it.
    let firstHours: [Int: Int]
}

/// What an item means for the insights.
enum InsightItem: Hashable, Sendable {
    /// Figures that clusters are told apart by.
    enum Size: Int, CaseIterable, Sendable {
        case nodes, tenants, volumes
    }

    case version(Dimension, String)
    case thing(Together.Thing)
    case size(Size)
    case nothing

    /// The dimensions whose values are versions.
    static let versionDimensions = [Dimension.cozystackVersion, .kubernetesVersion]

    init(_ item: Item) {
        switch item {
        case .figure(.nodes): self = .size(.nodes)
        case .figure(.tenants): self = .size(.tenants)
        case .figure(.volumes): self = .size(.volumes)
        case .figure: self = .nothing
        case .value(let dimension, let value) where Self.versionDimensions.contains(dimension):
            self = .version(dimension, value)
        case .value(let dimension, let value):
            self = Together.Thing(valueOf: dimension, value).map(Self.thing) ?? .nothing
        }
    }
}

/// Reads the traces of clusters that stand in one state of the store.
struct ClusterTraceReader {
    /// What the items mean that were met.
    private(set) var items: [Int: InsightItem] = [:]
    private var interner = Interner(isReadOnly: true)
    private let database: Database
    private let months: ClosedRange<CalendarMonth>

    /// A reader of some months.
    init(_ database: Database, months: ClosedRange<CalendarMonth>) {
        (self.database, self.months) = (database, months)
    }

    /// Reads a cluster; nil where it was not seen in these months.
    ///
    /// - Parameters:
    ///   - row: The number of the cluster.
    ///   - firstDay: The first day that it was ever seen on.
    /// - Returns: Its trace.
    /// - Throws: `StoreError.damaged`.
    mutating func trace(of row: Int, since firstDay: UTCDay) throws -> ClusterTrace? {
        let stored = try StoredMonths.fetch(row, in: months, database)
        guard !stored.isEmpty else { return nil }
        var news: [CalendarMonth: Set<Int>] = [:]
        var known: Set<Int> = []
        for month in stored {
            for peak in month.summary.peaks {
                guard case .version = try meaning(of: peak.item), known.insert(peak.item).inserted else { continue }
                news[month.month, default: []].insert(peak.item)
            }
        }
        let (lastDays, firstHours) = try sightings(of: row, news)
        guard lastDays.count == stored.count else {
            throw StoreError.damaged("the months of a cluster are not those of its reports")
        }
        return ClusterTrace(
            firstDay: firstDay,
            months: try stored.map { try month($0, lastDays[$0.month]) },
            firstHours: firstHours
        )
    }

    private mutating func month(_ stored: ClusterMonths.Month, _ lastDay: UTCDay?) throws -> ClusterTrace.Month {
        guard let lastDay else { throw StoreError.damaged("a month of a cluster has no reports") }
        var sizes: [Int64?] = Array(repeating: nil, count: InsightItem.Size.allCases.count)
        for peak in stored.summary.peaks {
            if case .size(let size) = try meaning(of: peak.item) { sizes[size.rawValue] = peak.value }
        }
        let atEnd = try stored.summary.lasts.valuesAtEnd { try interner.metric(of: $0, in: database) }
        return ClusterTrace.Month(
            month: stored.month,
            lastDay: lastDay,
            atEnd: try atEnd.filter { item in
                switch try meaning(of: item) {
                case .version, .thing: true
                case .size, .nothing: false
                }
            },
            sizes: sizes
        )
    }

    /// The last day of each month that the cluster was seen on, and when it was first seen with the versions that are new in
    /// a month; reports of other months are not looked into.
    private mutating func sightings(
        of row: Int,
        _ news: [CalendarMonth: Set<Int>]
    ) throws -> (lastDays: [CalendarMonth: UTCDay], firstHours: [Int: Int]) {
        let statement = try database.cachedStatement(
            sql: """
                SELECT month, first_hour, days, content FROM sighting
                WHERE cluster = ? AND month BETWEEN ? AND ? ORDER BY month
                """
        )
        var (lastDays, firstHours): ([CalendarMonth: UTCDay], [Int: Int]) = ([:], [:])
        let arguments: StatementArguments = [row, months.lowerBound.index, months.upperBound.index]
        let rows = try Row.fetchCursor(statement, arguments: arguments)
        while let found = try rows.next() {
            let month = try found.month(0, of: "sighting")
            let days = try found.number(2, in: StoredNumbers.daySets, of: "sighting")
            let first = month.firstDay.daysSinceEpoch
            let last = UTCDay(daysSinceEpoch: first + Int.bitWidth - 1 - days.leadingZeroBitCount)
            lastDays[month] = max(lastDays[month] ?? last, last)
            guard let new = news[month] else { continue }
            let hour = first * 24 + (try found.number(1, in: StoredNumbers.hours, of: "sighting"))
            let bytes = try found.bytes(3, of: "sighting")
            let content = try ReportContent(bytes: bytes, interner: &interner, in: database)
            for item in try content.facts(interner: &interner, in: database).values where new.contains(item) {
                firstHours[item] = min(firstHours[item] ?? hour, hour)
            }
        }
        return (lastDays, firstHours)
    }

    private mutating func meaning(of item: Int) throws -> InsightItem {
        if let known = items[item] { return known }
        let meaning = InsightItem(try interner.item(item, in: database))
        items[item] = meaning
        return meaning
    }
}

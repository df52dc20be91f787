// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import TelemetryModel

/// Small numbers for the series that reports repeat and for the items that are counted, the same for good.
///
/// It remembers what it looked up. One that gave out numbers in a transaction that was rolled back is to be thrown away.
struct Interner {
    private var seriesIDs: [SeriesKey: Int] = [:]
    private var facts: [Int: SeriesFacts] = [:]
    private var itemIDs: [Item: Int] = [:]
    private var items: [Int: Item] = [:]
    private var texts: [String: Int] = [:]
    /// Whether nothing is to be stored: an item that is not there gets a number of its own, below 0.
    private let isReadOnly: Bool

    init(isReadOnly: Bool = false) {
        self.isReadOnly = isReadOnly
    }

    /// The most series remembered at a time, so that hostile label values do not fill the memory.
    private static let capacity = 50_000

    /// Forgets what it remembers where that has become too much; only between transactions, as numbers that were handed
    /// out are looked up again later in the same one.
    mutating func trim() {
        if facts.count > Self.capacity || items.count > Self.capacity || texts.count > Self.capacity {
            self = Self(isReadOnly: isReadOnly)
        }
    }

    /// The number of a series, a new one where it was never seen.
    mutating func id(of key: SeriesKey, in database: Database) throws -> Int {
        if let id = seriesIDs[key] { return id }
        let id = try Self.rowID(
            select: "SELECT id FROM series WHERE metric = ? AND labels = ?",
            insert: "INSERT INTO series (metric, labels, uses) VALUES (?, ?, 0)",
            [Int(key.metric.rawValue), Data(key.labels)],
            in: database
        )
        seriesIDs[key] = id
        facts[id] = try makeFacts(of: key, in: database)
        return id
    }

    /// What a series means for the totals; nil where there is none of that number.
    mutating func facts(of id: Int, in database: Database) throws -> SeriesFacts? {
        if let known = facts[id] { return known }
        let statement = try database.cachedStatement(sql: "SELECT metric, labels FROM series WHERE id = ?")
        guard let row = try Row.fetchOne(statement, arguments: [id]),
            let metric = Metric(rawValue: UInt8(clamping: try row.number(0, of: "series")))
        else { return nil }
        let key = SeriesKey(metric: metric, labels: try row.bytes(1, of: "series"))
        let made = try makeFacts(of: key, in: database)
        seriesIDs[key] = id
        facts[id] = made
        return made
    }

    /// The number of an item, a new one where it was never seen.
    mutating func id(of item: Item, in database: Database) throws -> Int {
        if let id = itemIDs[item] { return id }
        let (kind, name) = item.stored
        let select = "SELECT id FROM item WHERE kind = ? AND name = ?"
        let id =
            isReadOnly
            ? try Int.fetchOne(database, sql: select, arguments: [kind, name]) ?? -1 - items.count
            : try Self.rowID(
                select: select,
                insert: "INSERT INTO item (kind, name) VALUES (?, ?)",
                [kind, name],
                in: database
            )
        itemIDs[item] = id
        items[id] = item
        return id
    }

    /// The item of a number.
    ///
    /// - Throws: `StoreError.damaged` where there is none.
    mutating func item(_ id: Int, in database: Database) throws -> Item {
        if let item = items[id] { return item }
        let statement = try database.cachedStatement(sql: "SELECT kind, name FROM item WHERE id = ?")
        guard let row = try Row.fetchOne(statement, arguments: [id]),
            let item = Item(storedKind: try row.number(0, of: "item"), name: try row.text(1, of: "item"))
        else { throw StoreError.damaged("a row refers to an item that is not there") }
        itemIDs[item] = id
        items[id] = item
        return item
    }

    /// The metric that says an item; items that are values of dimensions have one.
    mutating func metric(of id: Int, in database: Database) throws -> Metric {
        guard case .value(let dimension, _) = try item(id, in: database) else {
            throw StoreError.damaged("the last report of a month has an item that is no value")
        }
        return dimension.metric
    }

    /// The number of a row, which is made where it is not there.
    private static func rowID(
        select: String,
        insert: String,
        _ arguments: StatementArguments,
        in database: Database
    ) throws -> Int {
        let known = try database.cachedStatement(sql: select)
        if let id = try Int.fetchOne(known, arguments: arguments) {
            guard StoredNumbers.ids.contains(id) else {
                throw StoreError.damaged("the number of a series or item is none that there can be")
            }
            return id
        }
        try database.cachedStatement(sql: insert).execute(arguments: arguments)
        return Int(database.lastInsertedRowID)
    }

    /// Looks up the items that a series adds to; the definitions are `Report.figures` and `Dimension.values(of:)`.
    private mutating func makeFacts(of key: SeriesKey, in database: Database) throws -> SeriesFacts {
        guard let series = key.series(identifier: nil) else {
            throw StoreError.damaged("the labels of a series are not readable")
        }
        func number(_ figure: Figure) throws -> Int { try id(of: .figure(figure), in: database) }
        var (sums, highest): ([Int], [Int]) = ([], [])
        var presence: Int?
        switch key.metric {
        case .clusterInfo, .packageInfo: break
        case .nodesCount: sums = [try number(.nodes)]
        case .loadBalancersCount: sums = [try number(.loadBalancers)]
        case .volumesCount: sums = [try number(.volumes)]
        case .tenantsCount: highest = [try number(.tenants)]
        case .clusterCapacity: sums = [try number(.capacity(resource: series[0] ?? DataDictionary.other))]
        case .applicationCount, .workloadsCount:
            let label = key.metric == .applicationCount ? 0 : WorkloadLabel.kind
            let kind = series[label] ?? DataDictionary.other
            sums = [try number(.application(kind: kind))]
            if let name = ApplicationName.canonical(of: kind) {
                sums.append(try number(.canonicalApplication(name: name)))
            } else {
                presence = try number(.clustersWithApplication(kind: kind))
            }
            if key.metric == .applicationCount, kind == "Tenant" { highest = [try number(.tenants)] }
        }
        let values = try Dimension.allCases.flatMap { dimension in
            try dimension.values(of: series).map { try id(of: .value(dimension, $0), in: database) }
        }
        let identifierText = key.metric == .workloadsCount ? series[WorkloadLabel.uid] ?? "" : ""
        return SeriesFacts(
            key: key,
            identifierText: textNumber(identifierText),
            sums: sums,
            highest: highest,
            presence: presence,
            values: values
        )
    }

    /// A number that stands for a text as long as this remembers it.
    private mutating func textNumber(_ text: String) -> Int {
        if let number = texts[text] { return number }
        texts[text] = texts.count
        return texts.count - 1
    }
}

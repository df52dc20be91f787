// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import TelemetryModel

/// Small numbers for the series and figures that reports repeat, the same for good.
///
/// It remembers what it looked up. One that gave out numbers in a transaction that was rolled back is to be thrown away.
struct Interner {
    private var seriesIDs: [SeriesKey: Int64] = [:]
    private var seriesByID: [Int64: SeriesKey] = [:]
    private var figureIDs: [Figure: Int64] = [:]
    private var figuresByID: [Int64: Figure] = [:]

    /// The most series remembered at a time, so that hostile label values do not fill the memory.
    private static let capacity = 100_000

    /// A series as it is stored.
    struct SeriesKey: Hashable {
        let metric: Metric
        let labels: [UInt8]
    }

    /// The number of a series, a new one where it was never seen.
    mutating func id(of key: SeriesKey, in database: Database) throws -> Int64 {
        if let id = seriesIDs[key] { return id }
        let id = try Self.rowID(
            select: "SELECT id FROM series WHERE metric = ? AND labels = ?",
            insert: "INSERT INTO series (metric, labels) VALUES (?, ?)",
            [Int(key.metric.rawValue), Data(key.labels)],
            in: database
        )
        remember(id, key)
        return id
    }

    /// The series of a number; nil where there is none.
    mutating func series(_ id: Int64, in database: Database) throws -> SeriesKey? {
        if let key = seriesByID[id] { return key }
        let statement = try database.cachedStatement(sql: "SELECT metric, labels FROM series WHERE id = ?")
        guard let row = try Row.fetchOne(statement, arguments: [id]),
            let metric = Metric(rawValue: row[0])
        else { return nil }
        let key = SeriesKey(metric: metric, labels: Array(row[1] as Data))
        remember(id, key)
        return key
    }

    /// The number of a figure, a new one where it was never seen.
    mutating func id(of figure: Figure, in database: Database) throws -> Int64 {
        if let id = figureIDs[figure] { return id }
        let (kind, name) = figure.stored
        let id = try Self.rowID(
            select: "SELECT id FROM figure WHERE kind = ? AND name = ?",
            insert: "INSERT INTO figure (kind, name) VALUES (?, ?)",
            [kind, name],
            in: database
        )
        remember(id, figure)
        return id
    }

    /// The figure of a number; nil where there is none.
    mutating func figure(_ id: Int64, in database: Database) throws -> Figure? {
        if let figure = figuresByID[id] { return figure }
        let statement = try database.cachedStatement(sql: "SELECT kind, name FROM figure WHERE id = ?")
        guard let row = try Row.fetchOne(statement, arguments: [id]),
            let figure = Figure(storedKind: row[0], name: row[1])
        else { return nil }
        remember(id, figure)
        return figure
    }

    /// The number of a row, which is made where it is not there.
    private static func rowID(
        select: String,
        insert: String,
        _ arguments: StatementArguments,
        in database: Database
    ) throws -> Int64 {
        let known = try database.cachedStatement(sql: select)
        if let id = try Int64.fetchOne(known, arguments: arguments) { return id }
        try database.cachedStatement(sql: insert).execute(arguments: arguments)
        return database.lastInsertedRowID
    }

    private mutating func remember(_ id: Int64, _ key: SeriesKey) {
        if seriesIDs.count >= Self.capacity {
            seriesIDs.removeAll()
            seriesByID.removeAll()
        }
        seriesIDs[key] = id
        seriesByID[id] = key
    }

    private mutating func remember(_ id: Int64, _ figure: Figure) {
        if figureIDs.count >= Self.capacity {
            figureIDs.removeAll()
            figuresByID.removeAll()
        }
        figureIDs[figure] = id
        figuresByID[id] = figure
    }
}

extension Figure {
    /// The figure as it is stored.
    var stored: (kind: Int, name: String) {
        switch self {
        case .clusters: (0, "")
        case .nodes: (1, "")
        case .tenants: (2, "")
        case .loadBalancers: (3, "")
        case .volumes: (4, "")
        case .capacity(let resource): (5, resource)
        case .application(let kind): (6, kind)
        case .clustersWithApplication(let kind): (7, kind)
        }
    }

    /// A stored figure; nil for a kind that a newer version wrote.
    init?(storedKind: Int, name: String) {
        switch storedKind {
        case 0: self = .clusters
        case 1: self = .nodes
        case 2: self = .tenants
        case 3: self = .loadBalancers
        case 4: self = .volumes
        case 5: self = .capacity(resource: name)
        case 6: self = .application(kind: name)
        case 7: self = .clustersWithApplication(kind: name)
        default: return nil
        }
    }
}

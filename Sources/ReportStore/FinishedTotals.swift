// SPDX-License-Identifier: Apache-2.0

import GRDB
import TelemetryModel

/// Makes the totals of a period anonymous when its rows go: names that few clusters have become `other`.
///
/// Applications of the public vocabulary and the resources that every cluster has keep their names.
enum FinishedTotals {
    /// A name and its total.
    private struct Entry {
        let name: String
        let total: Total
        /// Clusters that the name is known of.
        let clusters: Int64
    }

    /// Folds the names of a period.
    static func fold(
        _ period: Period,
        threshold: Int,
        _ interner: inout Interner,
        in database: Database
    ) throws {
        let totals = try TotalsTable.totals(
            of: period,
            kinds: 0...Int.max,
            pending: [:],
            skippingDamaged: true,
            in: database
        )
        for dimension in Dimension.allCases {
            var entries: [Entry] = []
            for case (.value(dimension, let name), let total) in totals where !isPublic(name, dimension) {
                entries.append(Entry(name: name, total: total, clusters: total.clusters))
            }
            try fold(entries, threshold, period, &interner, database) { .value(dimension, $0) }
        }
        var (kinds, resources): ([Entry], [Entry]) = ([], [])
        for case (.figure(let figure), let total) in totals {
            switch figure {
            case .application(let kind) where ApplicationName.published(kind) != kind:
                let clusters = totals[.figure(.clustersWithApplication(kind: kind))]
                kinds.append(Entry(name: kind, total: total, clusters: Int64(clamping: clusters?.all ?? 0)))
            case .capacity(let resource) where resource != "cpu" && resource != "memory":
                resources.append(Entry(name: resource, total: total, clusters: total.clusters))
            default: break
            }
        }
        let presences = kinds.map { entry in
            let total = totals[.figure(.clustersWithApplication(kind: entry.name))] ?? Total()
            return Entry(name: entry.name, total: total, clusters: entry.clusters)
        }
        try fold(kinds, threshold, period, &interner, database) { .figure(.application(kind: $0)) }
        try fold(presences, threshold, period, &interner, database) { .figure(.clustersWithApplication(kind: $0)) }
        try fold(resources, threshold, period, &interner, database) { .figure(.capacity(resource: $0)) }
    }

    /// Whether the values of a dimension come from the public vocabulary.
    private static func isPublic(_ name: String, _ dimension: Dimension) -> Bool {
        (dimension == .application || dimension == .workloadKind) && ApplicationName.published(name) == name
    }

    /// Takes the names that may not be told off, and adds what may be told together to `other`.
    private static func fold(
        _ entries: [Entry],
        _ threshold: Int,
        _ period: Period,
        _ interner: inout Interner,
        _ database: Database,
        item: (String) -> Item
    ) throws {
        let names = AnonymousNames(entries, threshold: threshold, name: \.name, clusters: \.clusters)
        let kept = Set(names.named.map(\.name))
        for entry in entries where !kept.contains(entry.name) {
            try add(-entry.total, to: item(entry.name), period, &interner, database)
        }
        for entry in names.folded {
            try add(entry.total, to: item(DataDictionary.other), period, &interner, database)
        }
    }

    private static func add(
        _ change: Total,
        to item: Item,
        _ period: Period,
        _ interner: inout Interner,
        _ database: Database
    ) throws {
        let key = TotalChanges.Key(period: period, item: try interner.id(of: item, in: database))
        do {
            try TotalsTable.add(change, to: key, kind: item.stored.kind, in: database)
        } catch StoreError.damaged {
            // `other` itself cannot be read; it stays so, and so does who reads the window.
        }
    }
}

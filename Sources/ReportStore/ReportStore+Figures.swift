// SPDX-License-Identifier: Apache-2.0

import GRDB
public import TelemetryModel

// Figures are read from totals that are up to date, all those of one call from one state of the store.
extension ReportStore: FigureSource {
    /// The totals of windows.
    ///
    /// - Throws: `StoreError.unavailable`.
    public func totals(of windows: [Window]) async throws -> [Window: WindowTotals] {
        try await read(windows.map(Period.window), kinds: Item.figureKinds) { totals in
            var result: [Window: WindowTotals] = [:]
            for window in windows {
                let (all, established) = totals[.window(window), default: [:]].figures
                result[window] = WindowTotals(window: window, all: all, established: established)
            }
            return result
        }
    }

    /// The totals of days, one after the other: the figures as a series.
    ///
    /// - Throws: `StoreError.unavailable`.
    public func totals(on days: ClosedRange<UTCDay>) async throws -> [DayTotals] {
        let days = days.all
        return try await read(days.map(Period.day), kinds: Item.figureKinds) { totals in
            days.map { day in
                let (all, established) = totals[.day(day), default: [:]].figures
                return DayTotals(day: day, all: all, established: established)
            }
        }
    }

    /// How many clusters reported each value of a dimension in windows, and how many have it in their last report.
    ///
    /// - Throws: `StoreError.unavailable`.
    public func breakdowns(
        by dimension: Dimension,
        in windows: [Window]
    ) async throws -> [Window: [String: Breakdown]] {
        try await read(windows.map(Period.window), kinds: dimension.kinds) { totals in
            var result: [Window: [String: Breakdown]] = [:]
            for window in windows {
                result[window] = totals[.window(window), default: [:]].values.mapValues {
                    Breakdown(clusters: Int(clamping: $0.all), clustersAtEnd: Int($0.last))
                }
            }
            return result
        }
    }

    /// How many clusters reported each value of a dimension on days, one after the other.
    ///
    /// - Throws: `StoreError.unavailable`.
    public func breakdowns(
        by dimension: Dimension,
        on days: ClosedRange<UTCDay>
    ) async throws -> [(day: UTCDay, clusters: [String: Int])] {
        let days = days.all
        return try await read(days.map(Period.day), kinds: dimension.kinds) { totals in
            days.map { day in
                (day, totals[.day(day), default: [:]].values.mapValues { Int(clamping: $0.all) })
            }
        }
    }

    /// Reads the totals of periods.
    private func read<Value: Sendable>(
        _ periods: [Period],
        kinds: ClosedRange<Int>,
        _ make: @escaping @Sendable ([Period: [Item: Total]]) -> Value
    ) async throws -> Value {
        do {
            return try await pool.read { database in
                let wanted = Set(periods)
                let pending = try TotalsTable.pending(in: database).totals(of: wanted.contains)
                var totals: [Period: [Item: Total]] = [:]
                for period in periods {
                    totals[period] = try TotalsTable.totals(of: period, kinds: kinds, pending: pending, in: database)
                }
                return make(totals)
            }
        } catch {
            throw StoreError(error)
        }
    }
}

extension Dimension {
    /// The kinds of items that are its values.
    fileprivate var kinds: ClosedRange<Int> { storedKind...storedKind }
}

extension [Item: Total] {
    /// The figures among the items, of all clusters and of the established ones.
    fileprivate var figures: (all: [Figure: Int64], established: [Figure: Int64]) {
        var all: [Figure: Int64] = [:]
        var established: [Figure: Int64] = [:]
        for case (.figure(let figure), let total) in self {
            all[figure] = Int64(clamping: total.all)
            established[figure] = Int64(clamping: total.established)
        }
        return (all, established)
    }

    /// The values of dimensions among the items.
    fileprivate var values: [String: Total] {
        var values: [String: Total] = [:]
        for case (.value(_, let value), let total) in self { values[value] = total }
        return values
    }
}

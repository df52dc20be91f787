// SPDX-License-Identifier: Apache-2.0

public import ReportStore
import TelemetryModel

/// Loads a fleet's histories straight into a store.
public struct FleetLoader: Sendable {
    /// How far it is.
    public struct Progress: Sendable {
        /// Clusters that are loaded.
        public var clusters = 0
        /// Months with reports, summed over clusters.
        public var clusterMonths = 0
    }

    /// So many clusters go into one transaction.
    private static let batch = 1_000

    private let history: FleetHistory
    private let clusters: Int

    /// A loader of that many clusters.
    public init(_ history: FleetHistory, clusters: Int) {
        self.history = history
        self.clusters = clusters
    }

    /// Loads all clusters, or those that are done when the task is cancelled.
    ///
    /// - Parameters:
    ///   - store: A store without clusters.
    ///   - progress: Called after each transaction.
    /// - Returns: What was loaded.
    /// - Throws: `StoreError`.
    public func run(into store: ReportStore, progress: (Progress) -> Void) async throws -> Progress {
        var done = Progress()
        var first = 0
        while first < clusters, !Task.isCancelled {
            let histories = (first..<min(first + Self.batch, clusters)).compactMap(history.history(of:))
            try await store.load(histories)
            done.clusters += histories.count
            done.clusterMonths += histories.reduce(0) { $0 + $1.months }
            first += Self.batch
            progress(done)
        }
        return done
    }
}

extension ReportHistory {
    /// How many months have a report.
    var months: Int {
        var months: Set<Int> = []
        for stay in stays {
            months.formUnion(stay.received.lowerBound.month.index...stay.received.upperBound.month.index)
        }
        return months.count
    }
}

// SPDX-License-Identifier: Apache-2.0

import Exposition
public import ReportStore
public import TelemetryModel

/// Brings what lies in VictoriaMetrics into a store: what today's backend wrote, under raw ids, and what these backends sent on.
///
/// The samples of a cluster with one time are one report. It is held against the dictionary as if it had just come, and what was
/// written under raw ids is pseudonymised before anything is kept.
public struct HistoryImport: Sendable {
    /// How far it is.
    public struct Progress: Sendable {
        /// Clusters that are in the store.
        public var clusters = 0
        /// Of so many.
        public var all = 0
        /// Clusters that the store had before, which were left alone.
        public var known = 0
        /// Reports that were read; the same again counts.
        public var reports = 0
        /// Reports that are none by the dictionary, and ids that are none.
        public var refused = 0
        /// Clusters none of whose reports is one by the dictionary.
        public var empty: Set<Pseudonym> = []
        /// Whether it came to the end.
        public var isComplete = false
    }

    private let client: ExportClient
    private let store: ReportStore
    private let pseudonymizer: Pseudonymizer

    /// So many clusters go into one transaction.
    private static let batch = 20

    /// An import into a store.
    ///
    /// - Parameters:
    ///   - client: Where the series are.
    ///   - store: A store, best one without clusters: of those that it has nothing is added.
    ///   - pseudonymizer: Replaces raw ids.
    public init(_ client: ExportClient, into store: ReportStore, pseudonymizer: Pseudonymizer) {
        (self.client, self.store, self.pseudonymizer) = (client, store, pseudonymizer)
    }

    /// Brings everything that was received in some months, or until the task is cancelled; done again it goes on.
    ///
    /// - Parameters:
    ///   - months: The months.
    ///   - progress: Called after each transaction.
    /// - Returns: What was brought.
    /// - Throws: `FiguresUnavailable` or `StoreError`.
    public func run(
        of months: ClosedRange<CalendarMonth>,
        progress: (Progress) -> Void
    ) async throws -> Progress {
        var done = Progress()
        let names = Dictionary(grouping: try await names(in: months), by: pseudonym(of:))
        done.all = names.count
        var waiting: [ReportHistory] = []
        func commit() async throws {
            guard !waiting.isEmpty else { return }
            try await store.load(waiting)
            waiting.removeAll()
        }
        for (cluster, names) in names where !Task.isCancelled {
            progress(done)
            guard let cluster else {
                done.refused += names.count
                continue
            }
            guard !store.knows(cluster) else {
                done.known += 1
                continue
            }
            // One may have been written under its raw id before, and sent on under its pseudonym since.
            var stays: [ReportHistory.Stay] = []
            for name in names { stays += try await self.stays(of: name, months, &done) }
            guard !stays.isEmpty else {
                done.empty.insert(cluster)
                continue
            }
            stays.sort { $0.received.lowerBound < $1.received.lowerBound }
            waiting.append(ReportHistory(cluster: cluster, stays: stays))
            done.clusters += 1
            if waiting.count == Self.batch { try await commit() }
        }
        try await commit()
        done.isComplete = !Task.isCancelled
        return done
    }

    /// The months of which clusters lie in VictoriaMetrics that the store does not have, but for those without any report.
    ///
    /// - Throws: `FiguresUnavailable`.
    public func differences(of months: ClosedRange<CalendarMonth>, after done: Progress) async throws -> [String] {
        var differences: [String] = []
        for month in (months.lowerBound.index...months.upperBound.index).map(CalendarMonth.init(index:)) {
            let there = Set(try await names(in: month...month).compactMap(pseudonym(of:))).subtracting(done.empty)
            let missing = there.filter { !store.knows($0) }.count
            if missing > 0 { differences.append("\(month.label): \(missing) clusters of \(there.count) are missing") }
        }
        return differences
    }

    /// Every cluster that there are series of, by a label and its value.
    private func names(in months: ClosedRange<CalendarMonth>) async throws -> [ExportClient.Cluster] {
        var clusters: [ExportClient.Cluster] = []
        for label in ExportClient.Cluster.Label.allCases {
            clusters += try await client.values(of: label, in: months).map {
                ExportClient.Cluster(label: label, value: $0)
            }
        }
        return clusters
    }

    private func pseudonym(of cluster: ExportClient.Cluster) -> Pseudonym? {
        switch cluster.label {
        case .raw: ClusterID(cluster.value).map(pseudonymizer.pseudonym(of:))
        case .pseudonym: Pseudonym(hexadecimal: cluster.value)
        }
    }

    private func stays(
        of name: ExportClient.Cluster,
        _ months: ClosedRange<CalendarMonth>,
        _ done: inout Progress
    ) async throws -> [ReportHistory.Stay] {
        var stays = StayCollector(decoder: ReportDecoder(pseudonymizer: name.label == .raw ? pseudonymizer : nil))
        for month in (months.lowerBound.index...months.upperBound.index).map(CalendarMonth.init(index:)) {
            for (instant, samples) in try await client.samples(of: name, in: month) { stays.add(samples, at: instant) }
        }
        done.reports += stays.reports
        done.refused += stays.refused
        return stays.stays
    }
}

/// Makes of samples with times the times that each report was repeated.
private struct StayCollector {
    let decoder: ReportDecoder
    private(set) var reports = 0
    private(set) var refused = 0
    private var finished: [ReportHistory.Stay] = []
    /// What is said now, of the collector that only counts applications and of all others.
    private var current: [Bool: (body: [UInt8], report: Report, received: ClosedRange<UTCInstant>)] = [:]

    init(decoder: ReportDecoder) {
        self.decoder = decoder
    }

    /// The times, in the order of the first.
    var stays: [ReportHistory.Stay] {
        (finished + current.values.map { .init($0.report, received: $0.received) })
            .sorted { $0.received.lowerBound < $1.received.lowerBound }
    }

    /// Adds the samples that a cluster has at an instant.
    mutating func add(_ samples: [Sample], at instant: UTCInstant) {
        // Both collectors of v1 may have reported within the instant; v0 is one that sends everything.
        let isApplications = { (sample: Sample) in sample.name == Metric.applicationCount.definition.name }
        let hasV0 = samples.contains { sample in
            [Metric.tenantsCount, .workloadsCount].contains { $0.definition.name == sample.name }
        }
        let (applications, others) = (samples.filter(isApplications), samples.filter { !isApplications($0) })
        if hasV0 {
            add(report: samples, isController: false, at: instant)
        } else {
            if !others.isEmpty { add(report: others, isController: false, at: instant) }
            if !applications.isEmpty { add(report: applications, isController: true, at: instant) }
        }
    }

    private mutating func add(report samples: [Sample], isController: Bool, at instant: UTCInstant) {
        reports += 1
        guard let body = try? ExpositionWriter.write(sorted: samples) else {
            refused += 1
            return
        }
        if let known = current[isController], known.body == body,
            instant.day.daysSinceEpoch - known.received.upperBound.day.daysSinceEpoch <= 1
        {
            current[isController]?.received = known.received.lowerBound...max(known.received.upperBound, instant)
            return
        }
        guard let report = try? decoder.decode(body).report else {
            refused += 1
            return
        }
        if let known = current[isController] { finished.append(.init(known.report, received: known.received)) }
        current[isController] = (body, report, instant...instant)
    }
}

// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FleetSimulator
import Foundation
import Logging
import ReportStore
import TelemetryModel
import TelemetryServer

/// How `simulate` fills a store.
struct LoadOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Write the fleet into a store in this directory instead.", valueName: "dir"),
        completion: .directory
    )
    var into: String?

    @Option(help: "How many months back the fleet has reported, the last one among them. (default: 12)")
    var months: Int?

    @Option(help: ArgumentHelp("The last month; until now unless given.", valueName: "yyyy-mm"))
    var until: String?

    @Option(help: "How often a cluster changes in 30 days; 0 for never. (default: 2)")
    var changesPerMonth: Double?

    @Option(help: "What clusters look like: mixed, or v0.22 for the typical report of that version. (default: mixed)")
    var shape: String?

    static let names = "--months, --until, --changes-per-month and --shape"

    /// Whether anything but the directory is given.
    var isGiven: Bool { months != nil || until != nil || changesPerMonth != nil || shape != nil }

    func validate() throws {
        guard (1...60).contains(months ?? 1) else { throw ValidationError("--months must be from 1 to 60") }
        guard (0...1_000).contains(changesPerMonth ?? 0) else {
            throw ValidationError("--changes-per-month must be from 0 to 1000")
        }
        if let until, Self.month(until) == nil { throw ValidationError("--until must be a month such as 2026-03") }
        if let shape, FleetHistory.Shape(rawValue: shape) == nil {
            throw ValidationError("--shape must be mixed or v0.22")
        }
    }

    /// Fills the store, and says how far it is where somebody watches.
    func run(into directory: String, clusters: Int, seed: UInt64) async throws -> LoadResult {
        do {
            let pseudonymizer = try PseudonymKeyFile.load(fromDirectory: directory)
            let store = try ReportStore(
                directory: directory,
                keyCheck: pseudonymizer.checkValue,
                metrics: MetricsRegistry(),
                logger: LogOptions.logger("simulate", level: .warning)
            )
            guard store.clusterCount == 0 else {
                throw CommandFailure.failed("\(directory) has a store with clusters; give an empty directory")
            }
            let begin = ContinuousClock.now
            let loader = FleetLoader(FleetHistory(plan: plan(seed), pseudonymizer: pseudonymizer), clusters: clusters)
            let done = try await Interruption.task { try await loader.run(into: store) { show($0, clusters, begin) } }
            let reports = try await store.statistics().distinctReports
            try store.close()
            return try LoadResult(done, reports: reports, in: ContinuousClock.now - begin, directory: directory)
        } catch let error as StoreError {
            throw CommandFailure.failed(error.description)
        }
    }

    private func plan(_ seed: UInt64) -> FleetHistory.Plan {
        let now = UTCInstant.now()
        let end = until.flatMap(Self.month).map { min(now, UTCInstant(startOf: ($0 + 1).firstDay)) } ?? now
        var plan = FleetHistory.Plan(months: months ?? 12, before: end.advanced(bySeconds: -1))
        plan.changesPerMonth = changesPerMonth ?? plan.changesPerMonth
        plan.shape = shape.flatMap(FleetHistory.Shape.init) ?? plan.shape
        plan.seed = seed
        return plan
    }

    private func show(_ progress: FleetLoader.Progress, _ clusters: Int, _ begin: ContinuousClock.Instant) {
        let seconds = (ContinuousClock.now - begin) / .seconds(1)
        let rate = Double(progress.clusters) / max(seconds, 0.001)
        let left = Int(Double(clusters - progress.clusters) / max(rate, 1))
        Terminal.progress(
            "\(progress.clusters) of \(clusters) clusters, \(Int(rate)) a second, \(left) s left",
            isLast: progress.clusters >= clusters
        )
    }

    private static func month(_ text: String) -> CalendarMonth? {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].count == 4, let year = Int(parts[0]), (2000...2100).contains(year),
            let month = Int(parts[1]),
            (1...12).contains(month)
        else { return nil }
        return CalendarMonth(year: year, month: month)
    }
}

/// What was loaded, and what it takes on disk.
struct LoadResult: Codable {
    let clusters: Int
    let distinctReports: Int
    let clusterMonths: Int
    let seconds: Double
    let clustersPerSecond: Int
    let bytes: Int
    let bytesPerClusterMonth: Int

    init(_ done: FleetLoader.Progress, reports: Int, in time: Duration, directory: String) throws {
        clusters = done.clusters
        distinctReports = reports
        clusterMonths = done.clusterMonths
        seconds = (time / .seconds(1) * 10).rounded() / 10
        clustersPerSecond = Int(Double(done.clusters) / max(time / .seconds(1), 0.001))
        let path = directory + "/" + ReportStore.fileName
        bytes = (try FileManager.default.attributesOfItem(atPath: path)[.size] as? NSNumber)?.intValue ?? 0
        bytesPerClusterMonth = bytes / max(1, done.clusterMonths)
    }

    private enum CodingKeys: String, CodingKey {
        case clusters, seconds, bytes
        case distinctReports = "distinct_reports"
        case clusterMonths = "cluster_months"
        case clustersPerSecond = "clusters_per_second"
        case bytesPerClusterMonth = "bytes_per_cluster_month"
    }

    /// The result for people.
    var text: String {
        """
        \(clusters) clusters with \(distinctReports) distinct reports in \(seconds) s, \(clustersPerSecond) a second
        \(bytes) bytes on disk: \(bytesPerClusterMonth) for each cluster and month that it reported in
        """
    }
}

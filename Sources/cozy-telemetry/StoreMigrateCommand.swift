// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import AsyncHTTPClient
import Crypto
import Foundation
import Logging
import NIOCore
import ReportStore
import TelemetryModel
import TelemetryServer
import VictoriaMetrics

/// `cozy-telemetry store migrate`: a store's history into VictoriaMetrics, or from there into a store.
struct StoreMigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Bring the whole history of a store into VictoriaMetrics, or what lies there into a store.",
        discussion: """
            With --to every report goes there with the time that it was received at, one for each day that it was seen on. At the \
            end every figure of both is compared. To go on taking reports meanwhile, start the backend with --forward-url first, \
            and migrate a backup of its store in another directory. VictoriaMetrics drops what is older than its \
            -retentionPeriod without a word; the comparison finds that.

            With --from the reports are read as they lie there: what today's backend wrote under raw ids, which become \
            pseudonyms on the way, and what these backends sent on, for which the key has to be that of those backends. \
            Clusters that the store has already are left alone, so that it goes best into a new directory.

            No backend may use the directory. Control-C stops it between two parts; the same command goes on from there.
            """
    )

    @Option(help: ArgumentHelp("The import URL of VictoriaMetrics, as of --forward-url.", valueName: "url"))
    var to: String?

    @Option(
        help: ArgumentHelp("The base URL that VictoriaMetrics is read below, as of --vmselect-url.", valueName: "url")
    )
    var from: String?

    @Option(
        help: ArgumentHelp(
            "With --to, where the figures are read for the comparison; known of single nodes.",
            valueName: "url"
        )
    )
    var vmselectUrl: String?

    @Option(help: "With --from, how many months back, this one among them.")
    var months = 36

    @Flag(help: "Print the result as JSON.")
    var json = false

    @OptionGroup var options: StoreOptions

    func validate() throws {
        guard (to == nil) != (from == nil) else { throw ValidationError("give --to or --from") }
        if from != nil, vmselectUrl != nil { throw ValidationError("--vmselect-url goes with --to") }
        guard (1...600).contains(months) else { throw ValidationError("--months must be from 1 to 600") }
        if ![to, from, vmselectUrl].compactMap({ $0 }).allSatisfy(ForwardOptions.isURL) {
            // It may have a password in it.
            throw ValidationError("--to, --from and --vmselect-url must be http or https URLs")
        }
        if let to, vmselectUrl == nil, Self.base(of: to) == nil {
            throw ValidationError(
                "--to must end in /api/v1/import/prometheus; of vminsert give --vmselect-url too, where the figures are read"
            )
        }
    }

    /// What came of it.
    private struct Result: Codable {
        let clusters: Int
        let reports: Int
        /// Reports that were refused, or clusters whose rows cannot be read.
        let leftOut: Int
        /// Clusters that the store had before.
        let known: Int
        /// Figures that differ between both.
        let differences: [String]

        private enum CodingKeys: String, CodingKey {
            case clusters, reports, known, differences
            case leftOut = "left_out"
        }
    }

    func run() async throws {
        let result = try await options.withStore { maintenance in
            guard let pseudonymizer = try key(of: maintenance) else {
                throw StoreError.missingKey(path: maintenance.keyPath)
            }
            let store = try ReportStore(
                directory: maintenance.directory,
                keyCheck: pseudonymizer.checkValue,
                keyPath: maintenance.keyPath,
                isForwardOnly: false,
                metrics: MetricsRegistry(),
                logger: LogOptions.logger("migrate", level: .warning)
            )
            do {
                let result = try await Self.untilStopped {
                    var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
                    configuration.timeout.connect = .seconds(5)
                    configuration.timeout.read = .seconds(310)
                    return try await HTTPClient.withHTTPClient(configuration: configuration) { http in
                        if let to { return try await bring(store, to: to, maintenance.directory, http) }
                        return try await fetch(from: from ?? "", into: store, pseudonymizer, http)
                    }
                }
                try store.close()
                return result
            } catch {
                try store.close()
                throw error
            }
        }
        Terminal.endProgress()
        if json { try Terminal.writeJSON(result) } else { Self.show(result) }
        guard result.differences.isEmpty else {
            throw CommandFailure.failed(
                from == nil
                    ? "\(result.differences.count) figures differ; is the -retentionPeriod of VictoriaMetrics long enough?"
                    : "not everything that lies there is in the store; the same command goes on from where it was"
            )
        }
    }

    /// Runs a body until a signal, and says that it was stopped where one did that.
    private static func untilStopped(_ body: @escaping @Sendable () async throws -> Result) async throws -> Result {
        try await Interruption.task {
            do {
                return try await body()
            } catch  where Task.isCancelled {
                throw CommandFailure.failed("it was stopped; the same command goes on from where it was")
            }
        }
    }

    /// The key of the store; one is made where a history goes into a directory that has none yet.
    private func key(of maintenance: StoreMaintenance) throws -> Pseudonymizer? {
        from == nil ? try maintenance.key.existing() : try maintenance.key.load()
    }

    private static func show(_ result: Result) {
        Terminal.write(line: "\(result.clusters) clusters with \(result.reports) reports")
        if result.known > 0 { Terminal.write(line: "\(result.known) clusters were there already") }
        if result.leftOut > 0 { Terminal.write(line: "\(result.leftOut) could not be read and are left out") }
        for difference in result.differences.prefix(20) { Terminal.write(line: difference) }
        if result.differences.isEmpty { Terminal.write(line: "no figure differs") }
    }
}

// MARK: - To VictoriaMetrics

extension StoreMigrateCommand {
    /// The base URL of a single node by its import URL; nil where it is another one.
    private static func base(of url: String) -> String? {
        let path = "/api/v1/import/prometheus"
        return url.hasSuffix(path) && !url.contains("/insert/") ? String(url.dropLast(path.count)) : nil
    }

    private func bring(
        _ store: ReportStore,
        to url: String,
        _ directory: String,
        _ http: HTTPClient
    ) async throws -> Result {
        var place = MigrationPlace(directory: directory, target: url)
        let export = HistoryExport(store, to: ImportClient(url: url, http: http))
        let (all, begin) = (store.clusterCount, ContinuousClock.now)
        let done: HistoryExport.Progress
        do {
            let before = place
            done = try await export.run(after: place.position) { progress in
                try place.set(progress, after: before, in: directory)
                let rate = Double(progress.clusters) / max((ContinuousClock.now - begin) / .seconds(1), 0.001)
                Terminal.progress("\(place.clusters) of \(all) clusters, \(Int(rate)) a second")
            }
        } catch let error as HistoryExport.Failure {
            guard case .unavailable = error else { throw CommandFailure.failed("\(error)") }
            throw CommandFailure.unavailable("\(error); the same command goes on from where it was")
        }
        guard done.isComplete else { throw CancellationError() }
        let differences = try await compare(store, http)
        try MigrationPlace.remove(from: directory)
        return Result(
            clusters: place.clusters,
            reports: place.reports,
            leftOut: done.damaged,
            known: 0,
            differences: differences
        )
    }

    /// Compares every figure of both, for a minute if need be: what was imported shows after some seconds.
    private func compare(_ store: ReportStore, _ http: HTTPClient) async throws -> [String] {
        let months = try await store.rowMonths()
        guard let first = months.first else { return [] }
        let url = vmselectUrl ?? to.flatMap(Self.base) ?? ""
        let deadline = ContinuousClock.now + .seconds(60)
        while true {
            let figures = VictoriaMetricsFigures(
                QueryClient(url: url, http: http),
                metrics: MetricsRegistry(),
                logger: LogOptions.logger("migrate", level: .critical)
            )
            do {
                let differences = try await FigureComparison(store, with: figures).differences(
                    endingWith: first...max(first, UTCInstant.now().month),
                    from: months.completeFrom,
                    // Another backend may have sent more there meanwhile.
                    growing: UTCInstant.now().month
                ) { Terminal.progress("comparing the figures of \($0.label)") }
                if differences.isEmpty || .now > deadline { return differences }
            } catch let error as FiguresUnavailable {
                throw CommandFailure.unavailable("\(error); the same command compares again")
            }
            // Nobody tells when everything shows.
            try await Task.sleep(for: .seconds(2))
        }
    }
}

/// How far a migration came, kept beside the store.
private struct MigrationPlace: Codable {
    /// A hash of where it goes, as a URL may have a password in it.
    let target: String
    private(set) var position: Int?
    /// Clusters that are there.
    private(set) var clusters = 0
    /// Reports that were sent.
    private(set) var reports = 0

    private static func path(_ directory: String) -> String { directory + "/migration.json" }

    /// The place that a migration to the same target came to, or the beginning.
    init(directory: String, target url: String) {
        let target = SHA256.hash(data: Data(url.utf8)).description
        // A file that cannot be read means to begin anew, which changes nothing where it is.
        let known = FileManager.default.contents(atPath: Self.path(directory))
            .flatMap { try? JSONDecoder().decode(Self.self, from: $0) }
        if let known, known.target == target { self = known } else { self.init(target: target) }
    }

    private init(target: String) {
        self.target = target
    }

    /// Keeps how far it is, where it began behind a place.
    mutating func set(_ progress: HistoryExport.Progress, after before: Self, in directory: String) throws {
        position = progress.position
        (clusters, reports) = (before.clusters + progress.clusters, before.reports + progress.reports)
        try JSONEncoder().encode(self).write(to: URL(fileURLWithPath: Self.path(directory)), options: .atomic)
    }

    /// Has the next migration begin anew.
    static func remove(from directory: String) throws {
        try FileManager.default.removeItem(atPath: path(directory))
    }
}

// MARK: - From VictoriaMetrics

extension StoreMigrateCommand {
    private func fetch(
        from url: String,
        into store: ReportStore,
        _ pseudonymizer: Pseudonymizer,
        _ http: HTTPClient
    ) async throws -> Result {
        let last = UTCInstant.now().month
        let range = (last - (months - 1))...last
        let history = HistoryImport(ExportClient(url: url, http: http), into: store, pseudonymizer: pseudonymizer)
        do {
            let done = try await history.run(of: range) { progress in
                Terminal.progress("\(progress.clusters + progress.known) of \(progress.all) clusters")
            }
            guard done.isComplete else { throw CancellationError() }
            return Result(
                clusters: done.clusters,
                reports: done.reports,
                leftOut: done.refused,
                known: done.known,
                differences: try await history.differences(of: range, after: done)
            )
        } catch let error as FiguresUnavailable {
            throw CommandFailure.unavailable("\(error); the same command goes on from where it was")
        }
    }
}

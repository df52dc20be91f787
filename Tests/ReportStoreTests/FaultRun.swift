// SPDX-License-Identifier: Apache-2.0

import FleetSimulator
import Foundation
import GRDB
import Logging
import Metrics
import ReportStore
import TelemetryModel
import TelemetryTesting
import Testing

/// Reports that are given to a store on a bad disk, and which of them were answered.
struct FaultRun {
    /// The seed of the reports.
    let seed: UInt64
    private var reports: MarkedReports
    private let pseudonymizer: Pseudonymizer
    /// Everything that was ever submitted, by its number.
    private var submitted: [Int: AcceptedReport] = [:]
    /// The numbers of what was answered.
    private var answered: Set<Int> = []
    /// What was not answered the last time.
    private(set) var refused: [Int] = []

    /// A run that has submitted nothing yet.
    init(seed: UInt64) throws {
        self.seed = seed
        reports = MarkedReports(seed: seed)
        pseudonymizer = try #require(Pseudonymizer(key: Array(repeating: 7, count: Pseudonymizer.keyLength)))
    }

    /// Opens the store of a disk.
    func open(_ disk: FaultyFileSystem) throws -> ReportStore {
        try ReportStore(
            directory: disk.path,
            keyCheck: pseudonymizer.checkValue,
            metrics: NOOPMetricsHandler.instance,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    /// Submits that many new reports, so many at a time; stops where one fails, if that is wanted.
    mutating func submit(
        _ count: Int,
        atATime width: Int,
        to store: ReportStore,
        stoppingAtFailure: Bool = false
    ) async {
        var next: [Int] = []
        for _ in 0..<count {
            guard let marked = reports.next() else { continue }
            next.append(marked.number)
            submitted[marked.number] = AcceptedReport(
                cluster: pseudonymizer.pseudonym(of: marked.cluster),
                receivedAt: marked.receivedAt,
                report: marked.report
            )
        }
        await submit(next, atATime: width, to: store, stoppingAtFailure: stoppingAtFailure)
    }

    /// Submits what was not answered once more; all of it has to be.
    mutating func submitRefused(to store: ReportStore) async {
        await submit(refused, atATime: 64, to: store)
        #expect(refused.isEmpty, "seed \(seed)")
    }

    /// Submits reports and notes what came of them.
    private mutating func submit(
        _ numbers: [Int],
        atATime width: Int,
        to store: ReportStore,
        stoppingAtFailure: Bool = false
    ) async {
        var (left, unanswered) = (numbers[...], [Int]())
        let submitted = submitted
        await withTaskGroup(of: (number: Int, error: (any Error)?).self) { group in
            func addTask() {
                guard let number = left.popFirst(), let report = submitted[number] else { return }
                group.addTask {
                    do {
                        _ = try await store.submit(report)
                        // Readers get in the way of checkpoints.
                        if number % 7 == 0 { _ = try? await store.totals(of: [MarkedReports.wholeWindow]) }
                        return (number, nil)
                    } catch {
                        return (number, error)
                    }
                }
            }
            for _ in 0..<width { addTask() }
            for await (number, error) in group {
                if let error {
                    #expect(Self.isUnavailable(error), "seed \(seed)")
                    unanswered.append(number)
                } else {
                    answered.insert(number)
                }
                if unanswered.isEmpty || !stoppingAtFailure { addTask() }
            }
        }
        refused = unanswered
    }

    /// Whether this is how a store says that it cannot take a report now.
    private static func isUnavailable(_ error: any Error) -> Bool {
        if case StoreError.unavailable = error { true } else { false }
    }
}

// MARK: - What has to be true

extension FaultRun {
    /// Whether there is anything to look for.
    var hasAnswers: Bool { !answered.isEmpty }

    /// The store holds what was answered, each report once; of what was not, it may hold any part.
    ///
    /// - Parameters:
    ///   - store: The store.
    ///   - isExact: Whether it must hold nothing that was not answered.
    /// - Throws: Where it cannot be read.
    func check(_ store: ReportStore, isExact: Bool = false) async throws {
        let totals = try await store.totals(of: MarkedReports.windows)
        let counts = MarkedReports.counts(in: try #require(totals[MarkedReports.wholeWindow]))
        let present = Set(counts.keys)
        let lost = answered.subtracting(present).count
        #expect(lost == 0, "seed \(seed): of \(answered.count) answered")
        let twice = counts.values.filter { $0 > 1 }.count
        #expect(twice == 0, "seed \(seed): of \(counts.count) counted")
        let unknown = present.subtracting(submitted.keys).count
        #expect(unknown == 0, "seed \(seed)")
        let extra = present.subtracting(answered).count
        if isExact { #expect(extra == 0, "seed \(seed): reports that were refused are there") }
        let accepted = present.compactMap { submitted[$0] }
        let reference = ReferenceFigures(accepted)
        for window in MarkedReports.windows {
            #expect(totals[window] == reference.totals(of: window), "seed \(seed), \(window.label)")
        }
        let statistics = try await store.statistics()
        #expect(statistics.clusters == Set(accepted.map(\.cluster)).count, "seed \(seed)")
        #expect(statistics.distinctReports == present.count, "seed \(seed)")
    }

    /// Opens the store of a disk that works, checks it and closes it; the file must be sound.
    func checkReopened(_ disk: FaultyFileSystem) async throws {
        let store = try open(disk)
        try await check(store)
        try store.close()
        let file = try DatabaseQueue(path: disk.path + "/telemetry.sqlite")
        let verdict = try await file.read { try String.fetchOne($0, sql: "PRAGMA integrity_check") }
        #expect(verdict == "ok", "seed \(seed)")
        try file.close()
    }
}

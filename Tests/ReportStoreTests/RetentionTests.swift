// SPDX-License-Identifier: Apache-2.0

import TelemetryModel
import TelemetryTesting
import Testing

@testable import ReportStore

@Suite("Rows that are out of date")
struct RetentionTests {
    private static let first = CalendarMonth(year: 2024, month: 1)
    private static let months = 16
    private static let threshold = 5
    /// The first month that is kept; windows of a year begin before it and end after.
    private static let cut = first + 9

    /// Every window that has a report, and the empty ones around.
    private static let windows = (-1...months + 12).flatMap { month in
        Window.Length.allCases.map { Window($0, endingWith: first + month) }
    }

    /// The figures of a window as they stay when its rows are gone: the definitions, with the rule for rare names.
    private static func finished(_ totals: WindowTotals, _ reports: [AcceptedReport]) -> WindowTotals {
        var (all, established) = (totals.all, totals.established)
        let kinds = totals.all.keys.compactMap { figure -> String? in
            guard case .application(let kind) = figure, ApplicationName.canonical(of: kind) == nil else { return nil }
            return kind
        }
        let resources = totals.all.keys.compactMap { figure -> String? in
            guard case .capacity(let name) = figure, !["cpu", "memory"].contains(name) else { return nil }
            return name
        }
        func havers(of resource: String) -> Int64 {
            let seen = reports.filter { totals.window.contains($0.receivedAt.month) }
            return Int64(
                Set(seen.filter { $0.report.figures[.capacity(resource: resource)] != nil }.map(\.cluster)).count
            )
        }
        func fold(_ names: [String], clusters: (String) -> Int64, as figures: [(String) -> Figure]) {
            let divided = AnonymousNames(names, threshold: threshold, name: { $0 }, clusters: clusters)
            for figure in figures {
                Self.fold(&all, names, divided.named, divided.folded, figure)
                Self.fold(&established, names, divided.named, divided.folded, figure)
            }
        }
        fold(
            kinds,
            clusters: { totals.all[.clustersWithApplication(kind: $0)] ?? 0 },
            as: [{ .application(kind: $0) }, { .clustersWithApplication(kind: $0) }]
        )
        fold(resources, clusters: havers, as: [{ .capacity(resource: $0) }])
        return WindowTotals(window: totals.window, all: all, established: established)
    }

    private static func fold(
        _ figures: inout [Figure: Int64],
        _ names: [String],
        _ named: [String],
        _ folded: [String],
        _ figure: (String) -> Figure
    ) {
        let amounts = folded.compactMap { figures[figure($0)] }
        for name in names where !named.contains(name) { figures[figure(name)] = nil }
        guard !amounts.isEmpty else { return }
        figures[figure(DataDictionary.other), default: 0] += amounts.reduce(0, +)
    }

    /// The same for a breakdown.
    private static func finished(_ counts: [String: Breakdown], by dimension: Dimension) -> [String: Breakdown] {
        let hasPublicNames = dimension == .application || dimension == .workloadKind
        let names = counts.keys.filter { !hasPublicNames || ApplicationName.canonical(of: $0) == nil }
        let divided = AnonymousNames(
            names,
            threshold: threshold,
            name: { $0 },
            clusters: { Int64(counts[$0]?.clusters ?? 0) }
        )
        var result = counts
        for name in names where !divided.named.contains(name) { result[name] = nil }
        for count in divided.folded.compactMap({ counts[$0] }) {
            result[DataDictionary.other, default: Breakdown()].clusters += count.clusters
            result[DataDictionary.other, default: Breakdown()].clustersAtEnd += count.clustersAtEnd
        }
        return result
    }

    /// Compares every window with the definitions over some reports, and the finished ones over all.
    private func compare(
        _ store: ReportStore,
        with reports: [AcceptedReport],
        finished all: [AcceptedReport],
        seed: UInt64
    ) async throws {
        let (reference, whole) = (ReferenceFigures(reports), ReferenceFigures(all))
        let totals = try await store.totals(of: Self.windows)
        for window in Self.windows {
            let isFinished = window.start < Self.cut
            let expected =
                isFinished ? Self.finished(whole.totals(of: window), all) : reference.totals(of: window)
            #expect(totals[window] == expected, "seed \(seed), \(window.label)")
        }
        for dimension in Dimension.allCases {
            let breakdowns = try await store.breakdowns(by: dimension, in: Self.windows)
            for window in Self.windows {
                let expected =
                    window.start < Self.cut
                    ? Self.finished(whole.breakdown(by: dimension, in: window), by: dimension)
                    : reference.breakdown(by: dimension, in: window)
                #expect(breakdowns[window] == expected, "seed \(seed), \(dimension), \(window.label)")
            }
        }
        #expect(try await store.problems() == [], "seed \(seed)")
    }

    @Test("a spelling of one cluster's own is not kept as a name, though the kind is in the vocabulary")
    func spellings() async throws {
        let test = try TestStore()
        let store = try test.open()
        let instant = UTCInstant(startOf: Self.first.firstDay)
        let report = Report(["pOsTgReS", "Postgres"].map { .init(Series(.applicationCount, [$0]), 2) })
        _ = try await store.submit(test.accepted("a", report, at: instant))
        let window = Window(.month, endingWith: Self.first)
        #expect(try await store.totals(of: [window])[window]?.all[.application(kind: "pOsTgReS")] == 2)
        _ = try await store.deleteRows(before: Self.first + 1, threshold: Self.threshold)
        let all = try #require(try await store.totals(of: [window])[window]?.all)
        #expect(all[.application(kind: "pOsTgReS")] == nil)
        #expect(all[.application(kind: "Postgres")] == 2)
        #expect(all[.canonicalApplication(name: "Postgres")] == 4)
        let names = try await store.breakdowns(by: .application, in: [window])[window]
        #expect(names?.keys.sorted() == ["Postgres"])
        try store.close()
    }

    @Test("a resource that many clusters report and few have any of loses its name")
    func resourcesThatFewHave() async throws {
        let test = try TestStore()
        let store = try test.open()
        let instant = UTCInstant(startOf: Self.first.firstDay)
        for cluster in 0..<12 {
            // All twelve report both; two have one of the first, five of the second.
            let amounts = [("nvidia.com/A", cluster < 2), ("nvidia.com/B", cluster < 5)]
            let samples = amounts.map { Report.Sample(Series(.clusterCapacity, [$0.0]), $0.1 ? 1 : 0) }
            let report = Report(samples + [.init(Series(.loadBalancersCount), 0)])
            _ = try await store.submit(test.accepted("\(cluster)", report, at: instant))
        }
        _ = try await store.deleteRows(before: Self.first + 1, threshold: Self.threshold)
        let window = Window(.month, endingWith: Self.first)
        let all = try #require(try await store.totals(of: [window])[window]?.all)
        // With two clusters alone, `other` would be rare itself: it takes the next in.
        #expect(all == [.clusters: 12, .loadBalancers: 0, .capacity(resource: DataDictionary.other): 7])
        try store.close()
    }

    @Test(
        "go, and finished windows keep answering, with rare names folded; the others rest on rows as before",
        arguments: [1, 2] as [UInt64]
    )
    func deletion(seed: UInt64) async throws {
        let test = try TestStore()
        let store = try test.open()
        let all = try await test.fill(store, clusters: 14, from: Self.first, months: Self.months, seed: seed)
        #expect(try await store.rowMonths() == RowMonths(completeFrom: nil, first: Self.first))
        let before = try await store.totals(of: Self.windows)
        let outcome = try await store.deleteRows(before: Self.cut, threshold: Self.threshold)
        let kept = Set(all.filter { $0.receivedAt.month >= Self.cut }.map(\.cluster))
        #expect(outcome.sightings > 0)
        #expect(outcome.clusters == Set(all.map(\.cluster)).subtracting(kept).count)
        let statistics = try await store.statistics()
        #expect(statistics.firstMonth == "\(Self.cut)" && statistics.rowsSince == "\(Self.cut)")
        #expect(statistics.clusters == kept.count && store.clusterCount == kept.count)
        #expect(try await store.rowMonths() == RowMonths(completeFrom: Self.cut, first: Self.cut))
        let after = try await store.totals(of: Self.windows)
        for window in Self.windows {
            for figure in [.clusters, .nodes, .tenants, .loadBalancers, .volumes] as [Figure] {
                #expect(after[window]?.all[figure] == before[window]?.all[figure], "\(window.label)")
            }
        }
        try await compare(store, with: all, finished: all, seed: seed)
        #expect(try await store.deleteRows(before: Self.cut, threshold: Self.threshold) == RetentionOutcome())
        #expect(try await store.totals(of: Self.windows) == after)

        // Reports go on: of clusters that are known, and of one that is known no more.
        let gone = try #require(all.map(\.cluster).first { !kept.contains($0) })
        let here = try #require(kept.min())
        let late = UTCInstant(startOf: (Self.cut + 11).firstDay)
        let further = [gone, here].flatMap { cluster in
            (0..<3).map { day in
                AcceptedReport(
                    cluster: cluster,
                    receivedAt: late.advanced(bySeconds: Int64(day) * 100_000),
                    report: TestStore.report(nodes: Int64(day) + 40)
                )
            }
        }
        for report in further { _ = try await store.submit(report) }
        #expect(store.clusterCount == kept.count + 1)
        let remembered = all.filter { kept.contains($0.cluster) } + further
        try await compare(store, with: remembered, finished: all, seed: seed)
        try store.close()
    }

    @Test("a report of a month that a finished window holds is refused, and never counts in some windows only")
    func clockBehind() async throws {
        let (test, log) = (try TestStore(), LogRecorder())
        let store = try test.open(logger: log.logger)
        _ = try await test.fill(store, clusters: 3, from: Self.first, months: 2, seed: 5)
        // Finished by a clock that was years ahead.
        _ = try await store.deleteRows(before: Self.first + 40, threshold: Self.threshold)
        func submit(_ month: CalendarMonth, nodes: Int64) async throws -> ReportStore.Outcome {
            try await store.submit(
                test.accepted("late", TestStore.report(nodes: nodes), at: UTCInstant(startOf: month.firstDay))
            )
        }
        for distance in [2, 39, 40, 50] {
            await #expect(throws: StoreError.clockBehind) { try await submit(Self.first + distance, nodes: 1) }
        }
        try await store.ping()
        #expect(try await store.statistics().sightings == 0)
        #expect(log.recorded.filter { $0.contains("the clock is before windows that are finished") }.count == 1)
        #expect(try await submit(Self.first + 51, nodes: 1) == .newState)
        for window in Window.containing(Self.first + 51) {
            #expect(try await store.totals(of: [window])[window]?.all[.nodes] == 1)
        }
        #expect(try await store.problems() == [])
        try store.close()
    }

    @Test("a cancelled run stops between two transactions, and the next one does the rest")
    func cancellation() async throws {
        let test = try TestStore()
        let store = try test.open()
        let all = try await test.fill(store, clusters: 8, from: Self.first, months: Self.months, seed: 4)
        let run = Task {
            while !Task.isCancelled { await Task.yield() }
            return try await store.deleteRows(before: Self.cut, threshold: Self.threshold)
        }
        run.cancel()
        await #expect(throws: CancellationError.self) { try await run.value }
        try await store.ping()
        #expect(try await store.statistics().firstMonth == "\(Self.first)")
        #expect(try await store.deleteRows(before: Self.cut, threshold: Self.threshold).sightings > 0)
        try await compare(store, with: all, finished: all, seed: 4)
        try store.close()
    }
}

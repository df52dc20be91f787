// SPDX-License-Identifier: Apache-2.0

import FleetSimulator
import Logging
import Metrics
import ReportStore
import ServiceLifecycle
import Synchronization
import TelemetryModel
import TelemetryTesting
import Testing

@testable import TelemetryServer

@Suite("How long rows are kept")
struct RetentionServiceTests {
    private static let march = CalendarMonth(year: 2026, month: 3)
    private static let day = RetentionPlan.patience

    @Test(
        "periods",
        arguments: [
            ("25mo", 25), ("13mo", 13), ("2y", 24), ("100y", 1_200), ("12mo", nil), ("1y", nil), ("0mo", nil),
            ("101y", nil), ("25", nil), ("25m", nil), ("-25mo", nil), ("mo", nil), ("", nil), ("2y6mo", nil),
            ("99999999999999999999y", nil),
        ] as [(String, Int?)]
    )
    func periods(text: String, months: Int?) {
        #expect(RetentionPeriod(text)?.months == months)
    }

    private static func plan() -> RetentionPlan {
        var plan = RetentionPlan(.standard)
        plan.ended(well: true)
        return plan
    }

    private static func rows(_ first: CalendarMonth?, completeFrom: CalendarMonth? = nil) -> RowMonths {
        RowMonths(completeFrom: completeFrom, first: first)
    }

    @Test("one month that is out of date goes at once, the month before stays")
    func oneMonth() {
        var plan = Self.plan()
        let first = Self.march - 25
        #expect(plan.decide(in: Self.march, Self.rows(first), uptime: .zero) == .nothing)
        #expect(plan.decide(in: Self.march + 1, Self.rows(first), uptime: .zero) == .delete(before: first + 1))
        #expect(plan.decide(in: Self.march + 1, Self.rows(nil), uptime: .zero) == .nothing)
    }

    @Test("a clock that jumps years ahead deletes nothing before it has shown the same month for a day")
    func jump() {
        var plan = Self.plan()
        let (first, future) = (Self.march - 20, Self.march + 60)
        let cut = future - 25
        #expect(plan.decide(in: future, Self.rows(first), uptime: .zero) == .wait(months: 55))
        #expect(plan.decide(in: future, Self.rows(first), uptime: Self.day - .seconds(1)) == .nothing)
        // It is mended for an hour: the day begins anew.
        #expect(plan.decide(in: Self.march, Self.rows(first), uptime: Self.day) == .nothing)
        #expect(plan.decide(in: future, Self.rows(first), uptime: Self.day * 2) == .wait(months: 55))
        // It jumps on.
        #expect(plan.decide(in: future + 1, Self.rows(first), uptime: Self.day * 3) == .wait(months: 56))
        #expect(plan.decide(in: future + 1, Self.rows(first), uptime: Self.day * 4) == .delete(before: cut + 1))
    }

    @Test("a run that was cut off is finished first, and one that failed is tried again")
    func unfinished() {
        var plan = RetentionPlan(.standard)
        let rows = Self.rows(Self.march - 3, completeFrom: Self.march - 25)
        #expect(plan.decide(in: Self.march, rows, uptime: .zero) == .delete(before: Self.march - 25))
        plan.ended(well: true)
        #expect(plan.decide(in: Self.march, rows, uptime: .zero) == .nothing)
        plan.ended(well: false)
        #expect(plan.decide(in: Self.march, rows, uptime: .zero) == .delete(before: Self.march - 25))
        #expect(plan.decide(in: Self.march, Self.rows(Self.march - 3), uptime: .zero) == .nothing)
    }

    /// A store with a report of each of the last months up to March.
    private static func withStore(
        isForwardOnly: Bool = false,
        _ body: (ReportStore, TestClock, LogRecorder) async throws -> Void
    ) async throws {
        let directory = try TemporaryDirectory()
        let key = try PseudonymKeyFile.load(fromDirectory: directory.path)
        let log = LogRecorder()
        let store = try ReportStore(
            directory: directory.path,
            keyCheck: key.checkValue,
            outboxLimit: isForwardOnly ? 100 : nil,
            isForwardOnly: isForwardOnly,
            metrics: NOOPMetricsHandler.instance,
            logger: log.logger
        )
        try await store.believe(UTCInstant(startOf: march.firstDay))
        for distance in 0...25 {
            let id = try #require(ClusterID("c\(distance)"))
            let report = AcceptedReport(
                cluster: key.pseudonym(of: id),
                receivedAt: UTCInstant(startOf: (march - distance).firstDay),
                report: Report([.init(Series(.tenantsCount), 1)])
            )
            _ = try await store.submit(report)
        }
        try await body(store, TestClock(UTCInstant(startOf: march.firstDay)), log)
        try store.close()
    }

    /// Runs a service for some hours, before each of which a test does something; then shuts it down.
    private static func run(
        _ store: ReportStore,
        _ clock: TestClock,
        _ log: LogRecorder,
        isClockAccepted: Bool = false,
        hours: [@Sendable () async -> Void]
    ) async throws {
        let hour = Mutex(0)
        let (over, isOver) = AsyncStream.makeStream(of: Void.self)
        let service = RetentionService(
            store: store,
            period: .standard,
            threshold: 5,
            now: { clock.now },
            logger: log.logger,
            ahead: Gauge(label: "ahead", factory: NOOPMetricsHandler.instance),
            isClockAccepted: isClockAccepted,
            uptime: { .seconds(3_600) * hour.withLock { $0 } },
            pause: {
                let next = hour.withLock { number in
                    defer { number += 1 }
                    return number
                }
                if next < hours.count { return await hours[next]() }
                isOver.yield()
                try await Task.sleep(for: .seconds(1 << 30))
            }
        )
        var quiet = log.logger
        quiet.logLevel = .critical
        let group = ServiceGroup(services: [service], logger: quiet)
        async let ended: Void = group.run()
        for await _ in over { break }
        await group.triggerGracefulShutdown()
        try await ended
    }

    @Test("the service deletes in the hour in which a month is out of date, says so once, and shuts down at once")
    func service() async throws {
        try await Self.withStore { store, clock, log in
            let april = UTCInstant(startOf: (Self.march + 1).firstDay)
            try await Self.run(store, clock, log, hours: [{ clock.now = april }, {}, {}])
            let rows = try await store.rowMonths()
            #expect(rows == RowMonths(completeFrom: Self.march - 24, first: Self.march - 24))
            let lines = log.recorded.filter { $0.contains("out of date") }
            #expect(lines == ["notice rows that are out of date are deleted before=2024-03 clusters=1 reports=1"])
        }
    }

    @Test("a store without figures keeps this month and the last, and remembers the clock every hour")
    func forwardOnly() async throws {
        try await Self.withStore(isForwardOnly: true) { store, clock, log in
            let later = UTCInstant(startOf: Self.march.lastDay)
            let april = UTCInstant(startOf: (Self.march + 1).firstDay)
            try await Self.run(store, clock, log, hours: [{ clock.now = later }, {}])
            #expect(try await store.statistics().sightings == 2)
            #expect(try await store.lastBelievedTime() == later)
            try await Self.run(store, clock, log, hours: [{ clock.now = april }, {}])
            #expect(try await store.statistics().sightings == 1)
            #expect(try await store.erasedClusters(100, by: .now()) == [])
        }
    }

    /// So many hours in which nothing happens.
    private static func quiet(_ hours: Int) -> [@Sendable () async -> Void] { Array(repeating: {}, count: hours) }

    @Test("a clock that is years ahead for ten days and then set right has deleted and finished nothing")
    func wrongClock() async throws {
        try await Self.withStore { store, clock, log in
            let far = UTCInstant(startOf: (Self.march + 60).firstDay)
            let right = clock.now.advanced(bySeconds: 10 * 86_400)
            let hours: [@Sendable () async -> Void] =
                [{ clock.now = far }] + Self.quiet(10 * 24) + [{ clock.now = right }] + Self.quiet(10 * 24)
            try await Self.run(store, clock, log, hours: hours)
            #expect(try await store.statistics().sightings == 26)
            #expect(try await store.rowMonths().completeFrom == nil)
            #expect(log.recorded.filter { $0.contains("the clock is far ahead") }.count == 1)
            let key = try #require(Pseudonymizer(key: Array(repeating: 1, count: Pseudonymizer.keyLength)))
            let report = AcceptedReport(
                cluster: key.pseudonym(of: try #require(ClusterID("after"))),
                receivedAt: right,
                report: Report([.init(Series(.tenantsCount), 1)])
            )
            _ = try await store.submit(report)
            let windows = Window.containing(Self.march)
            for (window, totals) in try await store.totals(of: windows) {
                #expect(totals.all[.clusters] == Int64(Self.march.index - window.start.index) + 2)
            }
        }
    }

    @Test(
        "a clock that is years ahead is believed after two weeks, or at once by the operator's word",
        arguments: [false, true]
    )
    func rightClock(isAccepted: Bool) async throws {
        try await Self.withStore { store, clock, log in
            clock.now = UTCInstant(startOf: (Self.march + 60).firstDay)
            let days = (isAccepted ? 0 : 14) + 1
            try await Self.run(store, clock, log, isClockAccepted: isAccepted, hours: Self.quiet(days * 24 - 1))
            #expect(try await store.statistics().sightings == 26)
            try await Self.run(store, clock, log, isClockAccepted: isAccepted, hours: Self.quiet(days * 24))
            #expect(try await store.statistics().sightings == 0)
            let window = Window(.month, endingWith: Self.march)
            #expect(try await store.totals(of: [window])[window]?.all[.clusters] == 1)
        }
    }

    @Test(
        "whatever a clock shows for less than two weeks, no row goes before its time",
        arguments: 1...20 as ClosedRange<UInt64>
    )
    func anyClock(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var (plan, trust) = (Self.plan(), ClockTrust())
        let start = UTCInstant(startOf: Self.march.firstDay)
        var (last, offset, until) = (start, Int64(0), 0)
        let rows = Self.rows(Self.march - 25)
        for hour in 0..<24 * 400 {
            if hour >= until {
                // Ahead for up to thirteen days, then right again for as long at the least.
                offset = offset == 0 ? Int64.random(in: -4_000...4_000, using: &random) * 86_400 : 0
                until = hour + Int.random(in: 1...13 * 24, using: &random)
            }
            let right = start.advanced(bySeconds: Int64(hour) * 3_600)
            let now = right.advanced(bySeconds: offset)
            let uptime = Duration.seconds(hour * 3_600)
            guard trust.judge(now, last: last, uptime: uptime) == .believed else { continue }
            last = max(last, now)
            if case .delete(let month) = plan.decide(in: now.month, rows, uptime: uptime) {
                // A step that is believed may bring a month or two forward, which no report of the true time counts in.
                #expect(month <= right.month - 25 + 2, "seed \(seed), hour \(hour)")
            }
        }
    }

    @Test("a failure is logged, and the next hour tries again")
    func failure() async throws {
        try await Self.withStore { store, clock, log in
            clock.now = UTCInstant(startOf: (Self.march + 1).firstDay)
            try store.close()
            try await Self.run(store, clock, log, hours: [{}])
            #expect(log.recorded.filter { $0.contains("could not be deleted") }.count == 2)
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import ServiceLifecycle
import Synchronization
import TelemetryModel
import TelemetryTesting
import Testing

@testable import ReportStore
@testable import TelemetryServer

@Suite("When insights are computed anew")
struct KeptInsightsTests {
    private static let march = CalendarMonth(year: 2026, month: 3)

    @Test(
        "a pass is followed by a rest of a hundred times its length, a second at least and an hour at the most",
        arguments: [(0.0, 1.0), (0.001, 1), (0.5, 50), (20, 2_000), (36, 3_600), (500, 3_600)]
    )
    func rest(cost: Double, rest: Double) {
        var schedule = InsightSchedule()
        #expect(schedule.isDue(at: .zero) && !schedule.isAnswerable(at: .zero))
        let end = Duration.seconds(10 + cost)
        schedule.ended(from: .seconds(10), to: end, isGood: true)
        #expect(!schedule.isDue(at: end) && !schedule.isDue(at: end + .seconds(rest) - .milliseconds(2)))
        #expect(schedule.isDue(at: end + .seconds(rest) + .milliseconds(2)))
        #expect(schedule.isAnswerable(at: .seconds(10 + 7_200)) && !schedule.isAnswerable(at: .seconds(10 + 7_201)))
    }

    @Test("a pass that failed has its rest, too, and leaves what was there as old as it is")
    func failed() {
        var schedule = InsightSchedule()
        schedule.ended(from: .zero, to: .seconds(20), isGood: false)
        #expect(!schedule.isDue(at: .seconds(30)) && !schedule.isAnswerable(at: .seconds(30)))
        #expect(schedule.retryAfter(at: .seconds(20)) == 2_001 && schedule.retryAfter(at: .seconds(9_000)) == 5)
    }

    /// The insights of nothing, as they are computed in place of a pass.
    private static func nothing(at instant: UTCInstant) -> FleetInsights {
        FleetInsights(at: instant, instant.month...instant.month, rowsSince: nil, common: [])
    }

    /// What a test moves: the uptime in seconds, and how many passes there were.
    private struct World: Sendable {
        let clock = TestClock(UTCInstant(startOf: KeptInsightsTests.march.firstDay))
        let log = LogRecorder()
        let passes = TestClock(UTCInstant(secondsSinceEpoch: 0))
        let uptime = TestClock(UTCInstant(secondsSinceEpoch: 0))

        /// Runs insights for as long as the body takes; a pass is what is given.
        func run(
            patience: Duration = .seconds(600),
            _ pass: @escaping @Sendable (UTCInstant) async throws -> FleetInsights,
            _ body: (KeptInsights) async throws -> Void
        ) async throws {
            let kept = KeptInsights(
                now: { [clock] in clock.now },
                uptime: { [uptime] in .seconds(uptime.now.secondsSinceEpoch) },
                patience: patience,
                logger: log.logger
            ) { [passes] instant in
                passes.now = passes.now.advanced(bySeconds: 1)
                return try await pass(instant)
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await kept.run() }
                try await body(kept)
                group.cancelAll()
            }
        }
    }

    @Test("whoever asks first waits for the pass; later ones get what is kept until it is time for another")
    func kept() async throws {
        let world = World()
        try await world.run({ Self.nothing(at: $0) }) { kept in
            for _ in 0..<3 { _ = try await kept.insights(of: Self.march) }
            #expect(world.passes.now.secondsSinceEpoch == 1)
            world.uptime.now = UTCInstant(secondsSinceEpoch: 1)
            world.clock.now = world.clock.now.advanced(bySeconds: 60)
            #expect(try await kept.insights(of: Self.march).generatedAt == world.clock.now)
            #expect(world.passes.now.secondsSinceEpoch == 2)
            // A month that begins is not waited for.
            world.clock.now = UTCInstant(startOf: (Self.march + 1).firstDay)
            #expect(try await kept.insights(of: Self.march + 1).generatedAt == world.clock.now)
        }
    }

    @Test("where a pass takes long it is 503 with Retry-After, and a pass that is cut off ends with the process")
    func slow() async throws {
        let world = World()
        let (begun, begins) = AsyncStream.makeStream(of: Void.self)
        try await world.run(patience: .zero) { instant in
            begins.yield()
            // Until it is cut off.
            try await Task.sleep(for: .seconds(86_400))
            return Self.nothing(at: instant)
        } _: { kept in
            let refusal = await #expect(throws: Refusal.self) { _ = try await kept.insights(of: Self.march) }
            #expect(refusal?.status == .serviceUnavailable && refusal?.headers[.retryAfter] == "5")
            for await _ in begun { break }
            await #expect(throws: Refusal.self) { _ = try await kept.insights(of: Self.march) }
            #expect(world.passes.now.secondsSinceEpoch == 1)
        }
        #expect(world.log.recorded == [])
    }

    @Test("a pass that fails is 503 and said in the log")
    func failing() async throws {
        let world = World()
        try await world.run({ _ in throw StoreError.unavailable(reason: "gone") }) { kept in
            await #expect(throws: Refusal.self) { _ = try await kept.insights(of: Self.march) }
        }
        #expect(world.log.recorded.count { $0.hasPrefix("error the insights cannot be computed") } == 1)
    }
}

// SPDX-License-Identifier: Apache-2.0

import Logging
import ReportStore
import ServiceLifecycle
import TelemetryModel

/// The insights of the fleet as they were last computed, and computed anew where somebody asks and it is time.
actor KeptInsights: Service {
    private let compute: @Sendable (UTCInstant) async throws -> FleetInsights
    private let now: @Sendable () -> UTCInstant
    private let uptime: @Sendable () -> Duration
    private let patience: Duration
    private let logger: Logger
    private let demands: AsyncStream<Void>
    private let demand: AsyncStream<Void>.Continuation
    private var schedule = InsightSchedule()
    private var kept: FleetInsights?
    /// The month of the last pass, whatever came of it.
    private var tried: CalendarMonth?
    /// Ended with the pass that is under way or comes next.
    private var waiting: [AsyncStream<Void>.Continuation] = []

    /// - Parameters:
    ///   - now: The clock.
    ///   - uptime: Time that does not depend on the clock.
    ///   - patience: Whoever asks waits for so long for a pass that is under way.
    ///   - logger: Where failures are said.
    ///   - compute: The pass.
    init(
        now: @escaping @Sendable () -> UTCInstant,
        uptime: @escaping @Sendable () -> Duration = { [start = ContinuousClock.now] in ContinuousClock.now - start },
        patience: Duration = .seconds(2),
        logger: Logger,
        compute: @escaping @Sendable (UTCInstant) async throws -> FleetInsights
    ) {
        (self.now, self.uptime, self.patience) = (now, uptime, patience)
        (self.logger, self.compute) = (logger, compute)
        (demands, demand) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Makes passes as they are asked for, one at a time, until graceful shutdown.
    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown {
                for await _ in self.demands { try await self.renew() }
            }
        } catch is CancellationError {
            return
        }
    }

    /// The insights, which hold a month that has begun.
    ///
    /// - Throws: `Refusal` with 503 where there are none yet.
    func insights(of month: CalendarMonth) async throws(Refusal) -> FleetInsights {
        if isDue {
            demand.yield()
            if !schedule.isAnswerable(at: uptime()) || schedule.takes(atMost: patience) { await waitForPass() }
        }
        guard let kept, schedule.isAnswerable(at: uptime()), month <= kept.generatedAt.month else {
            throw .noInsights(after: schedule.retryAfter(at: uptime()))
        }
        return kept
    }

    /// Whether a pass may begin; with a new month it may at once.
    private var isDue: Bool {
        schedule.isDue(at: uptime()) || tried.map { $0 < now().month } ?? true
    }

    private func waitForPass() async {
        let (ended, end) = AsyncStream.makeStream(of: Void.self)
        waiting.append(end)
        await withTaskGroup { group in
            group.addTask { for await _ in ended {} }
            // The end of patience; cut off where the pass ends before.
            group.addTask { [patience] in try? await Task.sleep(for: patience) }
            await group.next()
            group.cancelAll()
        }
    }

    /// Makes a pass, where it is still time for one.
    ///
    /// - Throws: `CancellationError` alone; a failure is logged, and whoever asks next tries again.
    private func renew() async throws {
        defer {
            for waiter in waiting { waiter.finish() }
            waiting = []
        }
        guard isDue else { return }
        let (began, instant) = (uptime(), now())
        tried = instant.month
        do {
            let insights = try await compute(instant)
            schedule.ended(from: began, to: uptime(), isGood: true)
            kept = insights
            logger.debug(
                "the insights are computed",
                metadata: ["clusters": "\(insights.clusters)", "seconds": "\((uptime() - began).components.seconds)"]
            )
        } catch {
            // What is cut off by the end of the process has not failed.
            try Task.checkCancellation()
            schedule.ended(from: began, to: uptime(), isGood: false)
            logger.error("the insights cannot be computed", metadata: ["reason": "\(error)"])
        }
    }
}

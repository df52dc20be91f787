// SPDX-License-Identifier: Apache-2.0

import Logging
import Metrics
import ReportStore
import ServiceLifecycle
import TelemetryModel

/// Deletes the rows of reports that are out of date: when the backend starts, and then once an hour.
///
/// It ends at once on graceful shutdown; what is left is deleted after the next start.
struct RetentionService: Service {
    let store: ReportStore
    let period: RetentionPeriod
    /// *k*: names that fewer clusters have are folded in the totals that stay.
    let threshold: Int
    /// The receiving clock.
    let now: @Sendable () -> UTCInstant
    let logger: Logger
    /// How far the clock is ahead of what is believed, for `/metrics`.
    let ahead: Gauge
    /// Whether the operator says that the clock is right.
    var isClockAccepted = false
    /// Time that does not depend on the receiving clock.
    var uptime: @Sendable () -> Duration = { [start = ContinuousClock.now] in ContinuousClock.now - start }
    /// Waits for the next hour; tests wait for an event instead.
    var pause: @Sendable () async throws -> Void = { try await Task.sleep(for: .seconds(3_600)) }

    /// Runs until graceful shutdown.
    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown {
                var plan = RetentionPlan(period)
                var trust = ClockTrust(isAccepted: isClockAccepted)
                var forgotten: CalendarMonth?
                while true {
                    if store.isForwardOnly {
                        try await forget(&forgotten, &trust)
                    } else {
                        try await keep(&plan, &trust)
                    }
                    try await pause()
                }
            }
        } catch is CancellationError {
            return
        }
    }

    /// Deletes what is out of date.
    ///
    /// - Throws: `CancellationError` alone; a failure is logged, and the next hour tries again.
    private func keep(_ plan: inout RetentionPlan, _ trust: inout ClockTrust) async throws {
        do {
            let now = now()
            guard try await believes(now, &trust) else { return }
            switch plan.decide(in: now.month, try await store.rowMonths(), uptime: uptime()) {
            case .nothing:
                break
            case .wait(let months):
                logger.notice(
                    "rows of several months are out of date; they go if the clock says so for a day",
                    metadata: ["months": "\(months)"]
                )
            case .delete(let month):
                try await delete(before: month)
                plan.ended(well: true)
            }
        } catch let error as CancellationError {
            throw error
        } catch {
            plan.ended(well: false)
            logger.error("rows that are out of date could not be deleted", metadata: ["reason": "\(error)"])
        }
    }

    /// Deletes what a store without figures does not need any more: rows of months before the last one.
    ///
    /// - Throws: `CancellationError` alone.
    private func forget(_ forgotten: inout CalendarMonth?, _ trust: inout ClockTrust) async throws {
        do {
            let now = now()
            guard try await believes(now, &trust), forgotten != now.month else { return }
            try await delete(before: now.month - 1)
            forgotten = now.month
        } catch let error as CancellationError {
            throw error
        } catch {
            logger.error("rows that are out of date could not be deleted", metadata: ["reason": "\(error)"])
        }
    }

    /// Whether the clock may decide what cannot be taken back; what it shows is remembered then.
    private func believes(_ now: UTCInstant, _ trust: inout ClockTrust) async throws -> Bool {
        switch trust.judge(now, last: try await store.lastBelievedTime(), uptime: uptime()) {
        case .believed:
            ahead.record(0)
            try await store.believe(now)
            return true
        case .ahead(let days, let isNews):
            ahead.record(Int64(days) * 86_400)
            if isNews {
                logger.error(
                    "the clock is far ahead of what it last showed; nothing is deleted before it has gone on so for 14 days",
                    metadata: ["days": "\(days)", "shows": "\(now.rfc3339)", "hint": "set it right, or --accept-clock"]
                )
            }
            return false
        }
    }

    private func delete(before month: CalendarMonth) async throws {
        let outcome = try await store.deleteRows(before: month, threshold: threshold)
        if outcome.damagedClusters > 0 {
            logger.error(
                "rows that are out of date cannot be read and stay, see store check",
                metadata: ["clusters": "\(outcome.damagedClusters)"]
            )
        }
        guard outcome.sightings > 0 else { return }
        logger.notice(
            "rows that are out of date are deleted",
            metadata: ["before": "\(month)", "reports": "\(outcome.sightings)", "clusters": "\(outcome.clusters)"]
        )
    }
}

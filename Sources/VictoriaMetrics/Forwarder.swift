// SPDX-License-Identifier: Apache-2.0

public import Logging
public import Metrics
public import ReportStore
public import ServiceLifecycle
public import TelemetryModel

/// Sends what waits in the outbox of a store on to VictoriaMetrics, in the order of acceptance, until graceful shutdown.
///
/// A batch is taken out of the outbox once every target has it. Where one does not take it for now, the batch is sent again to
/// all of them, which changes nothing where it is: the same samples at the same times.
public struct Forwarder: Service {
    /// How it goes about it.
    public struct Pace: Sendable {
        /// The most reports of a batch.
        public var batch = 500
        /// So long it waits where nothing waits to be sent.
        public var idle = Duration.milliseconds(250)
        /// The longest pause before the second attempt; it doubles with each further one.
        public var shortestPause = Duration.seconds(1)
        /// The longest pause there is.
        public var longestPause = Duration.seconds(60)

        /// The usual pace.
        public init() {}
    }

    private let store: ReportStore
    private let targets: [ImportClient]
    private let limit: Int
    private let longestAge: Duration
    private let pace: Pace
    private let now: @Sendable () -> UTCInstant
    private let logger: Logger
    private let waiting: Gauge
    private let forwarded: Counter
    private let refused: Counter
    private let lost: Counter
    private let failures: Counter

    /// A forwarder.
    ///
    /// - Parameters:
    ///   - store: Whose outbox it is.
    ///   - targets: Where everything is sent, to each of them.
    ///   - limit: The most reports that may wait, of which it is said when they are near.
    ///   - longestAge: What waits longer is given up.
    ///   - pace: How it goes about it.
    ///   - metrics: Where it counts.
    ///   - logger: Where it says that it cannot send, and can again.
    ///   - now: The clock.
    public init(
        store: ReportStore,
        targets: [ImportClient],
        limit: Int,
        longestAge: Duration,
        pace: Pace = Pace(),
        metrics: any MetricsFactory,
        logger: Logger,
        now: @escaping @Sendable () -> UTCInstant = UTCInstant.now
    ) {
        self.store = store
        self.targets = targets
        self.limit = limit
        self.longestAge = longestAge
        self.pace = pace
        self.now = now
        self.logger = logger
        waiting = Gauge(label: "telemetry_outbox_reports", factory: metrics)
        forwarded = Counter(label: "telemetry_outbox_forwarded", factory: metrics)
        refused = Counter(label: "telemetry_outbox_refused", factory: metrics)
        lost = Counter(label: "telemetry_outbox_lost", factory: metrics)
        failures = Counter(label: "telemetry_outbox_failed_attempts", factory: metrics)
    }

    /// Sends until graceful shutdown; what waits then goes on waiting in the store.
    public func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await forward() }
        } catch is CancellationError {
            return
        }
    }

    /// What came of sending reports.
    private struct Result {
        var done: [Int64] = []
        var refused: [Int64: Int] = [:]
        /// Why the rest waits; nil where there is none.
        var reason: String?
    }

    private func forward() async throws {
        var outage = Outage(pace: pace)
        var isNear = false
        var nextExpiry = ContinuousClock.now
        while true {
            let pause: Duration
            do {
                if .now >= nextExpiry {
                    try await expire()
                    nextExpiry = .now + .seconds(60)
                }
                let part = try await store.firstOfOutbox(pace.batch)
                try await giveUp(part.unreadable)
                let result = await send(part.entries[...])
                try await settle(result)
                // What is cut off by the end of the process has not failed.
                try Task.checkCancellation()
                tell(result.reason, &outage)
                pause = result.reason != nil ? outage.pause : part.isEmpty ? pace.idle : .zero
            } catch let error as StoreError {
                try Task.checkCancellation()
                // The store says itself what is wrong.
                tell("\(error)", &outage)
                pause = outage.pause
            }
            warn(&isNear)
            // Nobody tells when there is more to send, or when a target takes it again.
            if pause > .zero { try await Task.sleep(for: pause) } else { try Task.checkCancellation() }
        }
    }

    /// Sends reports to every target, in halves where they are refused together, until it is known which are.
    private func send(_ entries: ArraySlice<OutboxEntry>) async -> Result {
        guard !entries.isEmpty else { return Result() }
        let batch = ImportBatch(entries.map(\.report))
        for target in targets {
            switch await target.send(batch) {
            case .imported: continue
            case .retry(let reason):
                failures.increment()
                return Result(reason: reason)
            case .refused(let status):
                guard entries.count > 1 else {
                    // What refuses an import of nothing, too, is not the place to import at.
                    guard await target.send(ImportBatch([])) == .imported else {
                        return Result(reason: "the answer was \(status), also to nothing; is the URL right?")
                    }
                    return Result(refused: [entries[entries.startIndex].id: status])
                }
                let middle = entries.startIndex + entries.count / 2
                var result = await send(entries[..<middle])
                guard result.reason == nil else { return result }
                let rest = await send(entries[middle...])
                result.done += rest.done
                result.refused.merge(rest.refused) { first, _ in first }
                result.reason = rest.reason
                return result
            }
        }
        return Result(done: entries.map(\.id))
    }

    private func settle(_ result: Result) async throws {
        guard !result.done.isEmpty || !result.refused.isEmpty else { return }
        try await store.settleOutbox(done: result.done, refused: result.refused)
        forwarded.increment(by: Int64(result.done.count))
        refused.increment(by: Int64(result.refused.count))
        if let status = result.refused.values.first {
            logger.error(
                "reports were refused for good and are set aside; see store outbox",
                metadata: ["reports": "\(result.refused.count)", "status": "\(status)"]
            )
        }
    }

    /// Gives up what cannot be read any more.
    private func giveUp(_ unreadable: [Int64]) async throws {
        guard !unreadable.isEmpty else { return }
        try await store.settleOutbox(done: unreadable)
        lost.increment(by: Int64(unreadable.count))
        logger.error(
            "reports cannot be read and are not sent on; see store check",
            metadata: ["reports": "\(unreadable.count)"]
        )
    }

    /// Gives up what waits for too long.
    private func expire() async throws {
        let oldest = now().advanced(bySeconds: -Int64(longestAge / .seconds(1)))
        let count = try await store.expireOutbox(before: oldest)
        guard count > 0 else { return }
        lost.increment(by: Int64(count))
        logger.error("reports waited too long to be sent on and are given up", metadata: ["reports": "\(count)"])
    }

    /// Says that nothing can be sent, and that it can be again, once each.
    private func tell(_ reason: String?, _ outage: inout Outage) {
        let wasFailing = outage.isFailing
        outage.note(isFailing: reason != nil)
        if let reason, !wasFailing {
            logger.error(
                "reports cannot be sent on, and wait",
                metadata: ["reason": "\(reason)", "waiting": "\(store.outboxCount)"]
            )
        } else if reason == nil, wasFailing {
            logger.notice("reports are sent on again", metadata: ["waiting": "\(store.outboxCount)"])
        }
    }

    /// Says that the outbox is nearly full, once until it is not any more.
    private func warn(_ isNear: inout Bool) {
        let count = store.outboxCount
        waiting.record(count)
        let isNearNow = count > limit / 5 * 4
        if isNearNow, !isNear {
            logger.error(
                "the outbox is nearly full; where it is, reports are answered 503",
                metadata: ["waiting": "\(count)", "limit": "\(limit)"]
            )
        }
        isNear = isNearNow
    }
}

/// How often it failed in turn, and how long to wait then: any time up to twice the one before (full jitter).
private struct Outage {
    let pace: Forwarder.Pace
    private var attempts = 0

    init(pace: Forwarder.Pace) {
        self.pace = pace
    }

    var isFailing: Bool { attempts > 0 }

    mutating func note(isFailing: Bool) { attempts = isFailing ? min(attempts + 1, 16) : 0 }

    var pause: Duration {
        let longest = min(pace.longestPause, pace.shortestPause * (1 << max(0, attempts - 1)))
        return longest * Double.random(in: 0.1...1)
    }
}

// SPDX-License-Identifier: Apache-2.0

import DequeModule
public import Logging
public import Metrics
public import ReportStore
public import ServiceLifecycle
import Synchronization
public import TelemetryModel

/// Sends what waits in the outbox of a store on to VictoriaMetrics, in the order of acceptance, until graceful shutdown.
///
/// A batch is taken out of the outbox once every target has had it for some time: VictoriaMetrics answers before it has written
/// to disk, and loses the last seconds where it is killed. Where a target was started anew meanwhile, everything that is still in
/// the outbox is sent again to all of them, which changes nothing where it is: the same samples at the same times.
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
        /// So long a report stays in the outbox after the targets had it: by then they have written it.
        public var settling = Duration.seconds(15)
        /// So long after its erasure a cluster is erased at the targets: by then they find what was sent last.
        public var erasureDelay = Duration.seconds(60)
        /// So long it goes on sending after graceful shutdown, where something waits and the targets take it.
        public var farewell = Duration.seconds(5)

        /// The usual pace.
        public init() {}
    }

    private let store: ReportStore
    private let targets: [ImportClient]
    private let limit: Int
    private let longestAge: Duration
    private let pace: Pace
    private let now: @Sendable () -> UTCInstant
    private let onErased: @Sendable () -> Void
    private let logger: Logger
    private let waiting: Gauge
    private let oldest: Gauge
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
    ///   - onErased: Told when clusters were erased at the targets.
    ///   - now: The clock.
    public init(
        store: ReportStore,
        targets: [ImportClient],
        limit: Int,
        longestAge: Duration,
        pace: Pace = Pace(),
        metrics: any MetricsFactory,
        logger: Logger,
        onErased: @escaping @Sendable () -> Void = {},
        now: @escaping @Sendable () -> UTCInstant = UTCInstant.now
    ) {
        self.store = store
        self.targets = targets
        self.limit = limit
        self.longestAge = longestAge
        self.pace = pace
        self.now = now
        self.onErased = onErased
        self.logger = logger
        waiting = Gauge(label: "telemetry_outbox_reports", factory: metrics)
        oldest = Gauge(label: "telemetry_outbox_oldest_seconds", factory: metrics)
        Gauge(label: "telemetry_outbox_limit", factory: metrics).record(limit)
        forwarded = Counter(label: "telemetry_outbox_forwarded", factory: metrics)
        refused = Counter(label: "telemetry_outbox_refused", factory: metrics)
        lost = Counter(label: "telemetry_outbox_lost", factory: metrics)
        failures = Counter(label: "telemetry_outbox_failed_attempts", factory: metrics)
    }

    /// Sends until graceful shutdown, and then what waits for as long as the targets take it, some seconds at the most; the
    /// rest goes on waiting in the store.
    public func run() async throws {
        let sent = SentReports()
        do {
            try await cancelWhenGracefulShutdown { try await forward(sent) }
        } catch is CancellationError {
            await sendTheRest(after: sent.last)
        }
    }

    /// Sends what waits until something fails, or the time is over.
    private func sendTheRest(after number: Int64) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                var last = number
                while !Task.isCancelled, let part = try? await store.firstOfOutbox(pace.batch, after: last),
                    let next = part.last
                {
                    guard await send(part.entries[...]).reason == nil else { return }
                    last = next
                }
            }
            // The end of the time; where it is cut off, the rest is sent already.
            group.addTask { try? await Task.sleep(for: pace.farewell) }
            await group.next()
            group.cancelAll()
        }
    }

    /// What came of sending reports.
    private struct Result {
        var done: [Int64] = []
        var refused: [Int64: Int] = [:]
        /// Why the rest waits; nil where there is none.
        var reason: String?
        /// Whether a target may have lost what it had, as nobody answered there.
        var mayBeLost = false
    }

    private func forward(_ sent: SentReports) async throws {
        var outage = Outage(pace: pace)
        var (isNear, isOld) = (false, false)
        var erasures = Outage(pace: pace)
        var (nextExpiry, nextErasure, nextSettling) = (ContinuousClock.now, ContinuousClock.now, ContinuousClock.now)
        _ = sent.compare(await starts())
        if !targets.allSatisfy(\.canDelete) {
            logger.warning("erased clusters cannot be erased where reports are sent on to; see --forward-delete-url")
        }
        var slowest = Duration.zero
        while true {
            var pause = Duration.zero
            do {
                if .now >= nextExpiry {
                    // Nothing is given up that was not tried.
                    try await expire(isFailing: outage.isFailing, &isOld)
                    nextExpiry = .now + .seconds(15)
                }
                let begin = ContinuousClock.now
                let part = try await store.firstOfOutbox(
                    pace.batch,
                    after: sent.last,
                    // Where they cannot be erased there is nothing to wait for.
                    holdsErased: targets.allSatisfy(\.canDelete)
                )
                try await giveUp(part.unreadable)
                let result = await send(part.entries[...])
                // What is cut off by the end of the process has not failed.
                try Task.checkCancellation()
                slowest = max(slowest, .now - begin)
                note(result, part, sent)
                try await setAside(result.refused)
                if .now >= nextSettling {
                    try await settle(sent)
                    nextSettling = .now + pace.settling / 10
                }
                tell(result.reason, &outage)
                pause = result.reason != nil ? outage.pause : part.isEmpty ? pace.idle : .zero
                if .now >= nextErasure {
                    tellOfErasures(try await erase(sent, behind: slowest), &erasures)
                    nextErasure = .now + (erasures.isFailing ? erasures.pause : pace.idle)
                }
            } catch let error as StoreError {
                try Task.checkCancellation()
                // What was to be written is read again.
                sent.forget()
                // The store says itself what is wrong.
                tell("\(error)", &outage)
                pause = outage.pause
            }
            try await rest(pause, &isNear)
        }
    }

    /// Waits, and watches how much the outbox has meanwhile.
    ///
    /// Nobody tells when there is more to send, or when a target takes it again.
    private func rest(_ pause: Duration, _ isNear: inout Bool) async throws {
        let end = ContinuousClock.now + pause
        repeat {
            warn(&isNear)
            try Task.checkCancellation()
            if .now < end { try await Task.sleep(for: min(end - .now, .seconds(1))) }
        } while .now < end
    }

    /// Sends reports to every target, in halves where they are refused together, until it is known which are.
    private func send(_ entries: ArraySlice<OutboxEntry>) async -> Result {
        guard !entries.isEmpty else { return Result() }
        let batch = ImportBatch(entries.map(\.report))
        for target in targets {
            switch await target.send(batch) {
            case .imported: continue
            case .retry(let reason, let isAnswer):
                failures.increment()
                return Result(reason: reason, mayBeLost: !isAnswer)
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
                (result.reason, result.mayBeLost) = (rest.reason, rest.mayBeLost)
                return result
            }
        }
        return Result(done: entries.map(\.id))
    }

    /// Has clusters that were erased here erased at every target.
    ///
    /// - Parameters:
    ///   - sent: What the targets have.
    ///   - slowest: So long a batch took at the most, that the cluster may have been in.
    /// - Returns: Why that has to wait; nil where nothing has to.
    /// - Throws: `StoreError`.
    private func erase(_ sent: SentReports, behind slowest: Duration) async throws -> String? {
        guard targets.allSatisfy(\.canDelete) else { return nil }
        let instant = now().advanced(bySeconds: -Int64((pace.erasureDelay + slowest) / .seconds(1)))
        let clusters = try await store.erasedClusters(pace.batch, by: instant)
        guard !clusters.isEmpty else { return nil }
        var done: [Pseudonym] = []
        var reason: String?
        clusters: for cluster in clusters {
            for target in targets {
                if let since = cluster.unlessSince {
                    guard let isLater = await target.hasSamples(of: cluster.pseudonym, since: since) else {
                        reason = "it cannot be asked for later reports"
                        break clusters
                    }
                    if isLater { continue }
                }
                switch await target.delete(cluster.pseudonym) {
                case .imported: continue
                case .refused(let status): reason = "the answer was \(status)"
                case .retry(let why, _): reason = why
                }
                break clusters
            }
            done.append(cluster.pseudonym)
        }
        try Task.checkCancellation()
        guard !done.isEmpty else { return reason }
        try await store.settleErased(done, by: instant)
        // What they said since then has waited.
        sent.forget()
        logger.notice(
            "erased clusters are erased where reports are sent on to",
            metadata: ["clusters": "\(done.count)"]
        )
        onErased()
        return reason
    }

    /// Notes what came of a batch.
    private func note(_ result: Result, _ part: OutboxPart, _ sent: SentReports) {
        forwarded.increment(by: Int64(result.done.count))
        if result.reason == nil, let last = part.last {
            sent.add(result.done, through: last)
        } else if result.mayBeLost, !sent.knowsStarts {
            // Where a target says when it was started, that tells whether what it had may be lost.
            sent.forget()
        }
    }

    /// Takes out of the outbox what the targets have written.
    private func settle(_ sent: SentReports) async throws {
        let end = ContinuousClock.now - pace.settling
        guard sent.isSettled(by: end) else { return }
        let starts = await starts()
        try Task.checkCancellation()
        switch sent.compare(starts) {
        case .same: try await store.settleOutbox(done: sent.settled(by: end))
        // A target that said when it was started does not now: it has to be waited for.
        case .unknown: break
        case .different:
            logger.notice("VictoriaMetrics was started anew; what it had last is sent again")
            sent.forget()
        }
    }

    /// When each target was started, in its own words.
    private func starts() async -> [String?] {
        var starts: [String?] = []
        for target in targets { starts.append(await target.start()) }
        return starts
    }

    private func setAside(_ refusals: [Int64: Int]) async throws {
        guard let status = refusals.values.first else { return }
        try await store.settleOutbox(done: [], refused: refusals)
        refused.increment(by: Int64(refusals.count))
        logger.error(
            "reports were refused for good and are set aside; see store outbox",
            metadata: ["reports": "\(refusals.count)", "status": "\(status)"]
        )
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
    private func expire(isFailing: Bool, _ isOld: inout Bool) async throws {
        try await watchAge(&isOld)
        guard isFailing else { return }
        let last = now().advanced(bySeconds: -Int64(longestAge / .seconds(1)))
        let count = try await store.expireOutbox(before: last)
        guard count > 0 else { return }
        lost.increment(by: Int64(count))
        logger.error("reports waited too long to be sent on and are given up", metadata: ["reports": "\(count)"])
    }

    /// Says that something will soon have waited for too long, once until it does not any more.
    private func watchAge(_ isOld: inout Bool) async throws {
        let received = try await store.oldestOfOutbox()
        let age = received.map { now().secondsSinceEpoch - $0.secondsSinceEpoch } ?? 0
        oldest.record(age)
        let isOldNow = age > Int64(longestAge / .seconds(1)) / 5 * 4
        if isOldNow, !isOld {
            logger.error(
                "reports have waited long to be sent on, and are given up soon",
                metadata: ["oldest": "\(age) s", "limit": "\(longestAge / .seconds(1)) s"]
            )
        }
        isOld = isOldNow
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

    /// Says that erasures wait, once until they do not any more.
    private func tellOfErasures(_ reason: String?, _ outage: inout Outage) {
        let wasFailing = outage.isFailing
        outage.note(isFailing: reason != nil)
        if let reason, !wasFailing {
            logger.error(
                "erased clusters cannot be erased where reports are sent on to, and wait",
                metadata: ["reason": "\(reason)"]
            )
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

/// What the targets have, and may yet lose.
final class SentReports: Sendable {
    private struct State {
        var last: Int64 = 0
        var batches: Deque<(ids: [Int64], at: ContinuousClock.Instant)> = []
        /// When each target was started, as it last said; nil for one that never did.
        var starts: [String?]?
    }

    /// Whether targets were started anew.
    enum Comparison {
        case same, different, unknown
    }

    private let state = Mutex(State())

    /// The number of the last report that every target has.
    var last: Int64 { state.withLock { $0.last } }

    /// Notes reports that every target has, and that there are no others up to a number.
    func add(_ ids: [Int64], through last: Int64) {
        state.withLock { state in
            state.last = last
            if !ids.isEmpty { state.batches.append((ids, .now)) }
        }
    }

    /// Whether there are reports that every target has had since a time.
    func isSettled(by time: ContinuousClock.Instant) -> Bool {
        state.withLock { state in state.batches.first.map { $0.at <= time } ?? false }
    }

    /// Those reports; they are forgotten.
    func settled(by time: ContinuousClock.Instant) -> [Int64] {
        state.withLock { state in
            var ids: [Int64] = []
            while let batch = state.batches.first, batch.at <= time {
                ids += batch.ids
                state.batches.removeFirst()
            }
            return ids
        }
    }

    /// Whether every target says when it was started.
    var knowsStarts: Bool { state.withLock { $0.starts?.allSatisfy { $0 != nil } ?? false } }

    /// Compares when every target was started with what it said before, and keeps it; one that never said so is the same.
    func compare(_ starts: [String?]) -> Comparison {
        state.withLock { state in
            let known = state.starts ?? starts
            state.starts = zip(known, starts).map { $1 ?? $0 }
            if zip(known, starts).contains(where: { $0 != nil && $1 != nil && $0 != $1 }) { return .different }
            return zip(known, starts).contains { $0 != nil && $1 == nil } ? .unknown : .same
        }
    }

    /// Has everything sent again that is still in the outbox.
    func forget() {
        state.withLock { state in
            state.last = 0
            state.batches.removeAll()
        }
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

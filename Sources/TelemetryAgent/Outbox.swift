// SPDX-License-Identifier: Apache-2.0

public import Logging
import TelemetryModel

/// What waits to be sent: the newest of each of a cluster's reports, bounded in bytes, and on disk too where there is a
/// directory for it.
public actor Outbox {
    /// The most bytes that wait unless told otherwise; the backend takes 10 MiB a report.
    static let defaultLimit = 24 << 20

    private let spool: Spool?
    private let limit: Int
    private let now: @Sendable () -> UTCInstant
    private let logger: Logger
    /// Newest first.
    private var waiting: [WaitingReport]
    private var listener: AsyncStream<Void>.Continuation?
    private var isSpoolFailing = false

    /// An outbox with what waited in a directory when the process ended.
    ///
    /// - Parameters:
    ///   - directory: Where what waits is kept over a restart, made where it is missing; nil for memory alone.
    ///   - logger: Where it says what does not fit or cannot be kept.
    /// - Throws: `DeliveryConfigurationError.unusableSpool`.
    public init(spoolDirectory directory: String? = nil, logger: Logger) throws(DeliveryConfigurationError) {
        let spool: Spool? = if let directory { try Spool(directory: directory) } else { nil }
        self.init(spool: spool, logger: logger)
    }

    init(
        spool: Spool? = nil,
        limit: Int = defaultLimit,
        now: @escaping @Sendable () -> UTCInstant = UTCInstant.now,
        logger: Logger
    ) {
        self.spool = spool
        self.limit = limit
        self.now = now
        self.logger = logger
        let kept = spool?.load(limit: limit, now: now()) ?? []
        waiting = kept.sorted { $0.collectedAt > $1.collectedAt }
    }

    /// How many reports wait.
    var count: Int { waiting.count }

    /// Takes the reports of a round; they supersede what waits, and where there is too much, the oldest goes.
    func replace(with reports: [WaitingReport]) {
        let former = waiting.filter { old in !reports.contains { $0.supersedes(old) } }
        var room = limit
        var kept: [WaitingReport] = []
        for report in reports + former where report.text.count <= room {
            room -= report.text.count
            kept.append(report)
        }
        let dropped = reports.count + former.count - kept.count
        if dropped > 0 {
            logger.warning("Reports are too large to wait, and dropped", metadata: ["reports": "\(dropped)"])
        }
        // A file is replaced by its successor, and removed where there is none.
        for old in waiting where !kept.contains(where: { $0.collector == old.collector }) { forget(old) }
        let new = kept.filter { !waiting.contains($0) }
        waiting = kept
        for report in new { keep(report) }
        listener?.yield()
    }

    /// Forgets everything that waits, on disk too.
    func clear() {
        waiting = []
        reportingFailure { try $0.clear() }
    }

    /// Forgets what was collected before an instant, on disk too.
    func clear(before instant: UTCInstant) {
        for old in waiting where old.collectedAt < instant { remove(old) }
    }

    /// What is to be sent next: the newest of those that did not have the last turn, if there is one.
    func next(after last: Collector?) -> WaitingReport? {
        let now = now()
        for old in waiting where old.isStale(at: now) { remove(old) }
        return waiting.first { $0.collector != last } ?? waiting.first
    }

    /// Forgets a report, unless a newer one has taken its place.
    func remove(_ report: WaitingReport) {
        guard let index = waiting.firstIndex(of: report) else { return }
        waiting.remove(at: index)
        forget(report)
    }

    /// Tells that there may be something to send: at once, and whenever reports came; to the last who asked.
    func changes() -> AsyncStream<Void> {
        let (changes, listener) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        self.listener = listener
        listener.yield()
        return changes
    }

    private func keep(_ report: WaitingReport) {
        reportingFailure { spool in
            do {
                try spool.write(report)
                isSpoolFailing = false
            } catch {
                // What stands there is superseded, and must not be read back.
                try? spool.remove(report.collector)
                throw error
            }
        }
    }

    private func forget(_ report: WaitingReport) {
        reportingFailure { try $0.remove(report.collector) }
    }

    /// Changes what is on disk; where that fails, reports are sent all the same, and it is said once until a report could
    /// be written again.
    private func reportingFailure(_ body: (Spool) throws -> Void) {
        guard let spool else { return }
        do {
            try body(spool)
        } catch {
            if !isSpoolFailing {
                logger.warning("What waits cannot be kept on disk", metadata: ["reason": "\(error)"])
            }
            isSpoolFailing = true
        }
    }
}

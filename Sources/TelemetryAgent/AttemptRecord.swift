// SPDX-License-Identifier: Apache-2.0

import Kubernetes
import Synchronization
import TelemetryModel

/// Keeps what became of reports where everybody in the cluster can read it.
final class AttemptRecord: Sendable {
    private let settings: AgentSettings
    private let status: StatusStore
    private let identities: IdentitySource
    private let journal: AgentJournal
    private let now: @Sendable () -> UTCInstant
    /// What is being written.
    private let writing = Mutex<Task<Void, Never>?>(nil)

    init(
        settings: AgentSettings,
        status: StatusStore,
        identities: IdentitySource,
        journal: AgentJournal,
        now: @escaping @Sendable () -> UTCInstant
    ) {
        self.settings = settings
        self.status = status
        self.identities = identities
        self.journal = journal
        self.now = now
    }

    /// The longest that writing may take.
    private static let limit = Duration.seconds(5)

    /// Keeps an attempt, also where the task is cancelled, which does not wait for it then.
    ///
    /// - Parameters:
    ///   - attempt: What became of a report.
    ///   - isScheduled: Whether another one follows at the cluster's next moment.
    func keep(_ attempt: Courier.Attempt, isScheduled: Bool) async {
        let (written, end) = AsyncStream.makeStream(of: Void.self)
        // A task of its own, as a cancelled one can call nobody; it ends by its limit.
        let task = Task {
            defer { end.finish() }
            do {
                let kept: Void? = try await withDeadline(Self.limit) { try await self.write(attempt, isScheduled) }
                journal.noteWriting(kept == nil ? KubernetesError.deadlineExceeded(path: StatusStore.name) : nil)
            } catch {
                journal.noteWriting(error)
            }
        }
        writing.withLock { $0 = task }
        for await _ in written {}
    }

    /// Returns when everything is written, or could not be.
    func finish() async { await writing.withLock { $0 }?.value }

    private func write(_ attempt: Courier.Attempt, _ isScheduled: Bool) async throws {
        let record = try await status.read()
        let delivery = DeliveryRecord(attempt, to: settings.endpoint)
        // A report that is tried again and again is told of once.
        var changes = record.hasTold(of: delivery) ? [:] : record.changes(recording: delivery, of: attempt.report)
        // The report was sent; where the id cannot be read now, the one that stands there was right a moment ago.
        if let identity = try? await identities.existing() {
            let moments = ReportMoments(every: settings.interval, of: identity.clusterID)
            let next = isScheduled ? moments.next(after: now()) : nil
            changes.merge(StatusRecord.changes(recording: identity, next: next)) { $1 }
        }
        try await status.write(changes)
    }
}

// SPDX-License-Identifier: Apache-2.0

import Kubernetes
import TelemetryModel

/// Keeps what became of reports where everybody in the cluster can read it.
struct AttemptRecord: Sendable {
    let settings: AgentSettings
    let status: StatusStore
    let identities: IdentitySource
    let now: @Sendable () -> UTCInstant

    /// The longest that it holds up whoever sends, or is told to stop.
    private static let limit = Duration.seconds(5)

    /// Keeps an attempt, also where the task was cancelled: what was sent was sent.
    ///
    /// - Parameters:
    ///   - attempt: What became of a report.
    ///   - isScheduled: Whether another one follows at the cluster's next moment.
    ///   - journal: Is told where it cannot be kept.
    func keep(_ attempt: Courier.Attempt, isScheduled: Bool, _ journal: AgentJournal) async {
        // A task of its own, as a cancelled one can call nobody; it ends by its limit.
        await Task {
            do {
                let kept: Void? = try await withDeadline(Self.limit) { try await write(attempt, isScheduled) }
                journal.noteWriting(kept == nil ? KubernetesError.deadlineExceeded(path: StatusStore.name) : nil)
            } catch {
                journal.noteWriting(error)
            }
        }.value
    }

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

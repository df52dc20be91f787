// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Kubernetes
import TelemetryModel

/// Gives notice in the cluster before the first report: an Event, and the text in the agent's ConfigMap.
struct NoticeBoard: Sendable {
    let client: KubernetesClient
    let status: StatusStore
    let notice: Notice
    /// The time from the notice to the first report.
    let period: Duration
    let now: @Sendable () -> UTCInstant

    /// Gives the notice where that was not done, and tells how long to wait before anything may be sent.
    ///
    /// - Throws: Where it cannot be given; then nothing may be sent.
    func give() async throws -> Duration {
        if let remaining = notice.remaining(of: period, in: try await status.read(), at: now()) { return remaining }
        try await announce(at: now())
        // The text is written last: where it stands, the notice was given in both places.
        try await status.write([
            StatusRecord.Key.notice: notice.text, StatusRecord.Key.noticeAt: now().rfc3339,
        ])
        return period
    }

    private func announce(at now: UTCInstant) async throws {
        try await client.create(
            .events,
            namespace: status.namespace,
            Event.manifest(
                about: Event.Subject(kind: "ConfigMap", name: StatusStore.name),
                namespace: status.namespace,
                .normal,
                reason: "TelemetryNotice",
                message: notice.summary,
                by: "cozy-telemetry",
                at: Date(timeIntervalSince1970: Double(now.secondsSinceEpoch))
            )
        )
    }
}

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
        let record = try await status.read()
        let now = now()
        switch notice.state(in: record, at: now) {
        case .given(let ago): return max(.zero, period - ago)
        // A clock that was ahead when the notice was given does not make the period longer.
        case .givenLater: break
        case .missing:
            // Where the text cannot be written there is no Event either, time and again. The time comes last: where it
            // stands, the notice was given in both places.
            if record.data[StatusRecord.Key.notice] != notice.text {
                try await status.write([StatusRecord.Key.notice: notice.text, StatusRecord.Key.noticeAt: nil])
            }
            try await announce(at: now)
        }
        try await status.write([
            StatusRecord.Key.noticeAt: now.rfc3339,
            StatusRecord.Key.nextReportAt: now.advanced(bySeconds: period.components.seconds).rfc3339,
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

// SPDX-License-Identifier: Apache-2.0

import Metrics
import TelemetryModel

/// What is counted of an agent.
struct AgentMetrics: Sendable {
    private let accepted: Counter
    private let refused: Counter
    private let failed: Counter
    private let collected: Counter
    private let uncollected: Counter
    private let consent: Gauge
    private let leading: Gauge
    private let lastAccepted: Gauge

    init(factory: any MetricsFactory) {
        func attempts(_ result: String) -> Counter {
            Counter(label: "telemetry_agent_attempts", dimensions: [("result", result)], factory: factory)
        }
        accepted = attempts("accepted")
        refused = attempts("refused")
        failed = attempts("failed")
        func collections(_ result: String) -> Counter {
            Counter(label: "telemetry_agent_collections", dimensions: [("result", result)], factory: factory)
        }
        collected = collections("collected")
        uncollected = collections("failed")
        consent = Gauge(label: "telemetry_agent_consent", factory: factory)
        leading = Gauge(label: "telemetry_agent_leading", factory: factory)
        lastAccepted = Gauge(label: "telemetry_agent_last_accepted_timestamp_seconds", factory: factory)
        consent.record(0)
        leading.record(0)
    }

    /// An attempt to send a report is over.
    func attempted(_ answer: DeliveryAnswer, at now: UTCInstant) {
        switch answer {
        case .accepted:
            accepted.increment()
            lastAccepted.record(now.secondsSinceEpoch)
        case .refused: refused.increment()
        case .retry: failed.increment()
        }
    }

    /// Reports were made, or could not be.
    func collected(_ isCollected: Bool) {
        (isCollected ? collected : uncollected).increment()
    }

    /// Whether anything may be sent.
    func read(_ consent: Consent) { self.consent.record(consent == .yes ? 1 : 0) }

    /// Whether this process is the one that reports.
    func leads(_ isLeading: Bool) { leading.record(isLeading ? 1 : 0) }
}

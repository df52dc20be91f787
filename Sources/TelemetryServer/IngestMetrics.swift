// SPDX-License-Identifier: Apache-2.0

import Metrics
import ReportStore
import TelemetryModel

/// What is counted of reports.
struct IngestMetrics: Sendable {
    /// Every status that a report is refused with, or what would have been the head of one, and why; 405 is of no report.
    static let refusals = [
        (status: 400, reason: "it is no report, has too many samples or no cluster id, or is no well-formed HTTP"),
        (status: 401, reason: "it is not shown that the cluster sent it"),
        (status: 408, reason: "it took too long to arrive"),
        (status: 413, reason: "it is too large"),
        (status: 415, reason: "it is packed in a way that is not taken"),
        (status: 429, reason: "too many came of one cluster or from one network"),
        (status: 431, reason: "the head of its request is too large"),
        (status: 500, reason: "something went wrong here, which the log says"),
        (status: 503, reason: "the store did not take it, or too much was under way"),
    ]

    /// By status.
    private let refused: [Int: Counter]
    private let newStates: Counter
    private let knownStates: Counter
    private let signed: Counter
    private let unsigned: Counter
    private let duration: Metrics.Timer
    private let inFlight: Meter
    private let droppedSamples: Counter
    private let droppedLabels: Counter
    private let replacedValues: Counter

    init(factory: any MetricsFactory) {
        refused = Dictionary(
            uniqueKeysWithValues: Self.refusals.map { status, _ in
                let dimensions = [("status", "\(status)")]
                return (status, Counter(label: "telemetry_reports_refused", dimensions: dimensions, factory: factory))
            }
        )
        newStates = Counter(label: "telemetry_reports_accepted", dimensions: [("state", "new")], factory: factory)
        knownStates = Counter(label: "telemetry_reports_accepted", dimensions: [("state", "known")], factory: factory)
        func senders(_ kind: String) -> Counter {
            Counter(label: "telemetry_reports_by_signature", dimensions: [("signature", kind)], factory: factory)
        }
        signed = senders("signed")
        unsigned = senders("unsigned")
        duration = Metrics.Timer(label: "telemetry_report_duration_seconds", factory: factory)
        inFlight = Meter(label: "telemetry_reports_in_flight", factory: factory)
        droppedSamples = Counter(label: "telemetry_dropped_samples", factory: factory)
        droppedLabels = Counter(label: "telemetry_dropped_labels", factory: factory)
        replacedValues = Counter(label: "telemetry_replaced_label_values", factory: factory)
    }

    func began() { inFlight.increment() }

    func ended() { inFlight.decrement() }

    func accepted(_ outcome: ReportStore.Outcome, isSigned: Bool, in time: Duration) {
        (isSigned ? signed : unsigned).increment()
        (outcome == .newState ? newStates : knownStates).increment()
        duration.record(duration: time)
    }

    func refused(_ status: Int) { refused[status]?.increment() }

    func dropped(_ decoded: DecodedReport) {
        droppedSamples.increment(by: decoded.droppedSamples)
        droppedLabels.increment(by: decoded.droppedLabels)
        replacedValues.increment(by: decoded.replacedValues)
    }
}

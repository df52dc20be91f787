// SPDX-License-Identifier: Apache-2.0

import Metrics
import ReportStore
import TelemetryModel

/// What is counted of reports.
struct IngestMetrics: Sendable {
    /// Every status that a report is refused with, or what would have been the head of one; 405 is of no report.
    private static let refusals = [400, 401, 408, 413, 415, 429, 431, 500, 503]

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
            uniqueKeysWithValues: Self.refusals.map { status in
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

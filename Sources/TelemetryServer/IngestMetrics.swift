// SPDX-License-Identifier: Apache-2.0

import Metrics
import ReportStore
import TelemetryModel

/// What is counted of reports.
struct IngestMetrics: Sendable {
    private let factory: any MetricsFactory
    private let newStates: Counter
    private let knownStates: Counter
    private let duration: Metrics.Timer
    private let inFlight: Meter
    private let droppedSamples: Counter
    private let droppedLabels: Counter
    private let replacedValues: Counter

    init(factory: any MetricsFactory) {
        self.factory = factory
        newStates = Counter(label: "telemetry_reports_accepted", dimensions: [("state", "new")], factory: factory)
        knownStates = Counter(label: "telemetry_reports_accepted", dimensions: [("state", "known")], factory: factory)
        duration = Metrics.Timer(label: "telemetry_report_duration_seconds", factory: factory)
        inFlight = Meter(label: "telemetry_reports_in_flight", factory: factory)
        droppedSamples = Counter(label: "telemetry_dropped_samples", factory: factory)
        droppedLabels = Counter(label: "telemetry_dropped_labels", factory: factory)
        replacedValues = Counter(label: "telemetry_replaced_label_values", factory: factory)
    }

    func began() { inFlight.increment() }

    func ended() { inFlight.decrement() }

    func accepted(_ outcome: ReportStore.Outcome, in time: Duration) {
        (outcome == .newState ? newStates : knownStates).increment()
        duration.record(duration: time)
    }

    func refused(_ status: Int) {
        Counter(label: "telemetry_reports_refused", dimensions: [("status", "\(status)")], factory: factory).increment()
    }

    func dropped(_ decoded: DecodedReport) {
        droppedSamples.increment(by: decoded.droppedSamples)
        droppedLabels.increment(by: decoded.droppedLabels)
        replacedValues.increment(by: decoded.replacedValues)
    }
}

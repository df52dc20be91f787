// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import Logging
import Metrics
import NIOCore
import ReportStore
import TelemetryModel

/// What `POST /` does: admits, reads, unpacks, parses, validates, pseudonymises and commits one report.
///
/// 200 means that it is on disk.
struct Ingest: Sendable {
    private let store: ReportStore
    private let settings: BackendSettings
    private let pseudonymizer: Pseudonymizer
    private let now: @Sendable () -> UTCInstant
    private let metrics: IngestMetrics
    private let droppings: DroppingsLog

    init(
        store: ReportStore,
        settings: BackendSettings,
        pseudonymizer: Pseudonymizer,
        now: @escaping @Sendable () -> UTCInstant,
        metrics: any MetricsFactory,
        logger: Logger
    ) {
        self.store = store
        self.settings = settings
        self.pseudonymizer = pseudonymizer
        self.now = now
        self.metrics = IngestMetrics(factory: metrics)
        droppings = DroppingsLog(logger: logger, now: now)
    }

    /// Takes a report.
    func take(_ request: Request) async throws -> Response {
        let begin = ContinuousClock.now
        metrics.began()
        defer { metrics.ended() }
        do {
            let outcome = try await accept(request)
            metrics.accepted(outcome, in: ContinuousClock.now - begin)
            return Response(status: .ok, headers: [.contentType: "text/plain; charset=utf-8"])
        } catch {
            metrics.refused(Refusal(error)?.status.code ?? 500)
            throw error
        }
    }

    private func accept(_ request: Request) async throws -> ReportStore.Outcome {
        let admission = try Admission(request.headers, largestBody: settings.largestBody)
        let body = try await unpacked(request, admission.encoding)
        let decoded = try ReportDecoder(pseudonymizer: pseudonymizer).decode(body)
        metrics.dropped(decoded)
        droppings.add(decoded)
        let cluster = pseudonymizer.pseudonym(of: admission.cluster)
        return try await store.submit(
            AcceptedReport(cluster: cluster, receivedAt: now(), report: decoded.report)
        )
    }

    /// The whole body as text.
    private func unpacked(_ request: Request, _ encoding: Admission.Encoding) async throws -> [UInt8] {
        let buffer: ByteBuffer
        do {
            buffer = try await request.body.collect(upTo: settings.largestBody)
        } catch is NIOTooManyBytesError {
            throw Refusal(status: .contentTooLarge, message: "the body is over \(settings.largestBody) bytes")
        } catch let error as CancellationError {
            throw error
        } catch {
            throw Refusal.badRequest("the body broke off or is not well-formed HTTP")
        }
        let bytes = Array(buffer: buffer)
        guard encoding == .gzip else { return bytes }
        do throws(GzipDecoder.Failure) {
            return try GzipDecoder.decode(bytes, limit: settings.largestUnpackedBody)
        } catch {
            switch error {
            case .malformed: throw Refusal.badRequest("the body is not whole gzip")
            case .tooLarge:
                throw Refusal(
                    status: .contentTooLarge,
                    message: "the body unpacks to over \(settings.largestUnpackedBody) bytes"
                )
            }
        }
    }
}

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

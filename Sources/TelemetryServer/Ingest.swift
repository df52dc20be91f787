// SPDX-License-Identifier: Apache-2.0

import Exposition
import Gzip
import HTTPTypes
import Logging
import NIOPosix
import ReportStore
import TelemetryModel

/// What `POST /` does with a whole body: verifies its signature where it has one, recognises it where the store knows it,
/// else unpacks, parses, validates, pseudonymises and commits one report.
///
/// Success means that it is on disk.
struct Ingest: Sendable {
    /// Told once what came of a report, on any thread, possibly before the call that it was given to returns.
    typealias Completion = @Sendable (Result<ReportStore.Outcome, any Error>) -> Void

    /// A body over so many bytes is unpacked and parsed by another thread, so that it does not hold up the event loop's
    /// others.
    private static let largestOnEventLoop = 64 * 1024
    /// A body over so many bytes is recognised by another thread, too.
    private static let largestRecognisedOnEventLoop = 1 << 20

    private let store: ReportStore
    private let unpacking: UnpackingLimit
    private let sourceGuard: SourceGuard
    private let signatures: SignatureCheck
    private let pseudonymizer: Pseudonymizer
    private let decoder: ReportDecoder
    private let now: @Sendable () -> UTCInstant
    private let metrics: IngestMetrics
    private let droppings: DroppingsLog

    init(
        store: ReportStore,
        settings: BackendSettings,
        sourceGuard: SourceGuard,
        signatures: SignatureCheck,
        pseudonymizer: Pseudonymizer,
        now: @escaping @Sendable () -> UTCInstant,
        metrics: IngestMetrics,
        logger: Logger
    ) {
        self.store = store
        self.sourceGuard = sourceGuard
        self.signatures = signatures
        self.pseudonymizer = pseudonymizer
        var limits = ReportDecoder.defaultLimits
        limits.samples = settings.largestSampleCount
        decoder = ReportDecoder(pseudonymizer: pseudonymizer, limits: limits)
        self.now = now
        self.metrics = metrics
        unpacking = UnpackingLimit(settings)
        droppings = DroppingsLog(logger: logger, now: now)
    }

    /// Takes a body as it travelled; called on an event loop, which it does not keep for long.
    func take(_ admission: Admission, body: [UInt8], completion: @escaping Completion) {
        guard let signature = admission.sender.signature else { return takeVerified(admission, body, completion) }
        guard body.count <= Self.largestOnEventLoop else {
            return elsewhere(completion) { verify(signature, admission, body, completion) }
        }
        verify(signature, admission, body, completion)
    }

    /// Takes a body once its signature is found right.
    private func verify(
        _ signature: MessageSignature,
        _ admission: Admission,
        _ body: [UInt8],
        _ completion: @escaping Completion
    ) {
        do throws(SignatureError) {
            try signatures.verify(signature, method: "POST", path: "/", body: body, cluster: admission.sender.cluster)
            takeVerified(admission, body) { result in
                if case .failure(let error) = result, Refusal(error)?.isForLater != false {
                    signatures.forget(signature)
                }
                completion(result)
            }
        } catch {
            completion(.failure(error))
        }
    }

    /// Takes a body that is its sender's, as far as that can be known.
    private func takeVerified(_ admission: Admission, _ body: [UInt8], _ completion: @escaping Completion) {
        do throws(Refusal) {
            try sourceGuard.admit(admission.sender.cluster)
        } catch {
            return completion(.failure(error))
        }
        guard admission.encoding == .gzip else { return takePlain(admission, body, completion) }
        guard body.count <= Self.largestOnEventLoop else { return takeElsewhere(admission, body, completion) }
        let limit = unpacking.limit(packed: body.count)
        do throws(GzipDecoder.Failure) {
            let unpacked = try GzipDecoder.decode(body, limit: min(Self.largestOnEventLoop, limit))
            takeUnpacked(admission, unpacked, completion)
        } catch .tooLarge where limit > Self.largestOnEventLoop {
            takeElsewhere(admission, body, completion)
        } catch {
            completion(.failure(unpacking.refusal(error, packed: body.count)))
        }
    }

    /// Takes the unpacked body of a report; on any thread.
    private func takeUnpacked(_ admission: Admission, _ body: [UInt8], _ completion: @escaping Completion) {
        let fingerprint = Fingerprint(of: body.span, from: admission.sender.cluster)
        guard !isKnown(fingerprint, completion) else { return }
        decode(admission, body, fingerprint, completion)
    }

    /// Takes a body that is not packed; a large one leaves the event loop only where it is not known.
    private func takePlain(_ admission: Admission, _ body: [UInt8], _ completion: @escaping Completion) {
        guard body.count <= Self.largestRecognisedOnEventLoop else {
            return takeElsewhere(admission, body, completion)
        }
        let fingerprint = Fingerprint(of: body.span, from: admission.sender.cluster)
        guard !isKnown(fingerprint, completion) else { return }
        guard body.count > Self.largestOnEventLoop else {
            return decode(admission, body, fingerprint, completion)
        }
        elsewhere(completion) { decode(admission, body, fingerprint, completion) }
    }

    /// Whether the store knows a report; then the completion is told, now or once it is committed.
    private func isKnown(_ fingerprint: Fingerprint, _ completion: @escaping Completion) -> Bool {
        let recognition = store.submitAgain(fingerprint, receivedAt: now()) { completion($0.mapError { $0 }) }
        if recognition == .committed { completion(.success(.knownState)) }
        return recognition != .unknown
    }

    /// Parses a report and has it committed.
    private func decode(
        _ admission: Admission,
        _ body: [UInt8],
        _ fingerprint: Fingerprint,
        _ completion: @escaping Completion
    ) {
        let cluster = pseudonymizer.pseudonym(of: admission.sender.cluster)
        let isNew = !store.knows(cluster)
        do {
            if isNew { try sourceGuard.admitNewCluster(from: admission.network) }
            let report = AcceptedReport(cluster: cluster, receivedAt: now(), report: try decoded(body))
            store.submit(report, as: fingerprint) { result in
                if isNew, case .success = result { sourceGuard.tookNewCluster(from: admission.network) }
                completion(result.mapError { $0 })
            }
        } catch {
            completion(.failure(error))
        }
    }

    private func decoded(_ body: [UInt8]) throws(ReportError) -> Report {
        let decoded = try decoder.decode(body)
        metrics.dropped(decoded)
        droppings.add(decoded)
        return decoded.report
    }

    /// Takes a large body on a thread of the pool.
    private func takeElsewhere(_ admission: Admission, _ body: [UInt8], _ completion: @escaping Completion) {
        elsewhere(completion) {
            do throws(GzipDecoder.Failure) {
                let limit = unpacking.limit(packed: body.count)
                let unpacked = admission.encoding == .gzip ? try GzipDecoder.decode(body, limit: limit) : body
                takeUnpacked(admission, unpacked, completion)
            } catch {
                completion(.failure(unpacking.refusal(error, packed: body.count)))
            }
        }
    }

    /// Does something on a thread of the pool.
    private func elsewhere(_ completion: @escaping Completion, _ body: @escaping @Sendable () -> Void) {
        NIOThreadPool.singleton.submit { state in
            guard state == .active else { return completion(.failure(CancellationError())) }
            body()
        }
    }
}

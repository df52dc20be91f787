// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Logging
import NIOPosix
import ReportStore
import TelemetryModel

/// What `POST /` does with a whole body: unpacks, parses, validates, pseudonymises and commits one report.
///
/// Success means that it is on disk.
struct Ingest: Sendable {
    /// Told once what came of a report, on any thread, possibly before the call that it was given to returns.
    typealias Completion = @Sendable (Result<ReportStore.Outcome, any Error>) -> Void

    /// A body over so many bytes is worked on by another thread, so that it does not hold up the event loop's others.
    private static let largestOnEventLoop = 64 * 1024

    private let store: ReportStore
    private let largestUnpackedBody: Int
    private let pseudonymizer: Pseudonymizer
    private let now: @Sendable () -> UTCInstant
    private let metrics: IngestMetrics
    private let droppings: DroppingsLog

    init(
        store: ReportStore,
        settings: BackendSettings,
        pseudonymizer: Pseudonymizer,
        now: @escaping @Sendable () -> UTCInstant,
        metrics: IngestMetrics,
        logger: Logger
    ) {
        self.store = store
        self.pseudonymizer = pseudonymizer
        self.now = now
        self.metrics = metrics
        largestUnpackedBody = settings.largestUnpackedBody
        droppings = DroppingsLog(logger: logger, now: now)
    }

    /// Takes a body as it travelled; called on an event loop, which it does not keep for long.
    func take(_ admission: Admission, body: [UInt8], completion: @escaping Completion) {
        guard body.count <= Self.largestOnEventLoop else { return takeElsewhere(admission, body, completion) }
        guard admission.encoding == .gzip else {
            return take(cluster: admission.cluster, body: body, completion: completion)
        }
        do throws(GzipDecoder.Failure) {
            let unpacked = try GzipDecoder.decode(body, limit: min(Self.largestOnEventLoop, largestUnpackedBody))
            take(cluster: admission.cluster, body: unpacked, completion: completion)
        } catch .tooLarge where largestUnpackedBody > Self.largestOnEventLoop {
            takeElsewhere(admission, body, completion)
        } catch {
            completion(.failure(refusal(error)))
        }
    }

    /// Takes the unpacked body of a report; on any thread.
    func take(cluster: ClusterID, body: [UInt8], completion: @escaping Completion) {
        let report: AcceptedReport
        do throws(ReportError) {
            report = try accepted(cluster, body)
        } catch {
            return completion(.failure(error))
        }
        Task { [store] in
            do {
                completion(.success(try await store.submit(report)))
            } catch {
                completion(.failure(error))
            }
        }
    }

    private func accepted(_ cluster: ClusterID, _ body: [UInt8]) throws(ReportError) -> AcceptedReport {
        let decoded = try ReportDecoder(pseudonymizer: pseudonymizer).decode(body)
        metrics.dropped(decoded)
        droppings.add(decoded)
        return AcceptedReport(
            cluster: pseudonymizer.pseudonym(of: cluster),
            receivedAt: now(),
            report: decoded.report
        )
    }

    /// Takes a large body on a thread of the pool.
    private func takeElsewhere(_ admission: Admission, _ body: [UInt8], _ completion: @escaping Completion) {
        NIOThreadPool.singleton.submit { state in
            guard state == .active else { return completion(.failure(CancellationError())) }
            do throws(GzipDecoder.Failure) {
                let isPacked = admission.encoding == .gzip
                let unpacked = isPacked ? try GzipDecoder.decode(body, limit: largestUnpackedBody) : body
                take(cluster: admission.cluster, body: unpacked, completion: completion)
            } catch {
                completion(.failure(refusal(error)))
            }
        }
    }

    private func refusal(_ failure: GzipDecoder.Failure) -> Refusal {
        switch failure {
        case .malformed: .badRequest("the body is not whole gzip")
        case .tooLarge:
            Refusal(status: .contentTooLarge, message: "the body unpacks to over \(largestUnpackedBody) bytes")
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization
import TelemetryModel
import TelemetryTesting
import Testing

@testable import ReportStore

@Suite("Reports that are recognised")
struct RecognitionTests {
    private let test: TestStore
    private let march = TestStore.march
    private let cluster: ClusterID

    init() throws {
        test = try TestStore()
        cluster = try #require(ClusterID("a"))
    }

    /// A body and the report in it.
    private func body(nodes: Int) -> [UInt8] { Array("cozy_nodes_count{os=\"linux\",kernel=\"6.6\"} \(nodes)\n".utf8) }

    private func fingerprint(_ body: [UInt8]) -> Fingerprint { Fingerprint(of: body.span, from: cluster) }

    /// Submits a body as an ingest does: by its fingerprint, else decoded.
    private func send(_ body: [UInt8], at instant: UTCInstant, to store: ReportStore) async throws
        -> ReportStore.Recognition
    {
        let report = try ReportDecoder(pseudonymizer: test.pseudonymizer).decode(body).report
        let accepted = AcceptedReport(
            cluster: test.pseudonymizer.pseudonym(of: cluster),
            receivedAt: instant,
            report: report
        )
        let fingerprint = fingerprint(body)
        let recognition = Mutex(ReportStore.Recognition.unknown)
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            let known = store.submitAgain(fingerprint, receivedAt: instant) { result in
                continuation.resume(with: result.map { _ in }.mapError { $0 })
            }
            recognition.withLock { $0 = known }
            if known == .committed { continuation.resume() }
            guard known == .unknown else { return }
            store.submit(accepted, as: fingerprint) { result in
                continuation.resume(with: result.map { _ in }.mapError { $0 })
            }
        }
        return recognition.withLock { $0 }
    }

    @Test("the same within the hour is known to be committed, in a new hour or day it is committed undecoded")
    func recognises() async throws {
        let store = try test.open()
        let body = body(nodes: 3)
        #expect(try await send(body, at: march, to: store) == .unknown)
        #expect(try await send(body, at: march.advanced(bySeconds: 3_599), to: store) == .committed)
        #expect(try await send(body, at: march.advanced(bySeconds: 3_600), to: store) == .submitted)
        #expect(try await send(body, at: march.advanced(bySeconds: 86_400), to: store) == .submitted)
        #expect(try await send(body, at: march.advanced(bySeconds: 86_400), to: store) == .committed)
        #expect(try await send(body, at: march, to: store) == .submitted)
        let days = try await store.totals(on: march.day...UTCDay(daysSinceEpoch: march.day.daysSinceEpoch + 1))
        #expect(days.map(\.all) == [[.clusters: 1, .nodes: 3], [.clusters: 1, .nodes: 3]])
        #expect(days.map(\.established) == [[:], [.clusters: 1, .nodes: 3]])
        #expect(try await store.problems() == [])
        try store.close()
    }

    @Test("another month, another report in between, an erasure and a new process make it unknown")
    func forgets() async throws {
        let store = try test.open()
        let (three, four) = (body(nodes: 3), body(nodes: 4))
        #expect(try await send(three, at: march, to: store) == .unknown)
        #expect(try await send(three, at: march.advanced(bySeconds: 40 * 86_400), to: store) == .unknown)
        #expect(try await send(three, at: march, to: store) == .unknown)
        #expect(try await send(four, at: march, to: store) == .unknown)
        #expect(try await send(three, at: march, to: store) == .unknown)
        #expect(try await send(three, at: march, to: store) == .committed)
        #expect(try await store.erase(test.pseudonymizer.pseudonym(of: cluster))?.sightings == 3)
        #expect(try await send(three, at: march, to: store) == .unknown)
        #expect(try await send(three, at: march, to: store) == .committed)
        try store.close()
        let again = try test.open()
        #expect(try await send(three, at: march, to: again) == .unknown)
        #expect(try await send(three, at: march, to: again) == .committed)
        #expect(try await again.problems() == [])
        try again.close()
    }

    @Test("a report whose cluster is erased while it waits is refused, and taken when it is sent again")
    func erasedMeanwhile() async throws {
        let store = try test.open()
        let body = body(nodes: 3)
        _ = try await send(body, at: march, to: store)
        let recognised = try #require(store.clusters.recognise(fingerprint(body)))
        _ = try await store.erase(test.pseudonymizer.pseudonym(of: cluster))
        await #expect(throws: StoreError.forgotten) {
            try await withCheckedThrowingContinuation { continuation in
                store.queue.submit(.again(recognised, march.advanced(bySeconds: 3_600))) {
                    continuation.resume(with: $0)
                }
            }
        }
        #expect(try await send(body, at: march, to: store) == .unknown)
        #expect(try await store.statistics().clusters == 1)
        try store.close()
    }
}

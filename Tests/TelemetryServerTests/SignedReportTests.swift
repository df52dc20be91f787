// SPDX-License-Identifier: Apache-2.0

import Gzip
import NIOCore
import NIOHTTP1
import ReportStore
import TelemetryModel
import TelemetryTesting
import Testing

@testable import TelemetryServer

@Suite("Signed reports")
struct SignedReportTests {
    private let sender = SignedSender()
    private let body = Array("cozy_tenants_count 2\n".utf8)

    /// Expects a report to be refused as its sender's, with a reason, and nothing to be kept.
    private func expectRefusal(
        _ backend: RunningTestBackend,
        _ headers: HTTPHeaders,
        body: [UInt8]? = nil,
        because reason: String
    ) async throws {
        let clusters = backend.store.clusterCount
        let answer = try await backend.post(body ?? self.body, headers: headers)
        #expect(answer.status == 401)
        #expect(answer.body.contains(reason), "\(answer.body)")
        #expect(answer.headers.first(name: "WWW-Authenticate") == "Signature")
        #expect(backend.store.clusterCount == clusters)
    }

    @Test("one is taken, unchanged too, and counted apart from those without a signature")
    func taken() async throws {
        try await RunningTestBackend.with { backend async throws in
            for _ in 0..<3 {
                let headers = try sender.headers(body, at: backend.clock.now)
                #expect(try await backend.post(body, headers: headers).status == 200)
            }
            #expect(try await backend.post("cozy_tenants_count 2\n").status == 200)
            #expect(backend.store.clusterCount == 2)
            let metrics = try await backend.metrics()
            #expect(metrics.contains("telemetry_reports_by_signature_total{signature=\"signed\"} 3\n"))
            #expect(metrics.contains("telemetry_reports_by_signature_total{signature=\"unsigned\"} 1\n"))
            #expect(metrics.contains("telemetry_reports_refused_total{status=\"401\"} 0\n"))
        }
    }

    @Test("a packed or large one is signed as it travels", arguments: [false, true], [20, 200_000])
    func bodies(isPacked: Bool, lines: Int) async throws {
        try await RunningTestBackend.with { backend async throws in
            // Hashes do not shrink to nothing, so that the packed body is large as well.
            let comments = (0..<lines / 10).map { "# \($0.hashValue) \($0)\n" }.joined()
            let plain = Array(comments.utf8) + body
            let sent = isPacked ? try #require(GzipEncoder.encode(plain)) : plain
            var headers = try sender.headers(sent, at: backend.clock.now)
            if isPacked { headers.add(name: "Content-Encoding", value: "gzip") }
            #expect(try await backend.post(sent, headers: headers).status == 200)
            try await expectRefusal(backend, headers, body: sent, because: "used before")
            try await expectRefusal(backend, headers, body: sent + [10], because: "Content-Digest")
            #expect(backend.store.clusterCount == 1)
        }
    }

    @Test("one that was told to come again may, as it is")
    func comesAgain() async throws {
        var limits = RateLimits()
        (limits.burstPerCluster, limits.reportsPerCluster) = (1, 1)
        try await RunningTestBackend.with(adjust: { $0.rateLimits = limits }) { backend async throws in
            #expect(try await backend.post(body, headers: sender.headers(body, at: backend.clock.now)).status == 200)
            let headers = try sender.headers(body, at: backend.clock.now)
            // It is not said that it was used before.
            for _ in 1...3 { #expect(try await backend.post(body, headers: headers).status == 429) }
        }
    }

    @Test("one that is not the sender's is 401 with the reason, also where its body is known")
    func refused() async throws {
        try await RunningTestBackend.with { backend async throws in
            let now = backend.clock.now
            let good = try sender.headers(body, at: now)
            #expect(try await backend.post(body, headers: good).status == 200)

            try await expectRefusal(backend, good, because: "used before")
            var other = try SignedSender().headers(body, at: now)
            other.replaceOrAdd(name: "X-Cluster-ID", value: sender.key.clusterID.text)
            try await expectRefusal(backend, other, because: "not derived")
            let fresh = try sender.headers(body, at: now)
            try await expectRefusal(backend, fresh, body: body + body, because: "Content-Digest")
            try await expectRefusal(
                backend,
                try sender.headers(body, at: now, method: "POST", path: "/other"),
                because: "not one of"
            )
            try await expectRefusal(
                backend,
                try sender.headers(body, at: now, method: "PUT", path: "/"),
                because: "not one of"
            )
            let stale = try sender.headers(body, at: now.advanced(bySeconds: -3_601))
            try await expectRefusal(backend, stale, because: "3600 seconds old")
            let early = try sender.headers(body, at: now.advanced(bySeconds: 3_601))
            try await expectRefusal(backend, early, because: "check the clock")
            // What was refused did not use up its nonce.
            #expect(try await backend.post(body, headers: fresh).status == 200)
            #expect(try await backend.metrics().contains("telemetry_reports_refused_total{status=\"401\"} 7\n"))
        }
    }

    @Test("a derived id without a signature is 401, in any case, with parts of one, or with one twice")
    func unsigned() async throws {
        try await RunningTestBackend.with { backend async throws in
            let good = try sender.headers(body, at: backend.clock.now)
            let id = sender.key.clusterID.text
            try await expectRefusal(backend, ["X-Cluster-ID": id], because: "needs the signature")
            try await expectRefusal(backend, ["X-Cluster-ID": id.uppercased()], because: "needs the signature")
            for name in ["Content-Digest", "Signature-Input", "Signature"] {
                var (without, twice) = (good, good)
                without.remove(name: name)
                twice.add(contentsOf: [name: try #require(good.first(name: name))])
                try await expectRefusal(backend, without, because: "\(name) must be given once")
                try await expectRefusal(backend, twice, because: "\(name) must be given once")
            }
        }
    }

    @Test("a carried one is taken for thirty days, and an ordinary one of that age is not")
    func bundles() async throws {
        try await RunningTestBackend.with { backend async throws in
            let old = backend.clock.now.advanced(bySeconds: -30 * 86_400)
            let bundle = try sender.headers(body, at: old, tag: .bundle)
            #expect(try await backend.post(body, headers: bundle).status == 200)
            try await expectRefusal(backend, bundle, because: "used before")
            try await expectRefusal(backend, try sender.headers(body, at: old), because: "seconds old")
            let older = try sender.headers(body, at: old.advanced(bySeconds: -1), tag: .bundle)
            try await expectRefusal(backend, older, because: "2592000 seconds old")
        }
    }

    @Test("a signature over any other id counts as none")
    func otherIDs() async throws {
        try await RunningTestBackend.with { backend async throws in
            var headers = try sender.headers(body, at: backend.clock.now)
            headers.replaceOrAdd(name: "X-Cluster-ID", value: "6f1c9d2e-0000-4000-8000-000000000001")
            for _ in 0..<2 { #expect(try await backend.post(body, headers: headers).status == 200) }
            let metrics = try await backend.metrics()
            #expect(metrics.contains("telemetry_reports_by_signature_total{signature=\"signed\"} 0\n"))
            #expect(metrics.contains("telemetry_reports_by_signature_total{signature=\"unsigned\"} 2\n"))
        }
    }

    @Test("where signatures are required, everything without is 401")
    func required() async throws {
        try await RunningTestBackend.with(adjust: { $0.requiresSignatures = true }) { backend async throws in
            var headers = try sender.headers(body, at: backend.clock.now)
            #expect(try await backend.post(body, headers: headers).status == 200)
            headers.replaceOrAdd(name: "X-Cluster-ID", value: "6f1c9d2e-0000-4000-8000-000000000001")
            try await expectRefusal(backend, headers, because: "a signature is required")
            #expect(try await backend.get("/").status == 200)
        }
    }

    @Test("nothing of who signed is logged or answered")
    func secrecy() async throws {
        try await RunningTestBackend.with { backend async throws in
            let headers = try sender.headers(body, at: backend.clock.now)
            var answers = ""
            for _ in 0..<2 { answers += try await backend.post(body, headers: headers).body }
            answers += try await backend.erase(headers).body
            let said = answers + backend.log.recorded.joined(separator: "\n")
            for name in ["X-Cluster-ID", "Content-Digest", "Signature-Input", "Signature"] {
                #expect(!said.contains(try #require(headers.first(name: name))))
            }
        }
    }

    @Test("signatures are remembered for two hours at the least, and the oldest go first where there are too many")
    func memory() throws {
        let now = UTCInstant(startOf: CalendarMonth(year: 2026, month: 3).firstDay)
        let signatures = try (0..<7).map { _ in
            let headers = try sender.headers(body, at: now)
            func value(_ name: String) throws -> String { try #require(headers.first(name: name)) }
            return try MessageSignature(
                contentDigest: value("Content-Digest"),
                signatureInput: value("Signature-Input"),
                signature: value("Signature")
            )
        }
        var memory = ReplayMemory(limit: 2)
        func isNew(_ number: Int, hour: Int64 = 0) -> Bool {
            memory.remember(signatures[number], at: now.advanced(bySeconds: hour * 3_600))
        }
        for number in 0..<4 { #expect(isNew(number)) }
        for number in 0..<4 { #expect(!isNew(number)) }
        #expect(isNew(4))
        for number in 2..<5 { #expect(!isNew(number)) }
        #expect(isNew(0))

        memory = ReplayMemory()
        for number in 0..<7 {
            #expect(isNew(number, hour: Int64(number)))
            for earlier in max(0, number - 2)...number { #expect(!isNew(earlier, hour: Int64(number))) }
        }
        #expect(isNew(0, hour: 6))
    }
}

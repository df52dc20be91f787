// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOHTTP1
import ReportStore
import TelemetryModel
import TelemetryTesting
import Testing

@testable import TelemetryServer

@Suite("DELETE /v1/cluster")
struct ClusterRouteTests {
    private let sender = SignedSender()
    private let body = Array("cozy_nodes_count{os=\"linux (Talos (v1.8.4))\",kernel=\"6.6.64-canary77\"} 3\n".utf8)

    private func headers(
        at instant: UTCInstant,
        path: String = ClusterEndpoint.path,
        tag: MessageSignature.Tag = .report
    ) throws -> HTTPHeaders {
        try sender.headers([], at: instant, method: "DELETE", path: path, tag: tag)
    }

    private func report(to backend: RunningTestBackend) async throws {
        let headers = try sender.headers(body, at: backend.clock.now)
        #expect(try await backend.post(body, headers: headers).status == 200)
    }

    /// Whether the value that only this cluster has is in the files of the store.
    private func isInFiles(_ backend: RunningTestBackend) throws -> Bool {
        try ["telemetry.sqlite", "telemetry.sqlite-wal"].contains { name in
            let path = backend.directory.path + "/" + name
            guard FileManager.default.fileExists(atPath: path) else { return false }
            return try Data(contentsOf: URL(fileURLWithPath: path)).range(of: Data("canary77".utf8)) != nil
        }
    }

    @Test(
        "the cluster that signs is gone from store and files, others stay, and a second time nothing is left to remove"
    )
    func erases() async throws {
        try await RunningTestBackend.with { backend async throws in
            #expect(try await backend.post("cozy_tenants_count 2\n").status == 200)
            try await report(to: backend)
            #expect(try isInFiles(backend))

            let first = try await backend.erase(headers(at: backend.clock.now))
            #expect(first.status == 200)
            #expect(first.body == "{\"counted_in_finished_windows\":false,\"months\":1,\"sightings\":1}")
            #expect(backend.store.clusterCount == 1)
            #expect(try !isInFiles(backend))

            let again = try await backend.erase(headers(at: backend.clock.now))
            #expect(again.status == 200)
            #expect(again.body == "{\"counted_in_finished_windows\":false,\"months\":0,\"sightings\":0}")
            let window = Window(.month, endingWith: backend.clock.now.month)
            let totals = try await backend.store.totals(of: [window])[window]
            #expect(totals?.all[.clusters] == 1)
            #expect(totals?.all[.nodes] ?? 0 == 0)
            // It is not recognised any more, and is a new one.
            try await report(to: backend)
            #expect(backend.store.clusterCount == 2)
        }
    }

    @Test("without the cluster's signature of just this it is 401 and nothing is removed")
    func refuses() async throws {
        try await RunningTestBackend.with { backend async throws in
            try await report(to: backend)
            let now = backend.clock.now
            var other = try SignedSender().headers([], at: now, method: "DELETE", path: ClusterEndpoint.path)
            other.replaceOrAdd(name: "X-Cluster-ID", value: sender.key.clusterID.text)
            var unsigned = other
            unsigned.remove(name: "Signature")
            unsigned.remove(name: "Signature-Input")
            var random = try headers(at: now)
            random.replaceOrAdd(name: "X-Cluster-ID", value: "6f1c9d2e-0000-4000-8000-000000000001")
            for headers in [
                other, unsigned, random, try headers(at: now, path: "/"), try headers(at: now, tag: .bundle),
                try headers(at: now.advanced(bySeconds: -3_601)), try headers(at: now.advanced(bySeconds: 3_601)),
                try sender.headers([], at: now, method: "POST", path: ClusterEndpoint.path),
                try sender.headers(body, at: now, method: "DELETE", path: ClusterEndpoint.path),
            ] {
                let answer = try await backend.erase(headers)
                #expect(answer.status == 401)
                #expect(answer.headers.first(name: "WWW-Authenticate") == "Signature")
            }
            #expect(try await backend.erase([:]).status == 400)
            #expect(backend.store.clusterCount == 1)
        }
    }

    @Test("a replay is 401")
    func replayed() async throws {
        try await RunningTestBackend.with { backend async throws in
            let headers = try headers(at: backend.clock.now)
            #expect(try await backend.erase(headers).status == 200)
            try await report(to: backend)
            #expect(try await backend.erase(headers).status == 401)
            #expect(backend.store.clusterCount == 1)
        }
    }

    @Test("a body is not taken, and other methods are 405 with Allow")
    func methods() async throws {
        try await RunningTestBackend.with { backend async throws in
            let signed = try sender.headers(body, at: backend.clock.now, method: "DELETE", path: ClusterEndpoint.path)
            #expect(try await backend.erase(signed, body: body).status == 413)
            for method in [HTTPMethod.GET, .POST, .PUT, .HEAD] {
                let answer = try await backend.get(ClusterEndpoint.path, method: method)
                #expect(answer.status == 405)
                #expect(answer.headers.first(name: "Allow") == "DELETE")
            }
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Foundation
import Synchronization
import TelemetryModel
import TelemetryTesting
import Testing

@testable import TelemetryAgent

@Suite("From the agent's delivery to the backend", .timeLimit(.minutes(2)))
struct DeliveryToBackendTests {
    private let key = ClusterKey()
    private let now = UTCInstant.now()

    /// Reports of a cluster of v1, long enough to be packed.
    private var reports: [Report] {
        let kinds = ["Postgres", "Redis", "Kubernetes", "VirtualMachine"]
        let applications = kinds.enumerated().map { index, kind in
            Report.Sample(Series(.applicationCount, [kind]), Int64(index))
        }
        let facts = [
            Series(.clusterInfo, ["v1.0.0", "v1.33.1"]), Series(.nodesCount, ["linux (Talos (v1.10.5))", "6.12.1"]),
        ]
        return [Report(facts.map { .init($0, 1) }), Report(applications)]
    }

    /// Writes a bundle of the reports.
    private func write(to directory: TemporaryDirectory, at instant: UTCInstant? = nil) throws -> String {
        let bundle = try ReportBundle(
            reports.map { RequestBody($0.text) },
            signedBy: key,
            to: "http://127.0.0.1:1",
            at: instant ?? now
        )
        let file = directory.path + "/bundle.json"
        try Data(bundle.file).write(to: URL(filePath: file))
        return file
    }

    private func send(_ arguments: String...) async throws -> RunningProgram.Ending {
        try await RunningProgram.run(["send"] + arguments, environment: ["DO_NOT_TRACK": "1"])
    }

    @Test("the first report is plain, the next ones packed, and both are signed as they travel")
    func negotiation() async throws {
        let bodies = Mutex<[RequestBody]>([])
        try await Server.with(["--require-signatures"]) { server async throws in
            let transport = try DeliveryTransport(to: server.url)
            try await HTTPClient.withHTTPClient(configuration: transport.httpClientConfiguration) { http in
                let recorder = LogRecorder()
                let courier = Courier(
                    delivery: Delivery(http: http),
                    journal: AgentJournal(recorder.logger),
                    onAttempt: { attempt in bodies.withLock { $0.append(attempt.body) } }
                )
                let waiting = reports.map { WaitingReport($0, collectedAt: now) }
                let taken = try await courier.sendNow(waiting) { [key] _, body in
                    try TelemetryRequest(body, from: .key(key), to: server.url, at: .now())
                }
                #expect(taken == 2)
                #expect(recorder.recorded.isEmpty)
            }
            let month = try await server.overview().periods.month
            #expect(month.clusters == 1)
            #expect(month.apps["Redis"] == 1)
            #expect(
                try await server.metrics().contains("telemetry_reports_by_signature_total{signature=\"signed\"} 2\n")
            )
        }
        #expect(bodies.withLock { $0.map(\.isPacked) } == [false, true])
    }

    @Test("a bundle is sent from any machine, whatever DO_NOT_TRACK says there, and taken once")
    func bundle() async throws {
        let directory = try TemporaryDirectory()
        let file = try write(to: directory)
        try await Server.with(["--require-signatures"]) { server async throws in
            let sent = try await send(file, "--telemetry-endpoint", server.url)
            #expect(sent.status == 0, "\(sent.errors)")
            #expect(sent.errors == "report 1 of 2: taken\nreport 2 of 2: taken\nsent 2 of 2 reports to \(server.url)\n")
            #expect(try await server.overview().periods.month.apps["Redis"] == 1)
            let again = try await send(file, "--telemetry-endpoint", server.url)
            #expect(again.status == 69)
            let reason = "not taken: the telemetry endpoint answered 401 instead of 200: the signature was used before"
            #expect(again.errors.contains("report 1 of 2: \(reason)"))
            #expect(again.errors.contains("sent 0 of 2 reports to \(server.url)"))
        }
    }

    @Test("a bundle that would not be taken is not sent, and it is said what is wrong and where")
    func badBundles() async throws {
        let directory = try TemporaryDirectory()
        let file = try write(to: directory, at: now.advanced(bySeconds: -31 * 86_400))
        let old = try await send(file)
        #expect(old.status == 1)
        #expect(old.errors.contains("\(file): report 1 would not be taken: the signature is over 2592000 seconds old"))
        let nobody = try await send(try write(to: directory))
        #expect(nobody.status == 69)
        let reason = "not taken: the telemetry endpoint cannot be reached: Connection refused"
        #expect(nobody.errors.contains("report 2 of 2: \(reason)"))
        let path = try await send(file, "--telemetry-endpoint", "http://127.0.0.1:1/other")
        #expect(path.status == 1)
        #expect(path.errors.contains("signed for the path /"))
        let text = try String(contentsOfFile: file, encoding: .utf8)
        try text.replacing("\"url\"", with: "\"uri\"").write(toFile: file, atomically: true, encoding: .utf8)
        let malformed = try await send(file)
        #expect(malformed.status == 1)
        #expect(malformed.errors.contains("\(file):") && malformed.errors.contains("there is no member of that name"))
        let missing = try await send(directory.path + "/none")
        #expect(missing.status == 1)
        #expect(missing.errors.contains(directory.path + "/none cannot be read"))
    }

    @Test("a wrong way to the endpoint is 64 with the file, or the variable without its value")
    func wrongWays() async throws {
        let directory = try TemporaryDirectory()
        let file = try write(to: directory)
        let authority = try await send(file, "--ca-file", directory.path + "/none")
        #expect(authority.status == 64)
        #expect(authority.errors.contains("\(directory.path)/none cannot be read: there is no such file"))
        let key = try await send(file, "--client-key", file)
        #expect(key.status == 64)
        let proxy = try await RunningProgram.run(["send", file], environment: ["http_proxy": "ftp://a:secret@b"])
        #expect(proxy.status == 64)
        #expect(
            proxy.errors.contains("http_proxy must be the URL of an HTTP proxy") && !proxy.errors.contains("secret")
        )
    }
}

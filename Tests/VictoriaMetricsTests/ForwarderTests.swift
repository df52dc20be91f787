// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Foundation
import Logging
import Metrics
import NIOCore
import ReportStore
import ServiceLifecycle
import TelemetryModel
import TelemetryTesting
import Testing

@testable import VictoriaMetrics

@Suite("Sending reports on", .timeLimit(.minutes(2)))
struct ForwarderTests {
    private let stores: ForwardingStores
    private var log: LogRecorder { stores.log }

    init() throws {
        stores = try ForwardingStores()
    }

    /// Has so many clusters report, each its number as nodes.
    private func fill(_ store: ReportStore, _ clusters: ClosedRange<Int>) async throws {
        for cluster in clusters {
            let sample = Report.Sample(Series(.nodesCount, ["linux", "6.6.\(cluster)"]), Int64(cluster))
            let now = UTCInstant.now().advanced(bySeconds: -60)
            _ = try await store.submit(
                AcceptedReport(
                    cluster: try stores.pseudonym("cluster-\(cluster)"),
                    receivedAt: now,
                    report: Report([sample])
                )
            )
        }
    }

    @Test(
        "what is refused for now is sent again, to every target; it is said once that it waits, and once that it does not"
    )
    func retries() async throws {
        let store = try stores.open()
        try await fill(store, 1...5)
        try await StandIn.with(byNumber: { $0 == 3 ? 204 : 503 }) { slow in
            try await StandIn.with(byNumber: { _ in 204 }) { fast in
                try await stores.forward(store, to: [slow.url, fast.url])
                func lines(_ body: String) -> [Substring] { body.split(separator: "\n").sorted() }
                #expect(slow.bodies.count == 3 && Set(slow.bodies.map(lines)).count == 1)
                #expect(fast.bodies.count == 1 && fast.bodies.map(lines) == [lines(slow.bodies[0])])
                #expect(slow.bodies[0].split(separator: "\n").count == 45)
            }
        }
        #expect(log.recorded.count { $0.contains("cannot be sent on") } == 1)
        #expect(log.recorded.count { $0.contains("sent on again") } == 1)
        try store.close()
    }

    @Test("of a batch that is refused for good only what is to blame is set aside")
    func bisects() async throws {
        let store = try stores.open()
        try await fill(store, 1...9)
        try await StandIn.with(answer: { $0.contains("6.6.7\"") ? 400 : 204 }) { server in
            try await stores.forward(store, to: [server.url])
            let taken = server.bodies.filter { !$0.contains("6.6.7\"") }.joined()
            for cluster in 1...9 where cluster != 7 { #expect(taken.contains("6.6.\(cluster)\"")) }
        }
        let refused = try await StoreMaintenance(directory: stores.directory.path).refusedReports(limit: 10)
        #expect(refused.map(\.status) == [400])
        try store.close()
    }

    @Test("what cannot be read any more is given up and said; the rest is sent on")
    func unreadable() async throws {
        let store = try stores.open()
        try await fill(store, 1...3)
        let damage = "UPDATE outbox SET digest = 7 WHERE id = (SELECT min(id) FROM outbox)"
        let path = stores.directory.path + "/" + ReportStore.fileName
        #expect(try await RunningProgram(command: ["sqlite3", path, damage]).ending().status == 0)
        try await StandIn.with(byNumber: { _ in 204 }) { server in
            try await stores.forward(store, to: [server.url])
            #expect(server.bodies.joined().split(separator: "\n").count == 18)
        }
        #expect(log.recorded.count { $0.contains("cannot be read and are not sent on") } == 1)
        try store.close()
    }

    @Test("what waits stays where the forwarder is stopped, and where nobody answers")
    func stops() async throws {
        let store = try stores.open()
        try await fill(store, 1...3)
        try await HTTPClient.withHTTPClient(configuration: ForwardingStores.impatient) { http in
            let forwarder = Forwarder(
                store: store,
                targets: [ImportClient(url: "http://127.0.0.1:1/", http: http)],
                limit: 3,
                longestAge: .seconds(86_400),
                metrics: NOOPMetricsHandler.instance,
                logger: log.logger
            )
            let group = ServiceGroup(services: [forwarder], logger: log.logger)
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await group.run() }
                for await line in log.lines where line.contains("nearly full") { break }
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
            }
        }
        #expect(store.outboxCount == 3)
        #expect(log.recorded.contains { $0.contains("cannot be sent on") })
        try store.close()
    }

    @Test("what waits for too long is given up, and said")
    func expires() async throws {
        let store = try stores.open()
        try await fill(store, 1...2)
        try await HTTPClient.withHTTPClient(configuration: ForwardingStores.impatient) { http in
            let forwarder = Forwarder(
                store: store,
                targets: [ImportClient(url: "http://127.0.0.1:1/", http: http)],
                limit: 100,
                longestAge: .seconds(3_600),
                metrics: NOOPMetricsHandler.instance,
                logger: log.logger,
                now: { UTCInstant(secondsSinceEpoch: Int64(Date().timeIntervalSince1970) + 7_200) }
            )
            let group = ServiceGroup(services: [forwarder], logger: log.logger)
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await group.run() }
                for await line in log.lines where line.contains("waited too long") { break }
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
            }
        }
        #expect(store.outboxCount == 0)
        try store.close()
    }

    @Test(
        "a real VictoriaMetrics has every report once, in batches of any size",
        .enabled(if: VictoriaMetricsProcess.isAvailable, "install Debian's victoria-metrics")
    )
    func realDatabase() async throws {
        try await VictoriaMetricsProcess.with { url in
            let store = try stores.open()
            try await fill(store, 1...40)
            try await stores.forward(store, to: [url + "/api/v1/import/prometheus"], batch: 7)
            try store.close()
            try await HTTPClient.withHTTPClient { http in
                _ = try await http.execute(HTTPClientRequest(url: url + "/internal/force_flush"), timeout: .seconds(30))
                let nodes = "sum(max_over_time(cozy_report_total{figure=\"nodes\"}[1h]))"
                try await ImportTests.expect(nodes, toBe: "820", url, http)
                let samples = "sum(count_over_time(cozy_report_total{figure=\"clusters\"}[1h]))"
                try await ImportTests.expect(samples, toBe: "40", url, http)
            }
        }
    }

    @Test(
        "an erased cluster is erased at a real VictoriaMetrics, over a restart too; what it says later is there",
        .enabled(if: VictoriaMetricsProcess.isAvailable, "install Debian's victoria-metrics")
    )
    func erasure() async throws {
        try await VictoriaMetricsProcess.with { url in
            let (store, target) = (try stores.open(), url + "/api/v1/import/prometheus")
            try await fill(store, 1...3)
            try await stores.forward(store, to: [target])
            let cluster = try stores.pseudonym("cluster-2")
            _ = try await store.erase(cluster)
            #expect(try await store.erasedClusters(10, by: .now()).map(\.pseudonym) == [cluster])
            // It waits until the erasure is done.
            try await fill(store, 2...2)
            #expect(store.outboxCount == 1)
            #expect(try await store.firstOfOutbox(10).isEmpty)
            try store.close()

            let again = try stores.open()
            try await fill(again, 4...4)
            try await stores.forward(again, to: [target])
            #expect(try await again.erasedClusters(10, by: .now()) == [])
            try again.close()
            try await HTTPClient.withHTTPClient { http in
                _ = try await http.execute(HTTPClientRequest(url: url + "/internal/force_flush"), timeout: .seconds(30))
                let nodes = "sum(max_over_time(cozy_report_total{figure=\"nodes\"}[1h]))"
                try await ImportTests.expect(nodes, toBe: "10", url, http)
                let reports = "count_over_time(cozy_report_total{figure=\"clusters\",cluster=\"\(cluster)\"}[1h])"
                try await ImportTests.expect(reports, toBe: "1", url, http)
            }
        }
    }

    @Test("erasures that cannot be done wait and are said, and do not keep reports of others from being sent on")
    func erasureWaits() async throws {
        let store = try stores.open()
        try await fill(store, 1...2)
        let cluster = try stores.pseudonym("cluster-2")
        _ = try await store.erase(cluster)
        try await fill(store, 3...9)
        try await StandIn.with(byNumber: { _ in 204 }) { server in
            // Nobody knows where this one deletes.
            let url = server.url.replacing("/api", with: "/insert/0/prometheus/api")
            try await stores.forward(store, to: [url], until: { $0.contains("cannot be erased") })
            #expect(server.bodies.joined().contains("6.6.9\""))
        }
        #expect(try await store.erasedClusters(10, by: .now()).map(\.pseudonym) == [cluster])
        #expect(log.recorded.count { $0.contains("cannot be erased") } == 1)
        try store.close()
    }

    @Test("reports are not set aside where the URL is wrong, which refuses everything")
    func wrongPlace() async throws {
        let store = try stores.open()
        try await fill(store, 1...2)
        try await StandIn.with(byNumber: { _ in 400 }) { server in
            try await stores.forward(store, to: [server.url], until: { $0.contains("is the URL right?") })
        }
        #expect(store.outboxCount == 2)
        try store.close()
    }

    @Test("what waits at the end is sent on before it")
    func farewell() async throws {
        let store = try stores.open()
        try await fill(store, 1...3)
        try await StandIn.with(byNumber: { _ in 204 }) { server in
            try await HTTPClient.withHTTPClient { http in
                let group = ServiceGroup(
                    services: [stores.forwarder(store, to: [server.url], batch: 1, http)],
                    logger: log.logger
                )
                await group.triggerGracefulShutdown()
                try await group.run()
            }
            #expect(server.bodies.count == 3)
        }
        // It stays until the target has written it.
        #expect(store.outboxCount == 3)
        try store.close()
    }

    @Test(
        "a target that does not say when it was started, and did before, is waited for; one that was started anew is told"
    )
    func starts() {
        let sent = SentReports()
        #expect(sent.compare(["1", nil]) == .same && !sent.knowsStarts)
        #expect(sent.compare([nil, nil]) == .unknown)
        #expect(sent.compare(["1", "7"]) == .same && sent.knowsStarts)
        #expect(sent.compare([nil, "7"]) == .unknown && sent.knowsStarts)
        #expect(sent.compare(["2", "7"]) == .different)
        #expect(sent.compare(["2", "7"]) == .same)
        sent.add([1, 2], through: 3)
        #expect(sent.last == 3 && !sent.isSettled(by: .now - .seconds(60)) && sent.isSettled(by: .now))
        #expect(sent.settled(by: .now) == [1, 2] && !sent.isSettled(by: .now))
        sent.forget()
        #expect(sent.last == 0)
    }

    @Test(
        "a redirection is no answer, and what a target had is not sent again because another attempt was refused for now"
    )
    func refusedForNow() async throws {
        let store = try stores.open()
        try await fill(store, 1...4)
        try await StandIn.with(byNumber: { [302, 204, 503, 204, 429, 204, 204].dropFirst($0 - 1).first ?? 204 }) {
            server in
            try await stores.forward(store, to: [server.url], batch: 1)
            #expect(server.bodies.count == 7)
        }
        try store.close()
    }

    @Test(
        "a cluster that became too old here is erased at VictoriaMetrics where nobody has sent anything later",
        .enabled(if: VictoriaMetricsProcess.isAvailable, "install Debian's victoria-metrics")
    )
    func retention() async throws {
        try await VictoriaMetricsProcess.with { url in
            let (store, target) = (try stores.open(), url + "/api/v1/import/prometheus")
            let old = UTCInstant(startOf: (UTCInstant.now().month - 20).firstDay)
            func report(_ cluster: String, at instant: UTCInstant) throws -> AcceptedReport {
                let sample = Report.Sample(Series(.nodesCount, ["linux", "6.6"]), 1)
                return AcceptedReport(
                    cluster: try stores.pseudonym(cluster),
                    receivedAt: instant,
                    report: Report([sample])
                )
            }
            for cluster in ["gone", "elsewhere"] { _ = try await store.submit(report(cluster, at: old)) }
            try await stores.forward(store, to: [target])
            try await HTTPClient.withHTTPClient { http in
                let later = try report("elsewhere", at: UTCInstant.now().advanced(bySeconds: -60))
                #expect(await ImportClient(url: target, http: http).send(ImportBatch([later])) == .imported)
                try await ImportTests.expectReports(3, url, http)
                let outcome = try await store.deleteRows(before: UTCInstant.now().month - 13, threshold: 5)
                #expect(outcome.clusters == 2)
                try await stores.forward(store, to: [target], until: { $0.contains("are erased where") })
                #expect(try await store.erasedClusters(10, by: .now()) == [])
                let left = "sum(count_over_time(cozy_report_total{figure=\"clusters\"}[3y]))"
                try await ImportTests.expect(left, toBe: "2", url, http)
            }
            try store.close()
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Foundation
import Gzip
import Logging
import Metrics
import NIOCore
import NIOHTTP1
import NIOPosix
import ReportStore
import ServiceLifecycle
import Synchronization
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
        try await ImportStandIn.with(byNumber: { $0 == 3 ? 204 : 503 }) { slow in
            try await ImportStandIn.with(byNumber: { _ in 204 }) { fast in
                try await stores.forward(store, to: [slow.url, fast.url])
                #expect(slow.bodies.count == 3 && Set(slow.bodies).count == 1)
                #expect(fast.bodies.count == 1 && fast.bodies == [slow.bodies[0]])
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
        try await ImportStandIn.with(answer: { $0.contains("6.6.7\"") ? 400 : 204 }) { server in
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
        try await ImportStandIn.with(byNumber: { _ in 204 }) { server in
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
                for await line in log.lines where line.contains("given up") { break }
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
}

/// An import URL that answers with the status that a test wants, and remembers what came, unpacked.
private final class ImportStandIn: Sendable {
    private let state = Mutex<[String]>([])
    private let answer: @Sendable (_ body: String, _ number: Int) -> Int
    private let port = Mutex(0)

    private init(_ answer: @escaping @Sendable (String, Int) -> Int) {
        self.answer = answer
    }

    var url: String { "http://127.0.0.1:\(port.withLock { $0 })/api/v1/import/prometheus" }
    var bodies: [String] { state.withLock { $0 } }

    static func with(
        answer: @escaping @Sendable (String) -> Int,
        _ body: (ImportStandIn) async throws -> Void
    ) async throws {
        try await run(ImportStandIn { text, _ in answer(text) }, body)
    }

    static func with(
        byNumber answer: @escaping @Sendable (Int) -> Int,
        _ body: (ImportStandIn) async throws -> Void
    ) async throws {
        try await run(ImportStandIn { _, number in answer(number) }, body)
    }

    private static func run(_ server: ImportStandIn, _ body: (ImportStandIn) async throws -> Void) async throws {
        let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Handler(server))
                }
            }
            .bind(host: "127.0.0.1", port: 0)
            .get()
        server.port.withLock { $0 = channel.localAddress?.port ?? 0 }
        let result = await Swift.Result { try await body(server) }
        try await channel.close()
        try result.get()
    }

    private func status(for packed: [UInt8]) -> Int {
        let body = (try? GzipDecoder.decode(packed, limit: 1 << 24)).map { String(decoding: $0, as: UTF8.self) } ?? ""
        let number = state.withLock { bodies in
            bodies.append(body)
            return bodies.count
        }
        return answer(body, number)
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let server: ImportStandIn
        private var body: [UInt8] = []

        init(_ server: ImportStandIn) {
            self.server = server
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch Self.unwrapInboundIn(data) {
            case .head: body = []
            case .body(let part): body += part.readableBytesView
            case .end:
                let status = HTTPResponseStatus(statusCode: server.status(for: body))
                let headers: HTTPHeaders = status == .noContent ? [:] : ["content-length": "0"]
                let head = HTTPResponseHead(version: .http1_1, status: status, headers: headers)
                context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
                context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
            }
        }
    }
}

extension Swift.Result where Failure == any Error {
    /// What an asynchronous closure gives.
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}

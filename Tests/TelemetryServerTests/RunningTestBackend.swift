// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import FleetSimulator
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import ReportStore
import ServiceLifecycle
import TelemetryModel
import TelemetryServer
import TelemetryTesting

/// A backend on ports of its own and a fresh store, with a clock that the test sets, and a client for it.
struct RunningTestBackend {
    let url: String
    let adminURL: String
    let client: HTTPClient
    let clock: TestClock
    let store: ReportStore
    let directory: TemporaryDirectory
    /// What was logged at any level.
    let log: LogRecorder
    let group: ServiceGroup

    /// An answer, read to its end.
    struct Answer {
        let status: Int
        let headers: HTTPHeaders
        let body: String
    }

    /// Runs a backend for as long as the body takes.
    static func with(
        adjust: (inout BackendSettings) -> Void = { _ in },
        fetch: TokenIssuer.Fetch? = nil,
        _ body: (Self) async throws -> Void
    ) async throws {
        let directory = try TemporaryDirectory()
        let pseudonymizer = try PseudonymKeyFile.load(fromDirectory: directory.path)
        let registry = MetricsRegistry()
        let log = LogRecorder()
        guard let any = ListenAddress("127.0.0.1:0") else { preconditionFailure("a constant address") }
        var settings = BackendSettings(listenAddress: any, adminAddress: any, dataDirectory: directory.path)
        // Tests send as fast as they can, from one address, by a clock that stands; a test of the limits sets them.
        settings.rateLimits = nil
        adjust(&settings)
        let store = try ReportStore(
            directory: directory.path,
            keyCheck: pseudonymizer.checkValue,
            maximumWaiting: settings.largestQueue,
            metrics: registry,
            logger: log.logger
        )
        let clock = TestClock(UTCInstant(startOf: CalendarMonth(year: 2026, month: 3).firstDay))
        let (ready, isReady) = AsyncStream.makeStream(of: Backend.Ports.self)
        let backend = Backend(
            settings: settings,
            store: store,
            pseudonymizer: pseudonymizer,
            registry: registry,
            logger: log.logger,
            fetch: fetch,
            now: { clock.now },
            onReady: { isReady.yield($0) }
        )
        let group = ServiceGroup(services: [backend], logger: log.logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            for await ports in ready {
                let client = HTTPClient(eventLoopGroupProvider: .singleton)
                let running = Self(
                    url: "http://127.0.0.1:\(ports.listen)",
                    adminURL: "http://127.0.0.1:\(ports.admin)",
                    client: client,
                    clock: clock,
                    store: store,
                    directory: directory,
                    log: log,
                    group: group
                )
                let result = await Result { try await body(running) }
                try await client.shutdown()
                await group.triggerGracefulShutdown()
                try result.get()
                break
            }
            try await tasks.waitForAll()
        }
        try await close(store)
    }

    /// Takes the store away from the running backend.
    func closeStore() async throws { try await Self.close(store) }

    /// Closes a store on a thread of its own: it waits for readers, which need a thread of those that tasks have.
    private static func close(_ store: ReportStore) async throws {
        try await withCheckedThrowingContinuation { closed in
            Thread.detachNewThread { closed.resume(with: Result { try store.close() }) }
        }
    }

    /// Asks for a path of the public listener.
    func get(_ path: String, method: HTTPMethod = .GET) async throws -> Answer {
        var request = HTTPClientRequest(url: url + path)
        request.method = method
        return try await answer(to: request)
    }

    /// Posts a body with exactly these header fields.
    func post(_ body: [UInt8], headers: HTTPHeaders, path: String = "/") async throws -> Answer {
        var request = HTTPClientRequest(url: url + path)
        request.method = .POST
        request.headers = headers
        request.body = .bytes(body)
        return try await answer(to: request)
    }

    /// Posts a report as a cluster's client does.
    func post(_ text: String, as cluster: String = "6f1c9d2e-0000-4000-8000-000000000001") async throws -> Answer {
        try await post(Array(text.utf8), headers: ["Content-Type": "text/plain", "X-Cluster-ID": cluster])
    }

    /// What the private listener's `/metrics` shows.
    func metrics() async throws -> String {
        try await answer(to: HTTPClientRequest(url: adminURL + "/metrics")).body
    }

    /// Sends a request and reads the answer.
    func answer(to request: HTTPClientRequest) async throws -> Answer {
        let response = try await client.execute(request, timeout: .seconds(30))
        let body = try await response.body.collect(upTo: 1 << 24)
        return Answer(status: Int(response.status.code), headers: response.headers, body: String(buffer: body))
    }
}

extension Result where Failure == any Error {
    /// What an asynchronous closure gives.
    init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}

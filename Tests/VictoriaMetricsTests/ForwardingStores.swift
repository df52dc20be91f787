// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Logging
import Metrics
import NIOCore
import ReportStore
import ServiceLifecycle
import TelemetryModel
import TelemetryTesting
import Testing

@testable import VictoriaMetrics

/// A directory for a store whose reports are sent on.
struct ForwardingStores {
    let directory: TemporaryDirectory
    let pseudonymizer: Pseudonymizer
    let log = LogRecorder()

    init() throws {
        directory = try TemporaryDirectory()
        pseudonymizer = try PseudonymKeyFile.load(fromDirectory: directory.path)
    }

    /// A client that leaves it to others to try again.
    static var impatient: HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.retryConnectionEstablishment = false
        return configuration
    }

    func pseudonym(_ cluster: String) throws -> Pseudonym {
        pseudonymizer.pseudonym(of: try #require(ClusterID(cluster)))
    }

    func open(outboxLimit: Int? = 1_000_000) throws -> ReportStore {
        try ReportStore(
            directory: directory.path,
            keyCheck: pseudonymizer.checkValue,
            outboxLimit: outboxLimit,
            metrics: NOOPMetricsHandler.instance,
            logger: log.logger
        )
    }

    /// Figures from below a URL.
    func figures(
        _ url: String,
        _ http: HTTPClient,
        limit: TimeAmount = .seconds(30),
        lifetimes: VictoriaMetricsFigures.Lifetimes = .init(),
        now: @escaping @Sendable () -> UTCInstant = UTCInstant.now
    ) -> VictoriaMetricsFigures {
        VictoriaMetricsFigures(
            QueryClient(url: url, http: http, limit: limit),
            lifetimes: lifetimes,
            metrics: NOOPMetricsHandler.instance,
            logger: log.logger,
            now: now
        )
    }

    /// What sends on to each URL, without long pauses.
    func forwarder(_ store: ReportStore, to urls: [String], batch: Int = 500, _ http: HTTPClient) -> Forwarder {
        var pace = Forwarder.Pace()
        (pace.batch, pace.idle) = (batch, .milliseconds(5))
        (pace.shortestPause, pace.longestPause) = (.milliseconds(2), .milliseconds(10))
        (pace.settling, pace.erasureDelay) = (.zero, .seconds(3))
        return Forwarder(
            store: store,
            targets: urls.map { ImportClient(url: $0, http: http) },
            limit: 10_000,
            // Tests send on what was received years ago.
            longestAge: .seconds(100 * 366 * 86_400),
            pace: pace,
            metrics: NOOPMetricsHandler.instance,
            logger: log.logger
        )
    }

    /// Sends on to each URL until the outbox is empty, or the log says something.
    func forward(
        _ store: ReportStore,
        to urls: [String],
        batch: Int = 500,
        until isEnough: (@Sendable (String) -> Bool)? = nil
    ) async throws {
        try await HTTPClient.withHTTPClient { http in
            let group = ServiceGroup(
                services: [forwarder(store, to: urls, batch: batch, http)],
                logger: log.logger
            )
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await group.run() }
                if let isEnough {
                    for await line in log.lines where isEnough(line) { break }
                } else {
                    while store.outboxCount > 0 { await Task.yield() }
                }
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
            }
        }
    }
}

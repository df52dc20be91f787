// SPDX-License-Identifier: Apache-2.0

import Hummingbird
public import Logging
public import ServiceLifecycle

/// The listener of a process that is no backend, for whoever runs it: `/metrics`, `/healthz` and `/readyz`.
public struct PrivateListener: Service {
    private let address: ListenAddress
    private let endpoints: Endpoints
    private let logger: Logger

    /// A listener.
    ///
    /// - Parameters:
    ///   - address: Where it listens.
    ///   - registry: What `/metrics` shows.
    ///   - logger: Where it says that it listens.
    ///   - notReady: Why the process cannot do its work, in words; nil where it can.
    public init(
        at address: ListenAddress,
        registry: MetricsRegistry,
        logger: Logger,
        notReady: @escaping @Sendable () -> String?
    ) {
        self.address = address
        self.logger = logger
        var endpoints = Endpoints(logger: logger)
        endpoints.onMetrics(of: registry)
        endpoints.onHealth {
            if let reason = notReady() { throw Refusal(status: .serviceUnavailable, message: reason) }
        }
        self.endpoints = endpoints
    }

    /// Serves until graceful shutdown.
    ///
    /// - Throws: `BackendError.cannotListen`.
    public func run() async throws {
        let listener = Listener(
            endpoints,
            .http1(configuration: .init(idleTimeout: .seconds(60))),
            at: address,
            logger,
            most: Listener.mostPrivate
        ) {
            [address, logger] port in
            logger.info("Metrics and health are served", metadata: ["address": "\(address.host):\(port)"])
        }
        try await listener.run()
    }
}

// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
public import Logging
import Metrics
import NIOCore
public import ReportStore
public import ServiceLifecycle
public import TelemetryModel

/// The backend: a public listener that takes reports and answers figures, and a private one for whoever runs it.
///
/// It is a service; on graceful shutdown it stops taking connections and finishes what it took.
public struct Backend: Service {
    /// The ports that the listeners got, for tests and for the log.
    public struct Ports: Sendable {
        /// The public listener's.
        public let listen: Int
        /// The private listener's.
        public let admin: Int
    }

    let settings: BackendSettings
    private let store: ReportStore
    let reports: IngestHandler.Shared
    /// What answers figures; nil where there are none.
    private let figures: PublicFigures?
    private let cluster: ClusterEndpoint
    private let access: AccessEndpoint
    private let insights: KeptInsights
    private let retention: RetentionService
    private let registry: MetricsRegistry
    let logger: Logger
    private let onReady: @Sendable (Ports) -> Void

    /// A backend on an open store.
    ///
    /// - Parameters:
    ///   - settings: What can be set.
    ///   - store: The store; it stays the caller's, who closes it after `run` returned.
    ///   - source: Where figures are read; nil for the store.
    ///   - pseudonymizer: Replaces identifiers.
    ///   - registry: What `/metrics` shows, and where the backend counts.
    ///   - logger: The backend's log.
    ///   - fetch: How the keys of the issuer in the settings are fetched, where there is one.
    ///   - now: The receiving clock.
    ///   - onReady: Called once, when both listeners listen.
    public init(
        settings: BackendSettings,
        store: ReportStore,
        figures source: (any FigureSource)? = nil,
        pseudonymizer: Pseudonymizer,
        registry: MetricsRegistry,
        logger: Logger,
        fetch: TokenIssuer.Fetch? = nil,
        now: @escaping @Sendable () -> UTCInstant = UTCInstant.now,
        onReady: @escaping @Sendable (Ports) -> Void = { _ in }
    ) {
        self.settings = settings
        self.store = store
        self.registry = registry
        self.logger = logger
        self.onReady = onReady
        let metrics = IngestMetrics(factory: registry)
        let signatures = SignatureCheck(now: now)
        let sourceGuard = SourceGuard(
            settings,
            now: { .now() },
            today: { now().day },
            factory: registry,
            logger: logger
        )
        let ingest = Ingest(
            store: store,
            settings: settings,
            sourceGuard: sourceGuard,
            signatures: signatures,
            pseudonymizer: pseudonymizer,
            now: now,
            metrics: metrics,
            logger: logger
        )
        reports = IngestHandler.Shared(
            ingest: ingest,
            metrics: metrics,
            budget: BodyBudget(limit: settings.largestBodiesInFlight),
            answers: Answers(isSecure: settings.tls != nil),
            limits: .init(
                body: settings.largestBody,
                requests: settings.connections.largestRequestCount,
                requiresSignatures: settings.requiresSignatures
            ),
            deadlines: SenderDeadlines(settings.connections),
            gate: ConnectionGate(settings.connections, factory: registry),
            sources: SourceResolver(trusted: settings.trustedProxies, hash: AddressHash { now().day }),
            sourceGuard: sourceGuard,
            logger: logger
        )
        let source: (any FigureSource)? = settings.isForwardOnly ? nil : source ?? store
        figures = source.map { PublicFigures($0, settings, now: now, logger: logger) }
        cluster = ClusterEndpoint(store: store, pseudonymizer: pseudonymizer, signatures: signatures)
        insights = KeptInsights(now: now, logger: logger, compute: store.insights)
        access = AccessEndpoint(
            store: store,
            figures: source,
            insights: InsightEndpoint(
                store: store,
                kept: insights,
                registry: registry,
                hasFigures: source != nil,
                startedAt: now()
            ),
            live: LiveFeed(figures: source, registry: registry, now: now),
            pseudonymizer: pseudonymizer,
            gate: AccessGate(
                directory: settings.dataDirectory,
                issuer: settings.issuer.flatMap { issuer in
                    fetch.map { TokenIssuer(issuer, logger: logger, fetch: $0) }
                },
                now: now,
                factory: registry
            ),
            now: now,
            logger: logger
        )
        retention = RetentionService(
            store: store,
            period: settings.retention,
            threshold: settings.anonymityThreshold,
            now: now,
            logger: logger,
            ahead: Gauge(label: "telemetry_clock_ahead_seconds", factory: registry),
            isClockAccepted: settings.acceptsClock
        )
    }

    /// Serves until graceful shutdown.
    public func run() async throws {
        let (ports, gotPort) = AsyncStream.makeStream(of: (isAdmin: Bool, port: Int).self)
        let tls = try tls(settings.tls)
        let adminTLS = try self.tls(settings.adminTLS)
        let listeners = [
            Listener(publicEndpoints, try publicServer(tls), at: settings.listenAddress, logger) {
                gotPort.yield((false, $0))
            },
            Listener(
                adminEndpoints,
                try adminServer(adminTLS),
                at: settings.adminAddress,
                logger,
                most: Listener.mostPrivate
            ) {
                gotPort.yield((true, $0))
            },
        ]
        let certificates: [any Service] = [tls, adminTLS].compactMap { $0 }
        let editions: [any Service] = [figures?.published].compactMap { $0 }
        let group = ServiceGroup(
            configuration: .init(
                services: listeners + certificates + [Readiness(ports: ports, onReady: ready), retention, insights]
                    + editions,
                logger: quiet
            )
        )
        try await group.run()
    }

    private func ready(_ ports: Ports) {
        logger.notice(
            "the backend takes reports",
            metadata: [
                "listen": "\(settings.listenAddress.host):\(ports.listen)",
                "admin": "\(settings.adminAddress.host):\(ports.admin)",
            ]
        )
        if settings.adminTLS == nil, !settings.adminAddress.isLoopback {
            logger.warning(
                "tokens travel in the clear to the private listener; see --admin-tls-cert",
                metadata: ["admin": "\(settings.adminAddress.host)"]
            )
        }
        onReady(ports)
    }

    /// What the internet may ask beside `/`, which is answered before the routes.
    var publicEndpoints: Endpoints {
        var endpoints = commonEndpoints(isSecure: settings.tls != nil)
        if let figures {
            endpoints.onPage(figures.page)
            endpoints.on(.get, "/api/overview", figures.overview.answer)
            endpoints.on(.get, "/api/oss-health", figures.overview.answerForWebsite)
            endpoints.on(.get, "/api/series", figures.series.answer)
            endpoints.on(.get, "/api/breakdowns", figures.breakdowns.answer)
        } else {
            endpoints.on(.get, "/") { _ in throw Refusal.noFigures }
            endpoints.under("/api/") { _ in throw Refusal.noFigures }
        }
        endpoints.on(.delete, ClusterEndpoint.path, cluster.erase)
        return endpoints
    }

    /// What whoever runs the backend may ask.
    var adminEndpoints: Endpoints {
        var endpoints = commonEndpoints(isSecure: settings.adminTLS != nil)
        endpoints.onMetrics(of: registry)
        endpoints.onMaintainersPage(settings.issuer)
        endpoints.under("/v1/", access.answer)
        return endpoints
    }

    /// What both listeners answer: whether the process lives, whether the store answers, and what else there is.
    private func commonEndpoints(isSecure: Bool) -> Endpoints {
        var endpoints = Endpoints(logger: logger, isSecure: isSecure)
        endpoints.onDocument()
        endpoints.onHealth(isReady: store.ping)
        return endpoints
    }

    /// A logger for the libraries: what they call errors are connections that break off, which is no news here.
    private var quiet: Logger {
        var logger = logger
        logger.logLevel = max(logger.logLevel, .critical)
        return logger
    }
}

/// What answers the figures that everybody may see.
private struct PublicFigures {
    let overview: OverviewEndpoint
    let published: PublishedBreakdowns
    let breakdowns: BreakdownEndpoint
    let series: SeriesEndpoint
    let page: PageEndpoint

    init(
        _ source: any FigureSource,
        _ settings: BackendSettings,
        now: @escaping @Sendable () -> UTCInstant,
        logger: Logger
    ) {
        overview = OverviewEndpoint(figures: source, anonymityThreshold: settings.anonymityThreshold, now: now)
        published = PublishedBreakdowns(
            figures: source,
            threshold: settings.anonymityThreshold,
            directory: settings.dataDirectory,
            now: now,
            logger: logger
        )
        breakdowns = BreakdownEndpoint(published: published, anonymityThreshold: settings.anonymityThreshold, now: now)
        series = SeriesEndpoint(
            figures: source,
            published: published,
            anonymityThreshold: settings.anonymityThreshold,
            now: now
        )
        page = PageEndpoint(series: series, templates: .builtIn)
    }
}

/// Why a backend does not serve.
public enum BackendError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A listener cannot speak TLS with its files.
    case cannotSpeakTLS(TLSFiles, reason: String)
    /// Nothing can listen at an address.
    case cannotListen(ListenAddress, reason: String)

    /// What is wrong.
    public var description: String {
        switch self {
        case .cannotSpeakTLS(let files, let reason):
            "cannot speak TLS with \(files.certificate), \(files.key)"
                + (files.clientAuthorities.map { " and \($0)" } ?? "")
                + ": \(reason); give a certificate and its key, PEM"
        case .cannotListen(let address, let reason):
            "cannot listen at \(address): \(reason); stop what listens there, or give another address"
        }
    }
}

/// Waits for the ports of both listeners and says that they listen.
private struct Readiness: Service {
    let ports: AsyncStream<(isAdmin: Bool, port: Int)>
    let onReady: @Sendable (Backend.Ports) -> Void

    func run() async throws {
        var listen: Int?
        var admin: Int?
        for await (isAdmin, port) in ports.cancelOnGracefulShutdown() {
            if isAdmin { admin = port } else { listen = port }
            if let listen, let admin {
                onReady(Backend.Ports(listen: listen, admin: admin))
                break
            }
        }
        // A service that ends ends its group.
        try? await gracefulShutdown()
    }
}

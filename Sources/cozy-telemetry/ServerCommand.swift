// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import AsyncHTTPClient
import Foundation
import Logging
import NIOCore
import ReportStore
import ServiceLifecycle
import TelemetryModel
import TelemetryServer
import VictoriaMetrics
import UnixSignals

/// `cozy-telemetry server`: the backend.
struct ServerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "server",
        abstract: "Run the backend: take reports, keep them, answer the figures.",
        discussion: """
            Every setting can also come from the environment (COZY_TELEMETRY_LISTEN_ADDR for --listen-addr, and so on) \
            or from a YAML file (listen-addr: ":8081"). A flag wins over the environment, the environment over the file.

            SIGTERM and SIGINT stop it: it takes no more connections, finishes and commits what it took, and exits \
            with 0 within ten seconds.
            """
    )

    @OptionGroup var options: ServerOptions
    @OptionGroup var log: LogOptions

    func run() async throws {
        let settings = try await options.settings()
        try await RunningBackend.serve(
            settings.backend,
            fetch: settings.fetch,
            forward: settings.forward,
            queryURL: settings.queryURL,
            logger: log.logger("server")
        )
    }
}

/// The settings of a backend.
struct ServerOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Where reports and figures are served. (default: :8081)", valueName: "host:port"))
    var listenAddr: String?

    @Option(help: ArgumentHelp("Where metrics are served. (default: 127.0.0.1:8082)", valueName: "host:port"))
    var adminAddr: String?

    @OptionGroup var tls: TLSOptions
    @OptionGroup var issuer: IssuerOptions

    @Option(
        help: ArgumentHelp("Where the store and its key are. (default: /var/lib/cozy-telemetry)", valueName: "dir"),
        completion: .directory
    )
    var dataDir: String?

    @Option(
        help: ArgumentHelp(
            "The pseudonym key, 32 bytes; DIR/pseudonym.key, made on the first start, unless given.",
            valueName: "file"
        ),
        completion: .file()
    )
    var pseudonymKeyFile: String?

    @Option(help: ArgumentHelp("The largest body as it travels. (default: 10485760)", valueName: "bytes"))
    var maxBodyBytes: String?

    @Option(help: ArgumentHelp("The largest body once it is unpacked. (default: 10485760)", valueName: "bytes"))
    var maxUnpackedBytes: String?

    @Option(help: ArgumentHelp("The memory for all bodies being read. (default: 268435456)", valueName: "bytes"))
    var maxBodiesInFlightBytes: String?

    @Option(help: ArgumentHelp("So many reports may wait for their commit. (default: 10000)", valueName: "reports"))
    var maxQueue: String?

    @Option(
        name: .customLong("k"),
        help: ArgumentHelp(
            "Name an application outside the public vocabulary where so many clusters have it. (default: 5)",
            valueName: "clusters"
        )
    )
    var anonymityThreshold: String?

    @Option(
        help: ArgumentHelp(
            "Delete rows of reports after so many months or years; 25mo, 3y, at least 13mo. (default: 25mo)",
            valueName: "time"
        )
    )
    var retention: String?

    @Flag(help: "Refuse reports that are not signed; the clients that Cozystack deploys today cannot sign.")
    var requireSignatures = false

    @Flag(help: "The clock is right, though it is far ahead of what it showed last: delete what is out of date by it.")
    var acceptClock = false

    @OptionGroup(title: "WITH VICTORIAMETRICS") var forwarding: ForwardOptions

    @OptionGroup(title: "WHAT SENDERS MAY TAKE") var limits: LimitOptions

    @OptionGroup(title: "HOW MANY REPORTS THEY MAY SEND") var rates: RateOptions

    @Option(
        help: ArgumentHelp("A YAML file with settings; COZY_TELEMETRY_CONFIG names one too.", valueName: "file"),
        completion: .file()
    )
    var config: String?

    /// The names of all settings, which a settings file may have.
    static let names = own.union(TLSOptions.names).union(IssuerOptions.names).union(LimitOptions.names)
        .union(RateOptions.names).union(ForwardOptions.names)

    private static let own: Set = [
        "listen-addr", "admin-addr", "data-dir", "max-body-bytes", "max-unpacked-bytes", "max-bodies-in-flight-bytes",
        "max-queue", "k", "retention", "require-signatures", "accept-clock", "pseudonym-key-file",
    ]

    /// What is set of a backend and of what runs beside it.
    struct All {
        let backend: BackendSettings
        /// How the keys of an issuer are fetched; nil where there is none.
        let fetch: TokenIssuer.Fetch?
        /// How accepted reports are sent on; nil where they are not.
        let forward: ForwardSettings?
        /// The base URL that figures are read below; nil where they are read from the store.
        let queryURL: String?
    }

    /// The settings of all sources.
    ///
    /// - Throws: `CommandFailure` where one is wrong.
    func settings() async throws -> All {
        let own = [
            "listen-addr": listenAddr, "admin-addr": adminAddr, "data-dir": dataDir,
            "pseudonym-key-file": pseudonymKeyFile, "max-body-bytes": maxBodyBytes,
            "max-unpacked-bytes": maxUnpackedBytes, "max-bodies-in-flight-bytes": maxBodiesInFlightBytes,
            "max-queue": maxQueue, "k": anonymityThreshold, "retention": retention,
            "require-signatures": requireSignatures ? "true" : nil, "accept-clock": acceptClock ? "true" : nil,
        ]
        let groups = [tls.flags, issuer.flags, limits.flags, rates.flags, forwarding.flags]
        let flags = groups.reduce(own) { flags, group in flags.merging(group) { own, _ in own } }
        let sources = try await Settings(flags: flags, known: Self.names, file: config)
        var settings = BackendSettings(
            listenAddress: try address("listen-addr", sources["listen-addr"] ?? ":8081"),
            adminAddress: try address("admin-addr", sources["admin-addr"] ?? "127.0.0.1:8082"),
            dataDirectory: sources.dataDirectory
        )
        settings.pseudonymKeyFile = sources["pseudonym-key-file"]
        settings.tls = try TLSOptions.files("", of: sources)
        settings.issuer = try IssuerOptions.issuer(of: sources)
        settings.adminTLS = try TLSOptions.files("admin-", of: sources)
        let sizes = 1...1 << 30
        settings.largestBody = try sources.integer("max-body-bytes", in: sizes, default: settings.largestBody)
        settings.largestUnpackedBody = try sources.integer(
            "max-unpacked-bytes",
            in: sizes,
            default: settings.largestUnpackedBody
        )
        settings.largestBodiesInFlight = try sources.integer(
            "max-bodies-in-flight-bytes",
            in: 1...1 << 40,
            default: settings.largestBodiesInFlight
        )
        settings.largestQueue = try sources.integer("max-queue", in: 1...1_000_000, default: settings.largestQueue)
        settings.anonymityThreshold = try sources.integer("k", in: 1...1_000, default: settings.anonymityThreshold)
        try limits.apply(sources, to: &settings)
        try rates.apply(sources, to: &settings)
        settings.requiresSignatures = try sources.boolean("require-signatures")
        settings.acceptsClock = try sources.boolean("accept-clock")
        settings.isForwardOnly = try ForwardOptions.isForwardOnly(sources)
        settings.retention = try period(sources["retention"], default: settings.retention)
        return All(
            backend: settings,
            fetch: try IssuerOptions.fetch(of: sources),
            forward: try ForwardOptions.settings(of: sources),
            queryURL: try ForwardOptions.queryURL(of: sources)
        )
    }

    private func period(_ text: String?, default fallback: RetentionPeriod) throws -> RetentionPeriod {
        guard let text else { return fallback }
        guard let period = RetentionPeriod(text) else {
            throw CommandFailure.usage(
                "retention must be a number of months or years from 13mo to 100y, such as 25mo or 3y, and is `\(text)`"
            )
        }
        return period
    }

    private func address(_ name: String, _ text: String) throws -> ListenAddress {
        guard let address = ListenAddress(text) else {
            throw CommandFailure.usage("\(name) must be host:port or :port, and is `\(text)`")
        }
        return address
    }
}

/// A backend with its store, from opening to closing.
enum RunningBackend {
    /// Serves until a signal, or until one of the other services ends.
    ///
    /// - Parameters:
    ///   - settings: The backend's settings.
    ///   - fetch: How the keys of an issuer are fetched.
    ///   - forward: How accepted reports are sent on; nil where they are not.
    ///   - queryURL: The base URL that figures are read below; nil where they are read from the store.
    ///   - logger: The log.
    ///   - others: What runs beside it.
    ///   - onReady: Called when both listeners listen.
    /// - Throws: `CommandFailure`.
    static func serve(
        _ settings: BackendSettings,
        fetch: TokenIssuer.Fetch? = nil,
        forward: ForwardSettings? = nil,
        queryURL: String? = nil,
        logger: Logger,
        beside others: [ServiceGroupConfiguration.ServiceConfiguration] = [],
        onReady: @escaping @Sendable (Backend.Ports) -> Void = { _ in }
    ) async throws {
        let registry = MetricsRegistry()
        var settings = settings
        settings.connections.largestCount = OpenFiles.makeRoom(
            forConnections: settings.connections.largestCount,
            logger: logger
        )
        do {
            let key = PseudonymKeyFile(directory: settings.dataDirectory, givenAt: settings.pseudonymKeyFile)
            let pseudonymizer = try key.load()
            let store = try ReportStore(
                directory: settings.dataDirectory,
                keyCheck: pseudonymizer.checkValue,
                keyPath: key.path,
                maximumWaiting: settings.largestQueue,
                outboxLimit: forward?.limit,
                unchangedHours: forward?.unchangedHours ?? 1,
                isForwardOnly: settings.isForwardOnly,
                metrics: registry,
                logger: logger
            )
            try await withHTTPClient(isNeeded: forward != nil || queryURL != nil) { http in
                if queryURL != nil, forward == nil {
                    logger.warning(
                        "reports that come here are in no figure, as they are not sent on; see --forward-url"
                    )
                }
                var lifetimes = VictoriaMetricsFigures.Lifetimes()
                lifetimes.settling = max(lifetimes.settling, Int((forward?.longestAge ?? .zero) / .seconds(86_400)) + 1)
                let figures = queryURL.flatMap { url in
                    http.map { http in
                        VictoriaMetricsFigures(
                            QueryClient(url: url, http: http),
                            lifetimes: lifetimes,
                            metrics: registry,
                            logger: logger
                        )
                    }
                }
                let forwarder = forward.flatMap { forward in
                    http.map { forward.forwarder(store, $0, registry, logger) { figures?.forget() } }
                }
                let backend = Backend(
                    settings: settings,
                    store: store,
                    figures: figures,
                    pseudonymizer: pseudonymizer,
                    registry: registry,
                    logger: logger,
                    fetch: fetch,
                    onReady: onReady
                )
                // The first to be stopped is the last of these.
                let first: [ServiceGroupConfiguration.ServiceConfiguration] =
                    forwarder.map { [.init(service: $0)] } ?? []
                try await run(first + [.init(service: backend)] + others, logger: logger)
            }
            try store.close()
        } catch let error as StoreError {
            throw CommandFailure.failed(error.description)
        }
        logger.notice("the backend has stopped; everything it took is committed")
    }

    /// Has a client for as long as the body takes, where one is needed.
    private static func withHTTPClient(
        isNeeded: Bool,
        _ body: (HTTPClient?) async throws -> Void
    ) async throws {
        guard isNeeded else { return try await body(nil) }
        // A POST that is sent elsewhere becomes a GET, and its answer says nothing of the report.
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.timeout.connect = .seconds(5)
        // The time for a whole request ends with the head of its answer.
        configuration.timeout.read = .seconds(65)
        // Whoever asks tries again, and says so.
        configuration.connectionPool.retryConnectionEstablishment = false
        try await HTTPClient.withHTTPClient(configuration: configuration) { try await body($0) }
    }

    private static func run(
        _ services: [ServiceGroupConfiguration.ServiceConfiguration],
        logger: Logger
    ) async throws {
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        var configuration = ServiceGroupConfiguration(
            services: services,
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: quiet
        )
        // A sender that does not finish its body is cut off, so that the process is gone within ten seconds.
        configuration.maximumGracefulShutdownDuration = .seconds(8)
        do {
            try await ServiceGroup(configuration: configuration).run()
        } catch let error as BackendError {
            throw CommandFailure.failed(error.description)
        }
    }
}

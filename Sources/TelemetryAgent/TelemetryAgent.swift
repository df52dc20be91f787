// SPDX-License-Identifier: Apache-2.0

public import AsyncHTTPClient
import CMalloc
public import Kubernetes
public import Logging
public import Metrics
public import ServiceLifecycle
public import TelemetryModel

/// Reports the state of one cluster at every interval, as long as nobody said no.
public final class TelemetryAgent: ServiceLifecycle.Service {
    /// What became of one round.
    public enum Outcome: Equatable, Sendable {
        /// Reports were sent, so many of them.
        case sent(reports: Int)
        /// Somebody said no; nothing more was sent after that.
        case refused(Consent)
    }

    /// What would be sent, and whether it would be.
    public struct Preview: Sendable {
        /// Whether it would be sent.
        public let consent: Consent
        /// The requests in order; they are there to be looked at also where the answer is no.
        public let requests: [TelemetryRequest]
        /// Whether the id is an example: the cluster's own key is made before its first report.
        public let isExampleIdentity: Bool
    }

    private let settings: AgentSettings
    private let reader: ClusterReader
    private let identities: IdentitySource
    private let consent: ConsentReader
    private let watch: ConsentWatch
    private let board: NoticeBoard
    private let status: StatusStore
    /// Sends at every interval.
    private let courier: Courier
    /// Sends when a person says so.
    private let messenger: Courier
    private let record: AttemptRecord
    private let outbox: Outbox
    private let election: LeaderElection?
    private let journal: AgentJournal
    private let metrics: AgentMetrics
    private let now: @Sendable () -> UTCInstant

    /// An agent for the cluster of a client.
    ///
    /// - Parameters:
    ///   - settings: How it works.
    ///   - client: Reads from the cluster; the caller shuts it down.
    ///   - httpClient: Sends the reports, made as `DeliveryTransport` says; the caller shuts it down.
    ///   - outbox: Where reports wait to be sent.
    ///   - election: Chooses the one of several replicas that reports; nil for an agent that is alone.
    ///   - deliveryLimit: The time for a whole delivery.
    ///   - now: The clock.
    ///   - metrics: Where it counts.
    ///   - logger: Where it says what changed.
    public init(
        settings: AgentSettings,
        client: KubernetesClient,
        httpClient: HTTPClient,
        outbox: Outbox,
        election: LeaderElection? = nil,
        deliveryLimit: Duration = .seconds(30),
        now: @escaping @Sendable () -> UTCInstant = UTCInstant.now,
        metrics: any MetricsFactory = NOOPMetricsHandler.instance,
        logger: Logger
    ) {
        self.settings = settings
        self.now = now
        self.outbox = outbox
        self.election = election
        let agentMetrics = AgentMetrics(factory: metrics)
        let journal = AgentJournal(logger)
        (self.metrics, self.journal) = (agentMetrics, journal)
        reader = ClusterReader(client: client)
        identities = IdentitySource(mode: settings.identity, client: client, namespace: settings.namespace)
        status = StatusStore(client: client, namespace: settings.namespace)
        consent = ConsentReader(
            settings: settings,
            reader: reader,
            status: status,
            journal: journal,
            metrics: agentMetrics,
            now: now
        )
        watch = ConsentWatch(client: client, consent: consent, namespace: settings.namespace, journal: journal)
        let (endpoint, interval) = (settings.endpoint, settings.interval)
        board = NoticeBoard(
            client: client,
            status: status,
            notice: Notice(
                endpoint: endpoint,
                interval: interval,
                namespace: settings.namespace,
                identity: settings.identity
            ),
            period: settings.noticePeriod,
            now: now
        )
        let delivery = Delivery(http: httpClient, limit: deliveryLimit, now: now)
        let record = AttemptRecord(
            settings: settings,
            status: status,
            identities: identities,
            journal: journal,
            now: now
        )
        self.record = record
        func makeCourier(isScheduled: Bool) -> Courier {
            Courier(
                delivery: delivery,
                journal: journal,
                onAttempt: { attempt in
                    agentMetrics.attempted(attempt.answer, at: attempt.at)
                    await record.keep(attempt, isScheduled: isScheduled)
                }
            )
        }
        courier = makeCourier(isScheduled: true)
        messenger = makeCourier(isScheduled: false)
    }

    /// Sends reports until the task is cancelled or the service is shut down.
    ///
    /// One of several replicas does. Notice is given before the first report. A no is noticed when it is said: it cuts off
    /// a delivery under way and deletes what waits.
    public func run() async throws {
        do {
            // What is cut off goes on waiting where there is a spool, and else is collected again by whoever comes next.
            try await cancelWhenGracefulShutdown {
                guard let election = self.election else { return try await self.lead() }
                try await election.whileLeading { try await self.lead() }
            }
        } catch is CancellationError {
            return await record.finish()
        }
    }

    /// Why the agent cannot do its work, in words: it cannot ask the API server; nil where it can, or waits to lead.
    ///
    /// It says nothing of the endpoint: an agent that cannot send is as well as the cluster wants it.
    public var unreadiness: String? {
        guard case .unknown(let place, let reason)? = journal.consent else { return nil }
        return "whether \(place) says no could not be read: \(reason)"
    }

    /// Reports whenever nobody says no, until cancelled.
    private func lead() async throws {
        metrics.leads(true)
        defer {
            metrics.leads(false)
            // Another replica says it now.
            journal.forgetConsent()
        }
        do {
            try await watch.whileConsented(
                refused: { await self.outbox.clear() },
                { try await self.report(askAgain: $0) }
            )
        } catch {
            // Another replica reports, and is told of a no, from here on; only a pod that goes leaves what waits to the next.
            if !Task.isShuttingDownGracefully { await outbox.clear() }
            throw error
        }
    }

    /// Reports at every interval, until cancelled.
    ///
    /// The first report is not sent at once but at the cluster's moment of the interval, nor is what waited before.
    private func report(askAgain: @escaping ConsentWatch.AskAgain) async throws {
        try await persistently(journal.noteNotice(failure:)) { try await giveNotice() }
        // A spool may have outlived a no that another replica heard, and the yes after it.
        if let since = try await persistently(noteFailure, { try await status.read().since }) {
            await outbox.clear(before: since)
        }
        let identity = try await persistently(noteFailure) { try await identities.identity() }
        let moments = ReportMoments(every: settings.interval, of: identity.clusterID)
        let next = moments.next(after: now())
        await status.tryWriting(StatusRecord.changes(recording: identity, next: next), journal)
        try await withThrowingTaskGroup(of: Void.self) { group in
            var isSending = false
            for try await _ in SpreadTicks(moments: moments) {
                try await prepareReports(askAgain)
                if !isSending { group.addTask { try await self.send(askAgain) } }
                isSending = true
            }
        }
    }

    /// Returns when notice was given and its period is over.
    private func giveNotice() async throws {
        while case let remaining = try await board.give(), remaining > .zero {
            journal.noteNotice(remaining: remaining)
            // The notice period itself.
            try await Task.sleep(for: remaining)
        }
    }

    /// Collects what there is to report, to be sent.
    private func prepareReports(_ askAgain: ConsentWatch.AskAgain) async throws {
        do {
            let (consent, objects) = try await self.consent.read()
            guard consent == .yes else { return askAgain() }
            await outbox.replace(with: try await collect(objects))
            metrics.collected(true)
            journal.noteSuccess()
            // The pages of a large cluster leave free memory behind, which the agent would keep until the next round.
            malloc_trim(0)
        } catch {
            try Task.checkCancellation()
            metrics.collected(false)
            noteFailure(error)
        }
    }

    /// Sends what waits, until cancelled.
    private func send(_ askAgain: @escaping ConsentWatch.AskAgain) async throws {
        while true {
            try await persistently(noteFailure) {
                try await courier.run(outbox, meanwhile: { await Self.everySecond(askAgain) }, prepare: request)
            }
            // Consent is no more, and whoever watches it ends this; unless it is there again already.
            askAgain()
            try await Task.sleep(for: .seconds(1))
        }
    }

    /// The request of a body that is about to be sent, signed now; nil where somebody says no.
    @Sendable private func request(_ report: WaitingReport, _ body: RequestBody) async throws -> TelemetryRequest? {
        let identity = try await identities.identity()
        // Consent is read last, right before the request is sent.
        guard try await consent.read().0 == .yes else { return nil }
        return try TelemetryRequest(body, from: identity, to: settings.endpoint, at: now())
    }

    /// Does something every second, until cancelled.
    private static func everySecond(_ body: ConsentWatch.AskAgain) async {
        // The interval itself. While a request is under way, a watch that is down or dead must not hide a no.
        while (try? await Task.sleep(for: .seconds(1))) != nil { body() }
    }

    /// Collects and sends what there is to report, now and once, unless somebody said no.
    ///
    /// Consent is read before anything is collected, and anew right before every request. There is no notice before, and
    /// what waits is left alone.
    ///
    /// - Throws: `AgentError`, or `CancellationError` where the task was cancelled.
    public func sendOnce() async throws -> Outcome {
        try await mappingErrors {
            let (consent, objects) = try await self.consent.read()
            guard consent == .yes else { return .refused(consent) }
            let reports = try await collect(objects)
            let taken = try await messenger.sendNow(reports, prepare: request)
            guard taken < reports.count, case let consent = try await self.consent.read().0, consent != .yes else {
                return .sent(reports: taken)
            }
            return .refused(consent)
        }
    }

    /// What would be sent, byte for byte, and to whom; but for the date, the nonce and the signature of each request.
    ///
    /// Nothing is, and nothing is changed in the cluster.
    ///
    /// - Throws: `AgentError`, or `CancellationError` where the task was cancelled.
    public func preview() async throws -> Preview {
        try await mappingErrors {
            let (consent, objects) = try await self.consent.look()
            let existing = try await identities.existing()
            let identity = existing ?? .key(ClusterKey())
            let requests = try await collect(objects).map { report in
                try TelemetryRequest(RequestBody(report.text), from: identity, to: settings.endpoint, at: now())
            }
            return Preview(consent: consent, requests: requests, isExampleIdentity: existing == nil)
        }
    }

    /// What would be sent, for somebody to carry to the backend; the cluster's key is made where there is none.
    ///
    /// - Throws: `AgentError.refusedBundle` where somebody said no, `.unsignedBundle` where the cluster has no key, another
    ///   `AgentError`, or `CancellationError` where the task was cancelled.
    public func bundle() async throws -> ReportBundle {
        try await mappingErrors {
            let (consent, objects) = try await self.consent.look()
            guard consent == .yes else { throw AgentError.refusedBundle(consent) }
            guard case .key(let key) = try await identities.identity() else { throw AgentError.unsignedBundle }
            let bodies = try await collect(objects).map { RequestBody($0.text) }
            return try ReportBundle(bodies, signedBy: key, to: settings.endpoint, at: now())
        }
    }

    private func collect(_ objects: PlatformObjects) async throws -> [WaitingReport] {
        let plan = try await reader.plan()
        var collection = try await reader.collect(plan)
        journal.note(collection.omissions)
        collection.facts.cozystackVersion = settings.cozystackVersion ?? objects.cozystackVersion ?? ""
        if plan.facts == .v0 {
            collection.facts.bundle = ClusterFacts.Bundle(objects.configMap.object?.data ?? [:])
        }
        let collectedAt = now()
        return try collection.facts.reports(plan).map { WaitingReport($0, collectedAt: collectedAt) }
    }

    @Sendable private func noteFailure(_ error: any Error) {
        journal.noteFailure((error as? KubernetesError).map(AgentError.cluster) ?? error)
    }

    /// Does something, again after 15 s where it fails.
    ///
    /// - Throws: `CancellationError`.
    private func persistently<Result>(
        _ note: @Sendable (any Error) -> Void,
        _ body: () async throws -> Result
    ) async throws -> Result {
        while true {
            do {
                return try await body()
            } catch {
                try Task.checkCancellation()
                note(error)
                // What fails for a reason outside tells nobody when it is over.
                try await Task.sleep(for: .seconds(15))
            }
        }
    }

    private func mappingErrors<Result>(_ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch let error as KubernetesError {
            throw AgentError.cluster(error)
        } catch let error as ReportError {
            throw AgentError.report(error)
        }
    }
}

extension PlatformObjects {
    /// The version of Cozystack that the ConfigMap names, or else what the deployed collectors were started with.
    var cozystackVersion: String? {
        if let version = configMap.object?.data["cozystack-version"], !version.isEmpty { return version }
        let containers = [operatorDeployment, controllerDeployment].compactMap(\.object).flatMap(\.containers)
        let values = GoFlags(containers.flatMap { $0.command + $0.args }).values(of: "cozystack-version")
        return values.compactMap { $0 }.first { !$0.isEmpty }
    }
}

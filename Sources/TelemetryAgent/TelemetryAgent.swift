// SPDX-License-Identifier: Apache-2.0

public import AsyncHTTPClient
public import Kubernetes
public import Logging
public import ServiceLifecycle
import Synchronization
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
    }

    private let settings: AgentSettings
    private let reader: ClusterReader
    private let consent: ConsentReader
    private let watch: ConsentWatch
    private let board: NoticeBoard
    private let status: StatusStore
    private let delivery: Delivery
    private let journal: AgentJournal
    private let now: @Sendable () -> UTCInstant

    /// An agent for the cluster of a client.
    ///
    /// - Parameters:
    ///   - settings: How it works.
    ///   - client: Reads from the cluster; the caller shuts it down.
    ///   - httpClient: Sends the reports, made as `DeliveryTransport` says; the caller shuts it down.
    ///   - deliveryLimit: The time for a whole delivery.
    ///   - now: The clock.
    ///   - logger: Where it says what changed.
    public init(
        settings: AgentSettings,
        client: KubernetesClient,
        httpClient: HTTPClient,
        deliveryLimit: Duration = .seconds(30),
        now: @escaping @Sendable () -> UTCInstant = UTCInstant.now,
        logger: Logger
    ) {
        self.settings = settings
        self.now = now
        journal = AgentJournal(logger)
        reader = ClusterReader(client: client)
        status = StatusStore(client: client, namespace: settings.namespace)
        consent = ConsentReader(settings: settings, reader: reader, status: status, journal: journal)
        watch = ConsentWatch(client: client, namespace: settings.namespace, journal: journal)
        let (endpoint, interval) = (settings.endpoint, settings.interval)
        board = NoticeBoard(
            client: client,
            status: status,
            notice: Notice(endpoint: endpoint, interval: interval, namespace: settings.namespace),
            period: settings.noticePeriod,
            now: now
        )
        delivery = Delivery(http: httpClient, limit: deliveryLimit)
    }

    /// Sends reports until the task is cancelled or the service is shut down.
    ///
    /// Notice is given before the first one. A no is noticed when it is said and cancels what is under way.
    public func run() async throws {
        do {
            // A delivery that is cut off is harmless: the state is reported again when the agent is back.
            try await cancelWhenGracefulShutdown {
                try await self.watch.whileConsented(
                    read: { try await self.readConsent() },
                    refused: {},
                    { try await self.report() }
                )
            }
        } catch is CancellationError {
            return
        }
    }

    /// Reports at every interval, until cancelled.
    private func report() async throws {
        try await giveNotice()
        for try await _ in Ticks(interval: settings.interval) { try await round() }
    }

    /// Returns when notice was given and its period is over.
    private func giveNotice() async throws {
        while true {
            do {
                let remaining = try await board.give()
                guard remaining > .zero else { return }
                journal.noteNotice(remaining: remaining)
                try await Task.sleep(for: remaining)
            } catch let error as CancellationError {
                throw error
            } catch {
                journal.noteNotice(error)
                try await Task.sleep(for: .seconds(15))
            }
        }
    }

    private func round() async throws {
        do {
            if case .sent = try await sendOnce() { journal.noteSuccess() }
        } catch let error as CancellationError {
            throw error
        } catch {
            journal.noteFailure(error)
        }
    }

    /// Collects and sends what there is to report, unless somebody said no.
    ///
    /// Consent is read before anything is collected, and anew right before every request.
    ///
    /// - Throws: `AgentError`, or `CancellationError` where the task was cancelled.
    public func sendOnce() async throws -> Outcome {
        try await mappingErrors {
            let (consent, objects) = try await self.consent.read()
            guard consent == .yes else { return .refused(consent) }
            let requests = try await collect(objects)
            var failure: AgentError?
            for request in requests {
                let consent = try await readConsent()
                guard consent == .yes else { return .refused(consent) }
                // The reports of a cluster are independent; one that fails does not hold the other back.
                let answer = try await delivery.attempt(request).answer
                failure = failure ?? answer.failure
            }
            if let failure { throw failure }
            return .sent(reports: requests.count)
        }
    }

    /// What would be sent, byte for byte, and to whom.
    ///
    /// Nothing is, and nothing is changed in the cluster.
    ///
    /// - Throws: `AgentError`, or `CancellationError` where the task was cancelled.
    public func preview() async throws -> Preview {
        try await mappingErrors {
            let (consent, objects) = try await self.consent.look()
            return Preview(consent: consent, requests: try await collect(objects))
        }
    }

    /// The answer of this moment; where it is another than before, the status says so, too.
    private func readConsent() async throws -> Consent {
        let (consent, objects) = try await self.consent.read()
        if case .unreadable = objects.statusConfigMap { return consent }
        let record = StatusRecord(data: objects.statusConfigMap.object?.data ?? [:])
        await status.tryWriting(record.changes(recording: consent, at: now()), journal)
        return consent
    }

    private func collect(_ objects: PlatformObjects) async throws -> [TelemetryRequest] {
        let cluster = try await reader.clusterID()
        let plan = try await reader.plan()
        var collection = try await reader.collect(plan)
        journal.note(collection.omissions)
        collection.facts.cozystackVersion = settings.cozystackVersion ?? objects.cozystackVersion ?? ""
        if plan.facts == .v0 {
            collection.facts.bundle = ClusterFacts.Bundle(objects.configMap.object?.data ?? [:])
        }
        let reports = try collection.facts.reports(plan)
        return reports.map { TelemetryRequest($0, of: cluster, to: settings.endpoint) }
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

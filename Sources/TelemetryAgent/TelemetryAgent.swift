// SPDX-License-Identifier: Apache-2.0

public import AsyncHTTPClient
public import Kubernetes
public import Logging
import NIOCore
public import ServiceLifecycle
import Synchronization
import TelemetryModel

/// Reports the state of one cluster: at once when it runs, then at every interval, as long as nobody said no.
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
    private let delivery: Delivery
    private let journal: AgentJournal
    /// The places that said no when they were last read.
    private let refusals = Mutex<Set<ConsentPlace>>([])

    /// An agent for the cluster of a client.
    ///
    /// - Parameters:
    ///   - settings: How it works.
    ///   - client: Reads from the cluster; the caller shuts it down.
    ///   - httpClient: Sends the reports, made with `httpClientConfiguration`; the caller shuts it down.
    ///   - deliveryLimit: The time for a whole delivery.
    ///   - logger: Where it says what changed.
    public init(
        settings: AgentSettings,
        client: KubernetesClient,
        httpClient: HTTPClient,
        deliveryLimit: Duration = .seconds(30),
        logger: Logger
    ) {
        self.settings = settings
        reader = ClusterReader(client: client)
        delivery = Delivery(http: httpClient, limit: deliveryLimit)
        journal = AgentJournal(logger)
    }

    /// How the HTTP client has to be: 5 s to connect, redirects not followed.
    public static var httpClientConfiguration: HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.timeout.connect = .seconds(5)
        configuration.connectionPool.retryConnectionEstablishment = false
        return configuration
    }

    /// Sends reports until the task is cancelled or the service is shut down.
    public func run() async throws {
        try await run(triggers: Ticks(interval: settings.interval))
    }

    /// Sends reports whenever a trigger comes; a round that fails is logged and waits for the next.
    func run<Triggers: AsyncSequence & Sendable>(triggers: Triggers) async throws where Triggers.Element == Void {
        do {
            // A delivery that is cut off is harmless: the state is reported again when the agent is back.
            try await cancelWhenGracefulShutdown {
                for try await _ in triggers { try await self.round() }
            }
        } catch is CancellationError {
            return
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
            let (consent, objects) = try await readConsent()
            guard consent == .yes else { return .refused(consent) }
            let requests = try await collect(objects)
            var failure: AgentError?
            for request in requests {
                let (consent, _) = try await readConsent()
                guard consent == .yes else { return .refused(consent) }
                do {
                    try await delivery.deliver(request)
                } catch let error as AgentError {
                    // The reports of a cluster are independent; one that fails does not hold the other back.
                    failure = failure ?? error
                }
            }
            if let failure { throw failure }
            return .sent(reports: requests.count)
        }
    }

    /// What would be sent, byte for byte, and to whom.
    ///
    /// Nothing is.
    ///
    /// - Throws: `AgentError`, or `CancellationError` where the task was cancelled.
    public func preview() async throws -> Preview {
        try await mappingErrors {
            let (consent, objects) = try await readConsent()
            return Preview(consent: consent, requests: try await collect(objects))
        }
    }

    /// Asks every place, and remembers which ones say no.
    private func readConsent() async throws -> (Consent, PlatformObjects) {
        let objects = await reader.platformObjects()
        // What a cancelled task could not read is nobody's no.
        try Task.checkCancellation()
        let facts = ConsentFacts(
            isDisabledByFlag: settings.isDisabled,
            doNotTrack: settings.doNotTrack,
            objects: objects
        )
        let consent = refusals.withLock { refusals in
            let consent = Consent(facts, formerRefusals: refusals)
            refusals = facts.refusals(former: refusals)
            return consent
        }
        journal.note(consent)
        return (consent, objects)
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

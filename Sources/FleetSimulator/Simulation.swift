// SPDX-License-Identifier: Apache-2.0

public import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Synchronization
public import TelemetryModel

/// Sends what a fleet reports to a backend, over so many connections, and keeps account.
public struct Simulation: Sendable {
    /// What to send, and where.
    public struct Plan: Sendable {
        /// The backend's address.
        public var endpoint: String
        /// The clusters of the fleet.
        public var clusters: Int
        /// How often each of them reports.
        public var rounds: Int
        /// How many connections are used at a time.
        public var connections: Int
        /// The seed of the fleet.
        public var seed: UInt64

        /// A plan.
        public init(endpoint: String, clusters: Int, rounds: Int, connections: Int, seed: UInt64) {
            self.endpoint = endpoint
            self.clusters = clusters
            self.rounds = rounds
            self.connections = connections
            self.seed = seed
        }
    }

    /// What was sent so far.
    public struct Progress: Sendable {
        /// Rounds that are done.
        public let rounds: Int
        /// Reports that were sent.
        public let sent: Int
    }

    private let plan: Plan
    private let client: HTTPClient
    private let now: @Sendable () -> UTCInstant

    /// A simulation that sends with a client of the caller's.
    public init(plan: Plan, client: HTTPClient, now: @escaping @Sendable () -> UTCInstant) {
        self.plan = plan
        self.client = client
        self.now = now
    }

    /// A client that opens up to that many connections to one host.
    public static func clientConfiguration(connections: Int) -> HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = connections
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.httpVersion = .http1Only
        return configuration
    }

    /// Sends all rounds; a report that fails is counted and not sent again.
    ///
    /// - Parameter progress: Called after each round.
    /// - Returns: What came of it.
    public func run(progress: @Sendable (Progress) -> Void = { _ in }) async -> SimulationResult {
        var fleet = Fleet(clusters: plan.clusters, seed: plan.seed)
        var account = SimulationAccount()
        let clock = ContinuousClock()
        let begin = clock.now
        for round in 1...max(1, plan.rounds) {
            await send(fleet.nextRound(), into: &account)
            progress(Progress(rounds: round, sent: account.sent))
            if Task.isCancelled { break }
        }
        return account.result(in: clock.now - begin, at: now())
    }

    /// Sends the reports of a round over all connections.
    private func send(_ reports: [FleetReport], into account: inout SimulationAccount) async {
        let next = Mutex(0)
        let take: @Sendable () -> FleetReport? = {
            next.withLock { index in
                guard index < reports.count else { return nil }
                defer { index += 1 }
                return reports[index]
            }
        }
        await withTaskGroup(of: SimulationAccount.self) { group in
            for _ in 0..<max(1, plan.connections) {
                group.addTask {
                    var part = SimulationAccount()
                    while !Task.isCancelled, let report = take() { await deliver(report, into: &part) }
                    return part
                }
            }
            for await part in group { account.add(part) }
        }
    }

    private func deliver(_ report: FleetReport, into account: inout SimulationAccount) async {
        var request = HTTPClientRequest(url: plan.endpoint)
        request.method = .POST
        request.headers = ["Content-Type": "text/plain", "X-Cluster-ID": report.cluster.text]
        request.body = .bytes(report.body)
        let clock = ContinuousClock()
        let begin = clock.now
        do {
            let response = try await client.execute(request, timeout: .seconds(30))
            for try await _ in response.body {}
            let isAccepted = response.status == .ok
            account.add(report, at: now(), isAccepted: isAccepted, after: clock.now - begin)
        } catch {
            account.add(report, at: now(), isAccepted: false, after: nil)
        }
    }
}

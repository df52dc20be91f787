// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Logging
import NIOCore
import NIOPosix
import TelemetryModel
import TelemetryTesting

@testable import TelemetryAgent

extension TelemetryAgent {
    /// How the HTTP client is without anything in the environment.
    static var httpClientConfiguration: HTTPClient.Configuration {
        do {
            return try DeliveryTransport(to: AgentSettings.defaultEndpoint).httpClientConfiguration
        } catch {
            preconditionFailure("it depends on nothing: \(error)")
        }
    }
}

extension ServerBootstrap {
    /// Listens on a port below the range that the kernel gives to outgoing connections.
    func bindLow(host: String) async throws -> any Channel {
        for _ in 0..<100 {
            if let channel = try? await bind(host: host, port: .random(in: 20_000..<32_768)).get() { return channel }
        }
        return try await bind(host: host, port: .random(in: 20_000..<32_768)).get()
    }
}

extension Delivery {
    /// Sends a small report to an endpoint once.
    static func attempt(
        _ endpoint: String,
        by transport: DeliveryTransport? = nil,
        limit: Duration = .seconds(20)
    ) async throws -> Reply {
        let configuration = try (transport ?? DeliveryTransport(to: endpoint)).httpClientConfiguration
        return try await HTTPClient.withHTTPClient(configuration: configuration) { http in
            let request = TelemetryRequest.example(RequestBody(Report.tenants(2).text), to: endpoint)
            return try await Delivery(http: http, limit: limit).attempt(request)
        }
    }
}

extension Report {
    /// A report of v0 with that many tenants.
    static func tenants(_ count: Int64) -> Report { Report([.init(Series(.tenantsCount), count)]) }
}

extension WaitingReport {
    /// A report as it waits; its text is as long as wanted.
    static func example(
        _ collector: Collector = .v0,
        _ text: String = "cozy_tenants_count 2\n",
        at seconds: Int64 = 1_000_000
    ) -> WaitingReport {
        WaitingReport(collector, Array(text.utf8), collectedAt: UTCInstant(secondsSinceEpoch: seconds))
    }
}

extension ClusterID {
    /// Some cluster.
    static let example = ClusterKey(seed: Array(repeating: 7, count: 32))?.clusterID ?? ClusterKey().clusterID
}

extension TelemetryRequest {
    /// An unsigned request of some cluster.
    static func example(_ body: RequestBody, to endpoint: String) -> TelemetryRequest {
        do {
            return try TelemetryRequest(
                body,
                from: .uid(.example, reason: nil),
                to: endpoint,
                at: UTCInstant(secondsSinceEpoch: 0)
            )
        } catch {
            preconditionFailure("nothing is signed: \(error)")
        }
    }
}

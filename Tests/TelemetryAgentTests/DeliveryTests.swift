// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import NIOCore
import TelemetryModel
import Testing

@testable import TelemetryAgent

@Suite("Delivery", .timeLimit(.minutes(1)))
struct DeliveryTests {
    private let report = Report([.init(Series(.tenantsCount), 2)])

    /// Delivers the report to a receiver and gives what went wrong.
    private func error(_ answer: TelemetryReceiver.Answer) async throws -> AgentError? {
        try await TelemetryReceiver.with(answer) { receiver in
            try await deliver(to: receiver.url)
        }
    }

    private func deliver(to endpoint: String, limit: Duration = .seconds(30)) async throws -> AgentError? {
        let cluster = try #require(ClusterID("an-id"))
        let request = TelemetryRequest(report, of: cluster, to: endpoint)
        return try await HTTPClient.withHTTPClient(configuration: TelemetryAgent.httpClientConfiguration) { http in
            do {
                try await Delivery(http: http, limit: limit).deliver(request)
                return nil
            } catch let error as AgentError {
                return error
            }
        }
    }

    @Test("a report is posted with the two headers, as it is")
    func request() async throws {
        try await TelemetryReceiver.with { receiver in
            let error = try await deliver(to: receiver.url)
            #expect(error == nil)
            var requests = receiver.requests.makeAsyncIterator()
            let request = await requests.next()
            #expect(request?.line == "POST /")
            #expect(request?.headers["Content-Type"] == "text/plain")
            #expect(request?.headers["X-Cluster-ID"] == "an-id")
            #expect(request?.body == "cozy_tenants_count 2\n")
        }
    }

    @Test("exactly 200 is a success", arguments: [201, 204, 400, 404, 413, 429, 500, 503])
    func statuses(status: Int) async throws {
        #expect(try await error(.status(status)) == .refused(status: status))
    }

    @Test("a redirect is not followed")
    func redirect() async throws {
        try await TelemetryReceiver.with { other in
            let error = try await error(.redirect(to: other.url))
            #expect(error == .refused(status: 307))
        }
    }

    @Test("an endpoint that never answers runs into the deadline")
    func silence() async throws {
        try await TelemetryReceiver.with(.silence) { receiver in
            let error = try await deliver(to: receiver.url, limit: .milliseconds(500))
            #expect(error == .undeliverable(reason: "no answer in time"))
        }
    }

    @Test("an endpoint where nobody listens is an error without its address")
    func nobody() async throws {
        let url = try await TelemetryReceiver.with { $0.url }
        let error = try await deliver(to: url)
        guard case .undeliverable(let reason) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(!reason.contains("127.0.0.1"))
    }
}

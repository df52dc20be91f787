// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import FoundationEssentials
import Kubernetes
import NIOCore
import NIOHTTP1
import TelemetryModel

/// Sends requests to the endpoint, each once.
struct Delivery: Sendable {
    /// What an endpoint said to a request.
    struct Reply: Sendable {
        var answer: DeliveryAnswer
        /// The values of `Accept-Encoding`.
        var codings: [String] = []
        /// What the endpoint says is wrong, for people; nil where it says nothing.
        var explanation: String?
        /// Whether it is the account of an erasure.
        var isErasure = false
    }

    let http: HTTPClient
    /// For a whole request, connection included.
    var limit = Duration.seconds(30)
    var now: @Sendable () -> UTCInstant = UTCInstant.now

    /// Sends a request once.
    ///
    /// The head of the answer is what counts; its body is read only to keep the connection, and for people.
    ///
    /// - Throws: `CancellationError` where the task was cancelled.
    func attempt(_ request: TelemetryRequest) async throws -> Reply {
        var message = HTTPClientRequest(url: request.endpoint)
        message.method = HTTPMethod(rawValue: request.method)
        message.headers = HTTPHeaders(request.headers.map { ($0.name, $0.value) })
        message.body = .bytes(request.body)
        do {
            let response = try await withDeadline(limit) { [message] in
                try await http.execute(message, deadline: .distantFuture)
            }
            guard let response else { return Reply(answer: .late) }
            return await reply(response)
        } catch {
            // A failure that the cancellation caused is not the endpoint's.
            try Task.checkCancellation()
            return Reply(answer: DeliveryAnswer(failure: error))
        }
    }

    private func reply(_ response: HTTPClientResponse) async -> Reply {
        let headers = response.headers
        let body = try? await withDeadline(.seconds(1)) { try await response.body.collect(upTo: 1 << 16) }
        let date = headers.first(name: "Date").flatMap { UTCInstant(httpDate: $0) }
        let answer = DeliveryAnswer(
            status: Int(response.status.code),
            retryAfter: headers.first(name: "Retry-After"),
            now: date ?? now()
        )
        return Reply(
            answer: answer,
            codings: headers["Accept-Encoding"],
            explanation: body.flatMap { $0 }.flatMap(Self.explanation),
            isErasure: body.flatMap { $0 }.map(Self.isErasure) ?? false
        )
    }

    /// Whether a body is `{"sightings": 1, "months": 1, …}`, which `DELETE /v1/cluster` is answered with.
    private static func isErasure(_ body: ByteBuffer) -> Bool {
        struct Document: Decodable { let sightings, months: Int }
        return (try? JSONDecoder().decode(Document.self, from: Data(body.readableBytesView))) != nil
    }

    /// The text of `{"error": "…"}`, as far as it can be shown.
    private static func explanation(_ body: ByteBuffer) -> String? {
        struct Document: Decodable { let error: String }
        let document = try? JSONDecoder().decode(Document.self, from: Data(body.readableBytesView))
        return document.map { String($0.error.filter { $0.isASCII && !$0.isNewline && $0 >= " " }.prefix(300)) }
    }
}

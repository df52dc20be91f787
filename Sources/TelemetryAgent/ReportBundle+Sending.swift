// SPDX-License-Identifier: Apache-2.0

public import AsyncHTTPClient

extension ReportBundle {
    /// What was answered to one of the reports.
    public struct Answer: Sendable {
        /// What became of it.
        public let answer: DeliveryAnswer
        /// What the endpoint says is wrong, one line for people; nil where it says nothing.
        public let explanation: String?
    }

    /// Sends every report once, exactly as it was signed, one after the other.
    ///
    /// - Parameters:
    ///   - http: Made as `DeliveryTransport` says.
    ///   - limit: The time for a whole request.
    /// - Returns: The answers, in the order of the requests.
    /// - Throws: `CancellationError` where the task was cancelled.
    public func send(over http: HTTPClient, limit: Duration = .seconds(30)) async throws -> [Answer] {
        let delivery = Delivery(http: http, limit: limit)
        var answers: [Answer] = []
        for request in requests {
            let reply = try await delivery.attempt(request)
            answers.append(Answer(answer: reply.answer, explanation: reply.explanation))
        }
        return answers
    }
}

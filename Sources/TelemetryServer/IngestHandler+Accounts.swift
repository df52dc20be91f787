// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Logging
import NIOCore

// What a connection shares with the others, and what it takes of it.
extension IngestHandler {
    /// What the connections of a listener share.
    struct Shared: Sendable {
        let ingest: Ingest
        let metrics: IngestMetrics
        let budget: BodyBudget
        let answers: Answers
        let limits: IngestConnectionState.Limits
        let deadlines: SenderDeadlines
        let gate: ConnectionGate
        let sources: SourceResolver
        let sourceGuard: SourceGuard
        /// After the last answer the connection is closed once the sender has said nothing for so long.
        let lingering: TimeAmount = .seconds(2)
        /// Whatever it says, the connection is closed so long after the last answer.
        let longestLingering: TimeAmount = .seconds(30)
        let logger: Logger
    }

    /// Counts a report of the network that it comes from, and says the network's hash.
    ///
    /// - Throws: A refusal with 429.
    func admit(_ fields: RequestFields) throws(Refusal) -> UInt64 {
        let network = shared.sources.network(of: connection.source, forwardedFor: fields.forwardedFor)
        try shared.sourceGuard.admit(from: network)
        return network
    }

    /// A report begins to be read.
    func begin() {
        shared.metrics.began()
        began = .now
    }

    /// Takes the memory of a part of a report's body out of the budget.
    func claim(_ part: ByteBuffer) -> Bool {
        guard state.isReading else { return true }
        guard shared.budget.claim(part.readableBytes) else { return false }
        claimed += part.readableBytes
        return true
    }

    /// The report under way, if there is one, is no longer.
    func finishReport() {
        shared.budget.release(claimed)
        claimed = 0
        lastActivity = .now()
        if began != nil { shared.metrics.ended() }
        began = nil
    }

    /// Counts a refused report; a method that is refused is none.
    func count(_ refusal: Refusal) {
        finishReport()
        shared.metrics.refused(refusal.status.code)
    }
}

// SPDX-License-Identifier: Apache-2.0

import HTTPTypes

// What the state of a connection is told, and what it decides.
extension IngestConnectionState {
    /// How much a connection may ask of the backend.
    struct Limits {
        /// The largest body that is taken, in bytes.
        var body: Int
        /// After so many requests the connection ends.
        var requests = 10_000
        /// Whether reports that are not signed are refused.
        var requiresSignatures = false
        /// The connection goes on after a refusal where no more than so many bytes of the refused body are to come.
        var refusedBody = 64 * 1024
        /// So many bytes are read and thrown away after the last answer, so that the sender gets to reading it.
        var afterLastAnswer = 32 * 1024 * 1024
    }

    /// What to do.
    enum Action: Equatable {
        case nothing
        /// Hand the part on to the routes.
        case pass
        /// Say 100 Continue.
        case proceed
        /// Have a report committed, and give `completed` what came of it.
        case take(Admission, body: [UInt8])
        /// Write a whole answer.
        case answer(Answer, then: Next)
        /// The last answer is written.
        case end(Next)
    }

    /// What is answered.
    enum Answer: Equatable {
        /// 200.
        case accepted
        /// `{"error": "…"}`, or its head alone.
        case refused(Refusal, headOnly: Bool)
        /// 400 without a body, for what is no HTTP.
        case malformed
    }

    /// What the connection waits for its sender to do; each has a time of its own.
    enum Wait: Equatable {
        /// For nothing: it is the backend's turn, or the end.
        case nothing
        /// For a request.
        case request
        /// For the rest of a head.
        case head
        /// For the rest of a body, whichever becomes of it.
        case body
    }

    /// What becomes of the connection after an answer.
    enum Next: Equatable {
        /// It goes on.
        case goOn
        /// Nothing more is written; it is read until the sender closes it too, for a while.
        case linger
        /// It is closed.
        case close
    }
}

// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import NIOCore
import NIOHTTP1

/// What a connection of the public listener is at, and what to do next.
///
/// It takes events and gives back actions, and does nothing itself. Requests are served one at a time in the order in
/// which they came: while `isBusy`, what the sender says waits outside. A request to `/` is read and answered here; any
/// other passes on to the routes further in, and their response passes back out.
struct IngestConnectionState {
    /// How far a request is that the routes answer.
    private struct Passing: Equatable {
        var isRead = false
        var isAnswerBegun = false
        var isAnswered = false
    }

    private enum Phase: Equatable {
        case idle
        case reading(Admission)
        /// The report is read and waits for its commit.
        case taken
        /// The request is answered, and the rest of it is to come.
        case discarding
        case passing(Passing)
        /// The last answer is written.
        case lingering
        case closed
    }

    private let limits: Limits
    private var phase = Phase.idle
    private var body: [UInt8] = []
    /// Whether the connection ends with the request under way.
    private var isLast = false
    private var isInputClosed = false
    /// Whether a part of a head came that has yet to end.
    private var isHeadBegun = false
    /// The requests so far.
    private(set) var requests = 0
    private var bytesAfterLastAnswer = 0

    /// A connection that was just opened.
    init(limits: Limits) {
        self.limits = limits
    }

    /// Whether a request was read and is not answered yet, so that the next one has to wait.
    var isBusy: Bool {
        if case .passing(let passing) = phase { passing.isRead } else { phase == .taken }
    }

    /// Whether a report is being read.
    var isReading: Bool { if case .reading = phase { true } else { false } }

    /// What the connection waits for.
    var wait: Wait {
        switch phase {
        case .idle: isHeadBegun ? .head : .request
        case .reading, .discarding: .body
        case .passing(let passing): passing.isRead ? .nothing : .body
        case .taken, .lingering, .closed: .nothing
        }
    }

    /// Whether a report waits for its commit.
    var isTaken: Bool { phase == .taken }

    /// Whether the last answer is written and the sender may still be sending.
    var isLingering: Bool { phase == .lingering }

    /// Whether the last answer is written, or the connection closed.
    var isOver: Bool { phase == .lingering || phase == .closed }

    /// Whether the routes have a response to finish.
    var isPassing: Bool { if case .passing(let passing) = phase { !passing.isAnswered } else { false } }
}

// What the sender does.
extension IngestConnectionState {
    /// Bytes came that are no part of a request yet.
    mutating func bytes() { if phase == .idle { isHeadBegun = true } }

    /// The head of a request came.
    ///
    /// - Parameters:
    ///   - head: The head.
    ///   - isFull: Whether no memory is left for another body.
    ///   - admit: Counts a request that is in order, and says the hash of the network that it comes from.
    /// - Returns: What to do.
    mutating func head(
        _ head: HTTPRequestHead,
        isFull: Bool,
        admit: (RequestFields) throws(Refusal) -> UInt64 = { _ in 0 }
    ) -> Action {
        guard phase == .idle else { return .nothing }
        isHeadBegun = false
        requests += 1
        let fields = RequestFields(head.headers)
        let waits = fields.expectsContinue && fields.announcesBody && head.version == .http1_1
        isLast =
            requests >= limits.requests || !head.isKeepAlive || head.version != .http1_1 || fields.asksForUpgrade
            || head.method == .CONNECT
        do throws(Refusal) {
            guard head.isForReports else {
                if !head.isProbe { _ = try admit(fields) }
                // Nobody says 100 Continue further in, so whether the body comes cannot be known.
                isLast = isLast || waits
                phase = .passing(Passing())
                return .pass
            }
            var admission = try Admission(head.method, fields, limits: limits)
            if isFull { throw .tooManyBodies }
            admission.network = try admit(fields)
            phase = .reading(admission)
            body.reserveCapacity(min(fields.contentLength ?? 0, limits.refusedBody))
            return waits ? .proceed : .nothing
        } catch {
            let isLong = fields.isChunked || (fields.contentLength ?? 0) > limits.refusedBody
            isLast = isLast || isLong || waits || error.status == .contentTooLarge
            var error = error
            // What the routes would answer, pages of other origins may read.
            if !head.isForReports { error.headers[.accessControlAllowOrigin] = "*" }
            return answer(.refused(error, headOnly: head.method == .HEAD), else: .discarding)
        }
    }

    /// A part of a body came.
    mutating func body(_ part: ByteBuffer) -> Action {
        switch phase {
        case .reading where body.count + part.readableBytes > limits.body:
            return refuse(.bodyTooLarge(limit: limits.body))
        case .reading:
            body.append(contentsOf: part.readableBytesView)
            return .nothing
        case .passing: return .pass
        case .lingering: return discarded(part.readableBytes)
        case .idle, .taken, .discarding, .closed: return .nothing
        }
    }

    /// The memory for bodies is used up.
    mutating func exhausted() -> Action { isReading ? refuse(.tooManyBodies) : .nothing }

    /// The end of a request came.
    mutating func end() -> Action {
        switch phase {
        case .reading(let admission):
            defer { body = [] }
            phase = .taken
            return .take(admission, body: body)
        case .discarding:
            phase = .idle
            return .nothing
        case .passing(var passing):
            passing.isRead = true
            phase = passing.isAnswered ? .idle : .passing(passing)
            return .pass
        case .idle, .taken, .lingering, .closed: return .nothing
        }
    }

    /// Something came that is no HTTP, or a head that is too large; nothing after it can be read.
    mutating func malformed(isHeadTooLarge: Bool = false) -> Action {
        isLast = true
        switch phase {
        case .reading: return refuse(.brokenBody)
        case .idle where isHeadTooLarge: return refuse(.headTooLarge)
        case .idle: return answer(.malformed, else: .idle)
        case .passing(let passing) where !passing.isAnswerBegun: return answer(.malformed, else: .idle)
        case .passing, .discarding: return end(with: .lingering)
        case .taken, .lingering, .closed: return .nothing
        }
    }

    /// Bytes that are no HTTP came after the last answer, and were thrown away.
    mutating func discarded(_ count: Int) -> Action {
        guard phase == .lingering else { return .nothing }
        bytesAfterLastAnswer += count
        return bytesAfterLastAnswer > limits.afterLastAnswer ? end(with: .closed) : .nothing
    }

    /// The sender sends nothing more; it may still read.
    mutating func inputClosed() -> Action {
        isInputClosed = true
        isLast = true
        switch phase {
        case .reading: return refuse(.brokenBody)
        case .passing(let passing) where !passing.isAnswered: return .pass
        case .idle, .discarding, .passing, .lingering: return end(with: .closed)
        case .taken, .closed: return .nothing
        }
    }

    /// What the connection waits for did not come in its time.
    mutating func timedOut() -> Action {
        switch phase {
        case .reading: return refuse(.slowBody)
        case .idle where isHeadBegun: return refuse(.slowHead)
        case .passing(let passing) where !passing.isRead && !passing.isAnswerBegun: return refuse(.slowBody)
        case .idle, .discarding, .passing, .lingering: return isBusy ? .nothing : end(with: .closed)
        case .taken, .closed: return .nothing
        }
    }
}

// What the backend does.
extension IngestConnectionState {
    /// A report was committed, or refused.
    mutating func completed(_ refusal: Refusal?) -> Action {
        guard phase == .taken else { return .nothing }
        return answer(refusal.map { .refused($0, headOnly: false) } ?? .accepted, else: .idle)
    }

    /// The routes begin a response.
    ///
    /// - Returns: Whether it is the last one of the connection.
    mutating func responseBegan() -> Bool {
        guard case .passing(var passing) = phase, !passing.isAnswered else { return isLast }
        passing.isAnswerBegun = true
        phase = .passing(passing)
        return isLast
    }

    /// The routes have written a response.
    mutating func responseEnded() -> Action {
        guard case .passing(var passing) = phase, !passing.isAnswered else { return .nothing }
        if isLast { return end(with: .lingering) }
        passing.isAnswered = true
        phase = passing.isRead ? .idle : .passing(passing)
        return .nothing
    }

    /// The routes are done with the connection.
    mutating func routesClosed() -> Action { isPassing ? end(with: .closed) : finish() }

    /// The backend stops: what is under way is finished, what is not is not begun.
    mutating func finish() -> Action {
        isLast = true
        switch phase {
        case .idle: return end(with: .closed)
        case .discarding: return end(with: .lingering)
        case .passing(let passing) where passing.isAnswered: return end(with: .lingering)
        case .reading, .taken, .passing, .lingering, .closed: return .nothing
        }
    }

    /// The connection is gone.
    mutating func inactive() {
        phase = .closed
        body = []
    }

    private mutating func refuse(_ refusal: Refusal) -> Action {
        isLast = true
        return answer(.refused(refusal, headOnly: false), else: .idle)
    }

    /// Answers; the connection ends, or goes on in another phase.
    private mutating func answer(_ answer: Answer, else next: Phase) -> Action {
        guard isLast else {
            phase = next
            body = []
            return .answer(answer, then: .goOn)
        }
        guard case .end(let last) = end(with: .lingering) else { return .nothing }
        return .answer(answer, then: last)
    }

    /// Nothing more is written.
    private mutating func end(with next: Phase) -> Action {
        guard phase != .closed else { return .nothing }
        phase = isInputClosed ? .closed : next
        body = []
        return .end(phase == .closed ? .close : .linger)
    }
}

// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHTTP1
import ReportStore
import TelemetryModel

// Does what the state decided.
extension IngestHandler {
    /// Does what the state decided on an event.
    func perform(_ action: IngestConnectionState.Action, _ event: Event? = nil) {
        switch action {
        case .nothing: break
        case .pass: pass(event)
        case .proceed: context?.writeAndFlush(Self.wrapOutboundOut(.head(Answers.proceed)), promise: nil)
        case .take(let admission, let body): take(admission, body)
        case .answer(let answer, let next):
            write(answer, isLast: next != .goOn)
            proceed(to: next)
        case .end(let next): proceed(to: next)
        }
    }

    /// Has a report committed; what comes of it may be told by any thread.
    private func take(_ admission: Admission, _ body: [UInt8]) {
        guard let eventLoop = context?.eventLoop else { return }
        let handler = NIOLoopBound(self, eventLoop: eventLoop)
        let isSigned = admission.sender.signature != nil
        shared.ingest.take(admission, body: body) { result in
            if eventLoop.inEventLoop {
                handler.value.completed(result, isSigned: isSigned)
            } else {
                eventLoop.execute { handler.value.completed(result, isSigned: isSigned) }
            }
        }
    }

    /// A report was committed or refused; the connection may be gone by now.
    private func completed(_ result: Result<ReportStore.Outcome, any Error>, isSigned: Bool) {
        switch result {
        case .success(let outcome):
            if let began { shared.metrics.accepted(outcome, isSigned: isSigned, in: .now - began) }
            finishReport()
            perform(state.completed(nil))
        case .failure(let error):
            let refusal = Refusal(error, reportingTo: shared.logger)
            let action = state.completed(refusal)
            if action == .nothing { count(refusal) }
            perform(action)
        }
        serveWaiting()
    }

    private func write(_ answer: IngestConnectionState.Answer, isLast: Bool) {
        switch answer {
        case .accepted:
            guard let encoder else { return write(shared.answers.acceptedHead(), nil) }
            let bytes = shared.answers.accepted(isLast: isLast)
            encoder.writeAndFlush(HTTPResponseEncoder.wrapOutboundOut(.byteBuffer(bytes)), promise: nil)
        case .malformed: write(Answers.malformed, nil)
        case .refused(let refusal, let headOnly):
            count(refusal)
            let body = refusal.body
            write(
                shared.answers.refused(refusal, bodyLength: body.readableBytes, isLast: isLast && !isStream),
                headOnly ? nil : body
            )
        }
    }

    private func write(_ head: HTTPResponseHead, _ body: ByteBuffer?) {
        guard let context else { return }
        context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
        if let body { context.write(Self.wrapOutboundOut(.body(.byteBuffer(body))), promise: nil) }
        context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
    }

    private func proceed(to next: IngestConnectionState.Next) {
        guard next != .goOn else { return }
        forgetWaiting()
        guard next == .linger else {
            context?.close(promise: nil)
            return
        }
        // A stream has no output that could be closed by itself; the end of the answer was that.
        if !isStream { context?.close(mode: .output, promise: nil) }
        context?.read()
        lastActivity = .now()
        linger(until: .now() + longestLingering)
    }

    /// Closes the connection when nothing more comes, so that whoever is still sending gets to reading the answer.
    private func linger(until end: NIODeadline) {
        let rest = min(lastActivity + shared.lingering, end) - .now()
        guard rest > .zero else { return perform(state.timedOut()) }
        after(rest) { $0.linger(until: end) }
    }

    /// Gives nobody more time than there is after the last word, as the backend stops.
    func hurry() {
        longestLingering = shared.lingering
        if state.isLingering { linger(until: .now() + longestLingering) }
    }
}

// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHTTP1

/// Reads and answers reports on the event loop of their connection, and passes every other request on.
///
/// It stands right behind NIO's HTTP decoder and encoder, does what `IngestConnectionState` decides, and is the one that
/// closes the connection: further in nobody sees all of its requests. On HTTP/2 each stream has a handler of its own, and is
/// what to this handler is a connection, with one request.
final class IngestHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// What the sender does, in the order in which it does it.
    enum Event {
        case part(HTTPServerRequestPart)
        case malformed(isHeadTooLarge: Bool)
        case inputClosed
    }

    let shared: Shared
    let connection: PublicConnection
    /// Whether it is a stream of HTTP/2, where nothing is said of connections in answers.
    let isStream: Bool
    var state: IngestConnectionState
    var context: ChannelHandlerContext?
    /// The encoder's place in the pipeline: what is written from there is on its way out already; nil on HTTP/2.
    private(set) var encoder: ChannelHandlerContext?
    /// What came while a request had yet to be answered; while there is any, nothing more is read.
    private var waiting = CircularBuffer<Event>(initialCapacity: 0)
    private var isServingWaiting = false
    /// Closes the connection where answers are not read.
    private var unread: Scheduled<Void>?
    private var isReadHeld = false
    /// Whether the routes got parts and were not told yet that these are all for now.
    private var hasPassed = false
    /// When the report under way began; nil where there is none.
    var began: ContinuousClock.Instant?
    /// What the body under way has of the budget, in bytes.
    var claimed = 0
    /// Whether parts came since time was last taken; bytes that make no part do not keep a connection open.
    private var hasHeard = false
    var lastActivity = NIODeadline.now()
    /// Since when the connection waits for the rest of a head or a body, and of which request.
    private var waitBegan = (instant: NIODeadline.now(), wait: IngestConnectionState.Wait.request, request: 0)
    /// The connection is closed so long after the last answer.
    var longestLingering: TimeAmount
    private var timer: Scheduled<Void>?
    /// When the timer is due; it may be set earlier than needed, and is then set anew.
    private var timerDue = NIODeadline.distantFuture

    /// The handler of one connection.
    ///
    /// - Parameters:
    ///   - shared: What all connections have in common.
    ///   - connection: The connection.
    ///   - encoder: The place of its `HTTPResponseEncoder`; nil for a stream of HTTP/2.
    init(_ shared: Shared, _ connection: PublicConnection, encoder: ChannelHandlerContext?) {
        self.shared = shared
        self.connection = connection
        self.encoder = encoder
        isStream = encoder == nil
        longestLingering = shared.longestLingering
        state = IngestConnectionState(limits: shared.limits)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        // Over TLS it is only known what is spoken once the connection is there.
        if context.channel.isActive { watch() }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        unread?.cancel()
        self.context = nil
        encoder = nil
    }

    func channelActive(context: ChannelHandlerContext) {
        watch()
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        if began != nil, !state.isTaken { count(.brokenBody) }
        state.inactive()
        waiting.removeAll()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        hasHeard = true
        receive(.part(Self.unwrapInboundIn(data)))
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if hasHeard || state.wait == .request || state.isLingering { lastActivity = .now() }
        if !hasHeard { state.bytes() }
        hasHeard = false
        finishPassing()
        watch()
        // The routes may have stopped reading for good.
        if state.isLingering { context.read() }
    }

    func read(context: ChannelHandlerContext) {
        isReadHeld = !waiting.isEmpty || !context.channel.isWritable
        if !isReadHeld { context.read() }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        unread?.cancel()
        if context.channel.isWritable {
            serveWaiting()
        } else {
            // Who does not take what is answered has the time of a body for it.
            unread = context.eventLoop.assumeIsolated().scheduleTask(in: shared.deadlines.body) {
                context.close(promise: nil)
            }
        }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case ChannelEvent.inputClosed: receive(.inputClosed)
        // A stream ends by itself; `StreamWatch` sees to the connection.
        case is ChannelShouldQuiesceEvent where isStream: context.fireUserInboundEventTriggered(event)
        case is ChannelShouldQuiesceEvent:
            perform(state.finish())
            hurry()
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case ByteToMessageDecoderError.dataReceivedInErrorState(_, let bytes):
            perform(state.discarded(bytes.readableBytes))
        case HTTPParserError.headerOverflow, is ByteToMessageDecoderError.PayloadTooLargeError:
            receive(.malformed(isHeadTooLarge: true))
        case is HTTPParserError: receive(.malformed(isHeadTooLarge: false))
        default: context.fireErrorCaught(error)
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard state.isPassing else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        switch Self.unwrapOutboundIn(data) {
        case .head(var head):
            if state.responseBegan(), !isStream { head.headers.replaceOrAdd(name: "connection", value: "close") }
            context.write(Self.wrapOutboundOut(.head(head)), promise: promise)
        case .body: context.write(data, promise: promise)
        case .end:
            context.writeAndFlush(data, promise: promise)
            lastActivity = .now()
            perform(state.responseEnded())
            serveWaiting()
        }
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        // The routes close their input where they are cancelled. Otherwise they are done, and a report may still be
        // under way; the connection is then closed from here.
        if mode == .input { return context.close(promise: promise) }
        perform(state.routesClosed())
        promise?.succeed()
    }
}

// The order of things.
extension IngestHandler {
    /// Serves an event, or keeps it until the request before it is answered.
    private func receive(_ event: Event) {
        if waiting.isEmpty, isFree, !isServingWaiting { serve(event) } else { waiting.append(event) }
    }

    /// Serves what waited, as far as that goes.
    func serveWaiting() {
        guard !isServingWaiting else { return }
        isServingWaiting = true
        while isFree, let event = waiting.popFirst() { serve(event) }
        isServingWaiting = false
        finishPassing()
        watch()
        if isReadHeld, waiting.isEmpty, context?.channel.isWritable == true {
            isReadHeld = false
            context?.read()
        }
    }

    /// Whether the next event can be served: the request before it is answered, and the answers are not piling up.
    ///
    /// After the last answer there is none any more that could.
    private var isFree: Bool { !state.isBusy && (state.isOver || context?.channel.isWritable != false) }

    private func serve(_ event: Event) {
        switch event {
        case .part(.head(var head)):
            if isStream { head.announceBody() }
            let action = state.head(head, isFull: shared.budget.isExhausted, admit: admit)
            if state.isReading { begin() }
            perform(action, event)
        case .part(.body(let part)): perform(claim(part) ? state.body(part) : state.exhausted(), event)
        case .part(.end): perform(state.end(), event)
        case .malformed(let isHeadTooLarge): perform(state.malformed(isHeadTooLarge: isHeadTooLarge))
        case .inputClosed: perform(state.inputClosed(), event)
        }
    }

    /// Gives an event to the routes.
    func pass(_ event: Event?) {
        switch event {
        case .part(let part):
            hasPassed = true
            context?.fireChannelRead(Self.wrapInboundOut(part))
        case .inputClosed: context?.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        case .malformed, nil: break
        }
    }

    private func finishPassing() {
        guard hasPassed else { return }
        hasPassed = false
        context?.fireChannelReadComplete()
    }

    /// Forgets what waits: nothing more is answered.
    func forgetWaiting() { waiting.removeAll() }
}

// Time.
extension IngestHandler {
    /// Does something later, instead of what was to be done later so far.
    func after(_ delay: TimeAmount, _ body: @escaping (IngestHandler) -> Void) {
        timer?.cancel()
        timerDue = .now() + delay
        timer = context?.eventLoop.assumeIsolated().scheduleTask(in: delay) { [weak self] in
            if let self { body(self) }
        }
    }

    /// Sees to it that the timer is not due too late for what the connection waits for now.
    ///
    /// It is set anew only where it is: a report that comes whole costs a comparison.
    func watch() {
        guard let due = due(), due < timerDue else { return }
        after(due - .now()) { $0.checkTime() }
    }

    /// When what the connection waits for has to have come; nil where it waits for nothing.
    private func due() -> NIODeadline? {
        let wait = state.wait
        guard wait != .nothing else { return nil }
        if wait == .request { return lastActivity + shared.deadlines.request }
        if waitBegan.wait != wait || waitBegan.request != state.requests {
            waitBegan = (lastActivity, wait, state.requests)
        }
        return waitBegan.instant + (wait == .head ? shared.deadlines.head : shared.deadlines.body)
    }

    private func checkTime() {
        timerDue = .distantFuture
        if let due = due(), due <= .now() { perform(state.timedOut()) }
        // While it is the backend's turn there is nothing to be late with; the timer looks again later.
        guard !state.isOver else { return }
        if state.wait == .nothing { after(shared.deadlines.request) { $0.checkTime() } } else { watch() }
    }
}

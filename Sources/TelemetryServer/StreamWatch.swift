// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// Ends a connection of HTTP/2 that has no stream for too long, or has had as many as it may.
///
/// Its sender is told so, and has the time of a body to finish what it began; then the connection is closed whatever it does.
final class StreamWatch: ChannelInboundHandler {
    typealias InboundIn = Any

    private let deadlines: SenderDeadlines
    private let largestCount: Int
    private var context: ChannelHandlerContext?
    /// How many streams there are, and how many there were.
    private var (open, total) = (0, 0)
    private var isEnding = false
    private var timer: Scheduled<Void>?

    /// Watches over a connection.
    ///
    /// - Parameters:
    ///   - deadlines: How long it waits.
    ///   - largestCount: The most streams that it may have, one after the other or at once.
    init(deadlines: SenderDeadlines, largestCount: Int) {
        self.deadlines = deadlines
        self.largestCount = largestCount
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        after(deadlines.request) { $0.end() }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        self.context = nil
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent, !isEnding {
            isEnding = true
            after(deadlines.body) { $0.context?.close(promise: nil) }
        }
        context.fireUserInboundEventTriggered(event)
    }

    private func opened() {
        open += 1
        total += 1
        // Nobody who has heard that it ends opens many more.
        if total > largestCount + 100 { context?.close(promise: nil) }
        if isEnding { return }
        timer?.cancel()
        if total >= largestCount { end() }
    }

    private func closed() {
        open -= 1
        if open == 0, !isEnding { after(deadlines.request) { $0.end() } }
    }

    /// Has the handler of the connection say that it ends.
    private func end() { context?.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent()) }

    /// Does something later, instead of what was to be done later so far.
    private func after(_ delay: TimeAmount, _ body: @escaping (StreamWatch) -> Void) {
        timer?.cancel()
        timer = context?.eventLoop.assumeIsolated().scheduleTask(in: delay) { [weak self] in
            if let self { body(self) }
        }
    }
}

extension StreamWatch {
    /// A stream of the connection.
    final class Stream: ChannelInboundHandler, RemovableChannelHandler {
        typealias InboundIn = Any

        private let watch: StreamWatch

        /// A stream that is watched over.
        init(_ watch: StreamWatch) {
            self.watch = watch
        }

        func handlerAdded(context: ChannelHandlerContext) { watch.opened() }

        func handlerRemoved(context: ChannelHandlerContext) { watch.closed() }
    }
}

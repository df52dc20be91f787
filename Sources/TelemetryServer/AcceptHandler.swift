// SPDX-License-Identifier: Apache-2.0

import Logging
import NIOCore

/// Goes on listening where a connection cannot be accepted, for want of files or memory; it stands before everything else on
/// a listening socket.
///
/// Without it such an error would end the listener. The next connection is accepted a moment later, as the one that could
/// not be is still there and would fail again at once.
final class AcceptHandler: ChannelDuplexHandler {
    typealias InboundIn = any Channel
    typealias InboundOut = any Channel
    typealias OutboundIn = Never

    private static let pause = TimeAmount.milliseconds(100)
    /// So long nothing more is said of it.
    private static let silence = TimeAmount.minutes(1)

    private let logger: Logger
    private var isPausing = false
    private var isReadHeld = false
    private var silentUntil = NIODeadline.now()

    /// - Parameter logger: Where it is said that connections wait.
    init(logger: Logger) {
        self.logger = logger
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard error is IOError else { return context.fireErrorCaught(error) }
        if .now() >= silentUntil {
            silentUntil = .now() + Self.silence
            logger.error("connections cannot be accepted and wait", metadata: ["reason": "\(error)"])
        }
        guard !isPausing else { return }
        isPausing = true
        context.eventLoop.assumeIsolated().scheduleTask(in: Self.pause) { [self] in
            isPausing = false
            guard isReadHeld else { return }
            isReadHeld = false
            context.read()
        }
    }

    func read(context: ChannelHandlerContext) {
        isReadHeld = isPausing
        if !isPausing { context.read() }
    }
}

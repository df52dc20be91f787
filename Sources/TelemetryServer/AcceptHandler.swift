// SPDX-License-Identifier: Apache-2.0

import Logging
import NIOCore

/// Waits a moment where a connection cannot be accepted, for want of files or memory, and says so; it stands before
/// everything else on a listening socket.
///
/// The connection is still there and would fail again at once, and again, as long as the socket is looked at.
final class AcceptHandler: ChannelInboundHandler {
    typealias InboundIn = any Channel

    private static let pause = TimeAmount.milliseconds(100)
    /// So long nothing more is said of it.
    private static let silence = TimeAmount.minutes(1)

    private let logger: Logger
    private var isWaiting = false
    private var silentUntil = NIODeadline.now()

    /// - Parameter logger: Where it is said that connections wait.
    init(logger: Logger) {
        self.logger = logger
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if error is IOError, .now() >= silentUntil {
            silentUntil = .now() + Self.silence
            logger.error("connections cannot be accepted and wait", metadata: ["reason": "\(error)"])
        }
        wait(context)
        context.fireErrorCaught(error)
    }

    private func wait(_ context: ChannelHandlerContext) {
        guard !isWaiting, let options = context.channel.syncOptions else { return }
        isWaiting = true
        do {
            let isReading = try options.getOption(.autoRead)
            // Only what changes has the socket not looked at.
            if !isReading { try options.setOption(.autoRead, value: true) }
            try options.setOption(.autoRead, value: false)
            context.eventLoop.assumeIsolated().scheduleTask(in: Self.pause) { [self] in
                isWaiting = false
                if isReading { try options.setOption(.autoRead, value: true) } else { context.read() }
            }
        } catch {
            // The socket is closed.
            isWaiting = false
        }
    }
}

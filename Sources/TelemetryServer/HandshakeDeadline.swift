// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOSSL
import NIOTLS

/// Closes a connection that does not get through its TLS handshake in time, or not before the backend stops; it stands right behind `NIOSSLServerHandler`.
final class HandshakeDeadline: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let time: TimeAmount
    private var timer: Scheduled<Void>?
    private var isDone = false

    /// A deadline that begins when the handler is added.
    init(_ time: TimeAmount) {
        self.time = time
    }

    /// Adds a deadline to a connection whose pipeline has TLS already.
    static func add(_ time: TimeAmount, to channel: any Channel) throws {
        let pipeline = channel.pipeline.syncOperations
        let tls = try pipeline.handler(type: NIOSSLServerHandler.self)
        try pipeline.addHandler(HandshakeDeadline(time), position: .after(tls))
    }

    func handlerAdded(context: ChannelHandlerContext) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: time) { context.close(promise: nil) }
    }

    func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted = event as? TLSUserEvent {
            isDone = true
            timer?.cancel()
        }
        // Nobody further in hears of it before it is known what is spoken.
        if event is ChannelShouldQuiesceEvent, !isDone { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }
}

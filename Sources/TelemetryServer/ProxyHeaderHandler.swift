// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// Takes the header of the PROXY protocol off the beginning of a connection from a trusted proxy, and tells the handlers
/// behind it for whom the connection was opened, as a `ProxiedAddress`.
///
/// It stands before everything else, leaves once it knows, and closes a connection whose header is malformed.
final class ProxyHeaderHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// For whom a proxy opened the connection.
    struct ProxiedAddress {
        let address: IPAddress
    }

    private var bytes = ByteBuffer()
    private var isDone = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isDone else { return context.fireChannelRead(data) }
        var part = Self.unwrapInboundIn(data)
        bytes.writeBuffer(&part)
        switch ProxyHeader(bytes.readableBytesView) {
        case .incomplete: break
        case .malformed:
            isDone = true
            bytes.clear()
            context.close(promise: nil)
        case .none: passOn(context)
        case .found(let address, let length):
            bytes.moveReaderIndex(forwardBy: length)
            if let address { context.fireUserInboundEventTriggered(ProxiedAddress(address: address)) }
            passOn(context)
        }
    }

    private func passOn(_ context: ChannelHandlerContext) {
        isDone = true
        if bytes.readableBytes > 0 { context.fireChannelRead(Self.wrapInboundOut(bytes)) }
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }
}

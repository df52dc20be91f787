// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// Takes the header of the PROXY protocol off the beginning of a connection from a trusted proxy, and tells for whom the
/// connection was opened.
///
/// It stands before everything else, leaves once it knows, and closes a connection whose header is malformed.
final class ProxyHeaderHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// Is told for whom the connection was opened, and says whether it may go on.
    private let isOpened: (IPAddress) -> Bool
    private var bytes = ByteBuffer()
    private var isDone = false

    /// A handler that asks whether a connection for an address may go on.
    init(_ isOpened: @escaping (IPAddress) -> Bool) {
        self.isOpened = isOpened
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isDone else { return context.fireChannelRead(data) }
        var part = Self.unwrapInboundIn(data)
        bytes.writeBuffer(&part)
        switch ProxyHeader(bytes.readableBytesView) {
        case .incomplete: break
        case .malformed: refuse(context)
        case .none: passOn(context)
        case .found(let address, let length):
            bytes.moveReaderIndex(forwardBy: length)
            if address.map(isOpened) ?? true { passOn(context) } else { refuse(context) }
        }
    }

    private func refuse(_ context: ChannelHandlerContext) {
        isDone = true
        bytes.clear()
        context.close(promise: nil)
    }

    private func passOn(_ context: ChannelHandlerContext) {
        isDone = true
        if bytes.readableBytes > 0 { context.fireChannelRead(Self.wrapInboundOut(bytes)) }
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }
}

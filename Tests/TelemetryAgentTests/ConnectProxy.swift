// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix

/// A proxy that takes `CONNECT` with the right credentials, and leads every connection to one port of this machine.
final class ConnectProxy: Sendable {
    /// The heads of requests as they come.
    let heads: AsyncStream<String>
    let port: Int
    private let head: AsyncStream<String>.Continuation

    private init(port: Int, heads: AsyncStream<String>, head: AsyncStream<String>.Continuation) {
        (self.port, self.heads, self.head) = (port, heads, head)
    }

    /// Runs a body with a proxy on the loopback interface.
    ///
    /// - Parameters:
    ///   - authorization: What `Proxy-Authorization` must be; any other is answered 407.
    ///   - target: The port that connections lead to; nil for a proxy that says nothing.
    ///   - host: The address of the proxy.
    ///   - body: What runs.
    /// - Returns: What the body gives.
    /// - Throws: What the body throws, or where there is no port.
    static func with<Result>(
        authorization: String,
        to target: Int?,
        host: String = "127.0.0.1",
        _ body: (ConnectProxy) async throws -> Result
    ) async throws -> Result {
        let (heads, head) = AsyncStream.makeStream(of: String.self)
        let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Handler(authorization, target, head))
                }
            }
            .bindLow(host: host)
        let outcome: Swift.Result<Result, any Error>
        do {
            let proxy = ConnectProxy(port: channel.localAddress?.port ?? 0, heads: heads, head: head)
            outcome = .success(try await body(proxy))
        } catch {
            outcome = .failure(error)
        }
        try await channel.close()
        return try outcome.get()
    }

    /// Reads the head, then hands everything on.
    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let authorization: String
        private let target: Int?
        private let head: AsyncStream<String>.Continuation
        private var text = ""
        private var peer: (any Channel)?

        init(_ authorization: String, _ target: Int?, _ head: AsyncStream<String>.Continuation) {
            (self.authorization, self.target, self.head) = (authorization, target, head)
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let bytes = unwrapInboundIn(data)
            if let peer { return peer.writeAndFlush(bytes, promise: nil) }
            text += String(buffer: bytes)
            guard text.hasSuffix("\r\n\r\n") else { return }
            head.yield(text)
            guard let target else { return }
            guard text.lowercased().contains("proxy-authorization: \(authorization.lowercased())\r\n") else {
                let refusal = "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
                return context.writeAndFlush(NIOAny(ByteBuffer(string: refusal)), promise: nil)
            }
            connect(context, to: target)
        }

        func channelInactive(context: ChannelHandlerContext) { peer?.close(promise: nil) }

        private func connect(_ context: ChannelHandlerContext, to port: Int) {
            let channel = context.channel
            let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
            ClientBootstrap(group: context.eventLoop)
                .channelInitializer { peer in
                    peer.eventLoop.makeCompletedFuture {
                        try peer.pipeline.syncOperations.addHandler(Return(to: channel))
                    }
                }
                .connect(host: "127.0.0.1", port: port)
                .whenSuccess { peer in
                    handler.value.peer = peer
                    channel.writeAndFlush(ByteBuffer(string: "HTTP/1.1 200 OK\r\n\r\n"), promise: nil)
                }
        }
    }

    /// The way back.
    private final class Return: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let channel: any Channel

        init(to channel: any Channel) {
            self.channel = channel
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            channel.writeAndFlush(unwrapInboundIn(data), promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) { channel.close(promise: nil) }
    }
}

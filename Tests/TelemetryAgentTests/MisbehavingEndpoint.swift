// SPDX-License-Identifier: Apache-2.0

import Glibc
import NIOCore
import NIOPosix
import Synchronization

/// An endpoint that does to every connection what no backend should.
final class MisbehavingEndpoint: Sendable {
    /// What it does once the first bytes of a request came.
    enum Behaviour: Sendable {
        /// Says something, or nothing, and keeps the connection open.
        case says(String)
        /// Says something and closes the connection.
        case closes(after: String)
        /// Resets the connection.
        case resets
    }

    /// How many connections there were.
    let connections = Mutex(0)
    /// First bytes of requests as they come.
    let begun: AsyncStream<Void>
    /// Ends of connections as they come.
    let closed: AsyncStream<Void>
    private let beginning: AsyncStream<Void>.Continuation
    private let closing: AsyncStream<Void>.Continuation

    private init() {
        (begun, beginning) = AsyncStream.makeStream(of: Void.self)
        (closed, closing) = AsyncStream.makeStream(of: Void.self)
    }

    /// Runs a body with an endpoint on the loopback interface and its URL.
    static func with<Result>(
        _ behaviour: Behaviour,
        _ body: (MisbehavingEndpoint, String) async throws -> Result
    ) async throws -> Result {
        let endpoint = MisbehavingEndpoint()
        let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Handler(behaviour, endpoint))
                }
            }
            .bindLow(host: "127.0.0.1")
        let result: Swift.Result<Result, any Error>
        do {
            result = .success(try await body(endpoint, "http://127.0.0.1:\(channel.localAddress?.port ?? 0)"))
        } catch {
            result = .failure(error)
        }
        try await channel.close()
        return try result.get()
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let behaviour: Behaviour
        private let endpoint: MisbehavingEndpoint
        private var isDone = false

        init(_ behaviour: Behaviour, _ endpoint: MisbehavingEndpoint) {
            self.behaviour = behaviour
            self.endpoint = endpoint
        }

        func channelActive(context: ChannelHandlerContext) {
            endpoint.connections.withLock { $0 += 1 }
        }

        func channelInactive(context: ChannelHandlerContext) { endpoint.closing.yield() }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard !isDone else { return }
            isDone = true
            endpoint.beginning.yield()
            switch behaviour {
            case .says(let text): context.writeAndFlush(NIOAny(ByteBuffer(string: text)), promise: nil)
            case .closes(let text):
                let channel = context.channel
                context.writeAndFlush(NIOAny(ByteBuffer(string: text))).whenComplete { _ in
                    channel.close(promise: nil)
                }
            case .resets:
                let channel = context.channel
                // Closing without lingering is a reset.
                let reset = (channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
                reset?.whenComplete { _ in channel.close(promise: nil) }
            }
        }
    }
}

/// A port that answers nothing, as behind a firewall that drops: it listens, its queue is full, and nobody accepts.
struct BlackHole: ~Copyable {
    let url: String
    private let sockets: [Int32]

    init() throws {
        func failure() -> IOError { IOError(errnoCode: errno, reason: "black hole") }
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        /// Calls a function with the address as C takes it.
        func withAddress(_ body: (UnsafePointer<sockaddr>) -> Int32) -> Int32 {
            withUnsafePointer(to: address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0) }
            }
        }
        var status: Int32 = -1
        for _ in 0..<100 where status != 0 {
            address.sin_port = in_port_t.random(in: 20_000..<32_768).bigEndian
            status = withAddress { bind(listener, $0, size) }
        }
        guard status == 0, listen(listener, 0) == 0 else { throw failure() }
        var sockets = [listener]
        for _ in 0..<4 {
            let filler = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
            _ = withAddress { connect(filler, $0, size) }
            sockets.append(filler)
        }
        self.sockets = sockets
        url = "http://127.0.0.1:\(UInt16(bigEndian: address.sin_port))"
    }

    deinit {
        for socket in sockets { close(socket) }
    }
}

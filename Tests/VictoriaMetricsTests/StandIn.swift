// SPDX-License-Identifier: Apache-2.0

import Gzip
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A database that answers as a test wants, for what a real one does only on a bad day, and remembers what came, unpacked.
final class StandIn: Sendable {
    /// An answer; nil for none at all.
    typealias Answer = (status: Int, body: String)?

    private let state = Mutex<[String]>([])
    private let answer: @Sendable (_ body: String, _ number: Int) -> Answer
    private let port = Mutex(0)

    private init(_ answer: @escaping @Sendable (String, Int) -> Answer) {
        self.answer = answer
    }

    /// Where it is.
    var base: String { "http://127.0.0.1:\(port.withLock { $0 })" }
    /// Where it imports.
    var url: String { base + "/api/v1/import/prometheus" }
    var bodies: [String] { state.withLock { $0 } }

    /// One that answers with a status by the body of a request.
    static func with(
        answer: @escaping @Sendable (String) -> Int,
        _ body: (StandIn) async throws -> Void
    ) async throws {
        try await run(StandIn { text, _ in (answer(text), "") }, body)
    }

    /// One that answers with a status by the number of a request, from 1.
    static func with(
        byNumber answer: @escaping @Sendable (Int) -> Int,
        _ body: (StandIn) async throws -> Void
    ) async throws {
        try await run(StandIn { _, number in (answer(number), "") }, body)
    }

    /// One that answers with a status and a body.
    static func answering(
        _ answer: @escaping @Sendable (_ body: String, _ number: Int) -> Answer,
        _ body: (StandIn) async throws -> Void
    ) async throws {
        try await run(StandIn(answer), body)
    }

    private static func run(_ server: StandIn, _ body: (StandIn) async throws -> Void) async throws {
        let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Handler(server))
                }
            }
            .bind(host: "127.0.0.1", port: 0)
            .get()
        server.port.withLock { $0 = channel.localAddress?.port ?? 0 }
        let result = await Swift.Result { try await body(server) }
        try await channel.close()
        try result.get()
    }

    private func answer(to sent: [UInt8]) -> Answer {
        let body = String(decoding: (try? GzipDecoder.decode(sent, limit: 1 << 24)) ?? sent, as: UTF8.self)
        let number = state.withLock { bodies in
            bodies.append(body)
            return bodies.count
        }
        return answer(body, number)
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let server: StandIn
        private var body: [UInt8] = []
        /// Whether it is asked for metrics, which it has not.
        private var isGet = false

        init(_ server: StandIn) {
            self.server = server
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch Self.unwrapInboundIn(data) {
            case .head(let head): (body, isGet) = ([], head.method == .GET)
            case .body(let part): body += part.readableBytesView
            case .end:
                guard let answer = isGet ? (404, "") : server.answer(to: body) else { return }
                let status = HTTPResponseStatus(statusCode: answer.status)
                let headers: HTTPHeaders =
                    status == .noContent ? [:] : ["content-length": "\(answer.body.utf8.count)"]
                let head = HTTPResponseHead(version: .http1_1, status: status, headers: headers)
                context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
                context.write(Self.wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: answer.body)))), promise: nil)
                context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
            }
        }
    }
}

extension Swift.Result where Failure == any Error {
    /// What an asynchronous closure gives.
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}

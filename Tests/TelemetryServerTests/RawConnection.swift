// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix
import NIOSSL
import Testing

/// A connection that says exactly what a test wants it to say, and reads answers one after the other.
final class RawConnection {
    /// An answer.
    struct Answer {
        let status: Int
        /// By name in lower case.
        let headers: [String: String]
        let body: String
    }

    private var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    private var read = ""

    private init(
        _ inbound: NIOAsyncChannelInboundStream<ByteBuffer>,
        _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) {
        self.inbound = inbound.makeAsyncIterator()
        self.outbound = outbound
    }

    /// Has a connection to a backend for as long as the body takes.
    ///
    /// - Parameters:
    ///   - backend: The backend.
    ///   - url: Which of its listeners; the public one where it is nil.
    ///   - header: What comes first, before TLS too.
    ///   - tls: How TLS is spoken; nil where it is not.
    ///   - receiveBuffer: So many bytes wait in the kernel to be read, or a few times as many.
    ///   - body: What is done with it.
    /// - Throws: What `body` throws; where there is no connection.
    static func with(
        _ backend: RunningTestBackend,
        url: String? = nil,
        after header: String? = nil,
        tls: NIOSSLContext? = nil,
        receiveBuffer: Int? = nil,
        _ body: (RawConnection) async throws -> Void
    ) async throws {
        let port = try #require((url ?? backend.url).split(separator: ":").last.flatMap { Int($0) })
        var bootstrap = ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .channelOption(.allowRemoteHalfClosure, value: true)
        if let receiveBuffer {
            bootstrap = bootstrap.channelOption(.socketOption(.so_rcvbuf), value: .init(receiveBuffer))
        }
        let channel =
            try await bootstrap
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let header { try pipeline.addHandler(First(header)) }
                    if let tls { try pipeline.addHandler(NIOSSLClientHandler(context: tls, serverHostname: nil)) }
                    return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                        wrappingChannelSynchronously: channel,
                        configuration: .init(isOutboundHalfClosureEnabled: true)
                    )
                }
            }
        try await channel.executeThenClose { try await body(RawConnection($0, $1)) }
    }

    /// Says something.
    func send(_ text: String) async throws {
        try await outbound.write(ByteBuffer(string: text))
    }

    /// Says nothing more.
    func finish() {
        outbound.finish()
    }

    /// The next answer, without a body where it answers HEAD, or nil where the connection was closed instead.
    func answer(headOnly: Bool = false) async throws -> Answer? {
        guard let head = try await next({ $0.firstRange(of: "\r\n\r\n")?.upperBound }) else { return nil }
        let lines = head.split(separator: "\r\n")
        let fields = lines.dropFirst().map { $0.split(separator: ":", maxSplits: 1).map(String.init) }
        let headers = Dictionary(fields.map { ($0[0].lowercased(), String($0[1].dropFirst())) }) { $0 + ", " + $1 }
        let length = headOnly ? 0 : Int(headers["content-length"] ?? "0") ?? 0
        let body = try await next { $0.utf8.count >= length ? $0.utf8.index($0.startIndex, offsetBy: length) : nil }
        let status = lines.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
        return Answer(status: try #require(status), headers: headers, body: try #require(body))
    }

    /// Whether nothing more comes and the connection is closed.
    func isClosed() async throws -> Bool { try await next { $0.isEmpty ? nil : $0.endIndex } == nil }

    /// Takes off what was read up to an end, once there is one.
    private func next(_ end: (String) -> String.Index?) async throws -> String? {
        while true {
            if let end = end(read) {
                defer { read = String(read[end...]) }
                return String(read[..<end])
            }
            guard let part = try await inbound.next() else { return nil }
            read += String(buffer: part)
        }
    }
}

/// Says something before anybody else does.
private final class First: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let text: String

    init(_ text: String) {
        self.text = text
    }

    func channelActive(context: ChannelHandlerContext) {
        context.writeAndFlush(Self.wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
        context.fireChannelActive()
    }
}

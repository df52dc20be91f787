// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import NIOSSL

/// A backend that takes reports, tells of each, and answers as it is told to.
final class TelemetryReceiver: Sendable {
    /// What it does with a request.
    enum Answer: Sendable {
        case status(Int)
        /// Statuses with headers to the first requests, 200 to the others.
        case replies([Reply])
        /// These statuses to the first requests, 200 to the others.
        case statuses([Int])
        case redirect(to: String)
        /// 200, but not before something has happened.
        case after(EventLoopFuture<Void>)
        /// Nothing; the connection stays open.
        case silence
    }

    /// A status with headers.
    struct Reply: Sendable {
        let status: Int
        var headers: [(String, String)] = []
    }

    /// A request as it came.
    struct Request: Sendable {
        let line: String
        let headers: [String: String]
        let bytes: [UInt8]

        var body: String { String(decoding: bytes, as: UTF8.self) }
    }

    /// The requests as they come.
    let requests: AsyncStream<Request>
    /// Connections that were closed, as that happens.
    let closings: AsyncStream<Void>
    /// The URL, with an address for a host.
    let url: String
    private let channel: any Channel
    private let script: AnswerScript

    private init(
        _ requests: AsyncStream<Request>,
        _ closings: AsyncStream<Void>,
        _ channel: any Channel,
        _ script: AnswerScript,
        isSecure: Bool
    ) {
        self.requests = requests
        self.closings = closings
        self.channel = channel
        self.script = script
        let (host, port) = (channel.localAddress?.ipAddress ?? "", channel.localAddress?.port ?? 0)
        url = "\(isSecure ? "https" : "http")://\(host.contains(":") ? "[\(host)]" : host):\(port)"
    }

    /// How many requests came so far.
    var count: Int { script.count }

    /// The port.
    var port: Int { channel.localAddress?.port ?? 0 }

    /// Runs a body with a receiver on the loopback interface.
    static func with<Result>(
        _ answer: Answer = .status(200),
        host: String = "127.0.0.1",
        tls: NIOSSLContext? = nil,
        _ body: (TelemetryReceiver) async throws -> Result
    ) async throws -> Result {
        let (requests, continuation) = AsyncStream.makeStream(of: Request.self)
        let (closings, closing) = AsyncStream.makeStream(of: Void.self)
        let script = AnswerScript(answer)
        let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                channel.closeFuture.whenComplete { _ in closing.yield() }
                return channel.eventLoop.makeCompletedFuture {
                    if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(ReceiverHandler(script, continuation))
                }
            }
            .bindLow(host: host)
        do {
            let result = try await body(TelemetryReceiver(requests, closings, channel, script, isSecure: tls != nil))
            try await channel.close()
            return result
        } catch {
            // What went wrong first is what is reported.
            try? await channel.close()
            throw error
        }
    }
}

/// What is answered to the next request, over whichever connection it comes.
private final class AnswerScript: Sendable {
    private let rest: Mutex<TelemetryReceiver.Answer>
    private let served = Mutex(0)

    init(_ answer: TelemetryReceiver.Answer) {
        rest = Mutex(answer)
    }

    /// How many requests got one.
    var count: Int { served.withLock { $0 } }

    /// The answer to a request; the next one gets the next.
    func next() -> TelemetryReceiver.Answer {
        served.withLock { $0 += 1 }
        return rest.withLock { rest in
            let answer = rest
            switch rest {
            case .replies(let replies): rest = .replies(Array(replies.dropFirst()))
            case .statuses(let codes): rest = .statuses(Array(codes.dropFirst()))
            case .after: rest = .status(200)
            case .status, .redirect, .silence: break
            }
            return answer
        }
    }
}

/// Puts a request together and answers it.
private final class ReceiverHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let script: AnswerScript
    private let requests: AsyncStream<TelemetryReceiver.Request>.Continuation
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []

    init(_ script: AnswerScript, _ requests: AsyncStream<TelemetryReceiver.Request>.Continuation) {
        self.script = script
        self.requests = requests
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): (self.head, body) = (head, [])
        case .body(let bytes): body += bytes.readableBytesView
        case .end:
            guard let head else { return }
            let headers = Dictionary(head.headers.map { ($0.name, $0.value) }) { "\($0), \($1)" }
            requests.yield(.init(line: "\(head.method) \(head.uri)", headers: headers, bytes: body))
            respond(context, script.next())
        }
    }

    private func respond(_ context: ChannelHandlerContext, _ answer: TelemetryReceiver.Answer) {
        if case .after(let event) = answer {
            let context = NIOLoopBound(context, eventLoop: context.eventLoop)
            let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
            event.hop(to: context.eventLoop).whenComplete { _ in handler.value.respond(context.value, .status(200)) }
            return
        }
        var headers = HTTPHeaders([("Content-Length", "0")])
        let status: Int
        switch answer {
        case .silence, .after: return
        case .status(let code): status = code
        case .replies(let replies):
            status = replies.first?.status ?? 200
            for (name, value) in replies.first?.headers ?? [] { headers.add(name: name, value: value) }
        case .statuses(let codes):
            status = codes.first ?? 200
        case .redirect(let location):
            status = 307
            headers.add(name: "Location", value: location)
        }
        let head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: status), headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
}

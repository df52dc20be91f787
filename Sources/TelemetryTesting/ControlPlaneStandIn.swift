// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix
import Synchronization

/// A server that answers requests with prepared bytes, for what a real API server does only on a bad day.
package final class ControlPlaneStandIn: Sendable {
    private let exchange: Exchange
    private let channel: any Channel

    private init(_ exchange: Exchange, _ channel: any Channel) {
        self.exchange = exchange
        self.channel = channel
    }

    /// Runs a body with a server on the loopback interface.
    ///
    /// - Parameters:
    ///   - answers: What requests are answered with, in the order that they come. Later ones, and those whose answer is
    ///     empty, are never answered; connections stay open.
    ///   - isolation: Where the body runs.
    ///   - body: Gets the server.
    /// - Returns: What the body returns.
    /// - Throws: What the body throws, or an error of the socket.
    package static func with<Result>(
        _ answers: [String],
        isolation: isolated (any Actor)? = #isolation,
        _ body: (ControlPlaneStandIn) async throws -> Result
    ) async throws -> Result {
        let exchange = Exchange(answers)
        let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(StandInHandler(exchange))
                }
            }
            .bind(host: "127.0.0.1", port: 0)
            .get()
        do {
            let result = try await body(ControlPlaneStandIn(exchange, channel))
            try await channel.close()
            return result
        } catch {
            // What went wrong first is what is reported.
            try? await channel.close()
            throw error
        }
    }

    /// `http://127.0.0.1:PORT`.
    package var url: String { "http://127.0.0.1:\(channel.localAddress?.port ?? 0)" }

    /// The heads of the requests so far, as they came.
    package var requests: [String] { exchange.requests }

    /// An answer with a JSON body.
    package static func json(_ body: String, status: String = "200 OK", headers: [String] = []) -> String {
        let lines = ["HTTP/1.1 \(status)", "Content-Type: application/json", "Content-Length: \(body.utf8.count)"]
        return (lines + headers).joined(separator: "\r\n") + "\r\n\r\n" + body
    }

    /// An answer after which the server closes the connection, whole or not.
    package static func closing(_ answer: String) -> String { answer + endOfTransmission }

    /// An answer whose body comes in chunks that end anywhere.
    package static func chunked(_ chunks: [String]) -> String {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        return head + (chunks + [""]).map { "\(String($0.utf8.count, radix: 16))\r\n\($0)\r\n" }.joined()
    }
}

/// What prepared answers end with where the connection ends with them.
private let endOfTransmission = "\u{4}"

/// The answers that are left and the requests that were seen.
private final class Exchange: Sendable {
    private let state: Mutex<(answers: ArraySlice<String>, requests: [String])>

    init(_ answers: [String]) {
        state = Mutex((answers[...], []))
    }

    var requests: [String] { state.withLock { $0.requests } }

    /// Takes a request and gives its answer, empty for none.
    func answer(to request: String) -> String {
        state.withLock { state in
            state.requests.append(request)
            return state.answers.popFirst() ?? ""
        }
    }
}

/// Answers each request of a connection as soon as its head is there.
private final class StandInHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let exchange: Exchange
    private var received = ""

    init(_ exchange: Exchange) {
        self.exchange = exchange
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        received += String(buffer: unwrapInboundIn(data))
        guard received.contains("\r\n\r\n") else { return }
        let answer = exchange.answer(to: received)
        received = ""
        guard !answer.isEmpty else { return }
        let text = answer.replacing(endOfTransmission, with: "")
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
        if answer.hasSuffix(endOfTransmission) { context.close(promise: nil) }
    }
}

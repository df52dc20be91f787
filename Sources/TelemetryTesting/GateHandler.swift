// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix
import NIOSSL

/// One connection: passes bytes to the server, and those that come back as the fault of the request says.
final class GateHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let gate: ControlPlaneGate
    private let server: SocketAddress
    private var context: ChannelHandlerContext?
    private var peer: (any Channel)?
    /// What came before the connection to the server stood.
    private var early: [ByteBuffer] = []
    private var fault = ControlPlaneGate.Fault.none
    private var isDead = false

    init(_ gate: ControlPlaneGate, to server: SocketAddress) {
        (self.gate, self.server) = (gate, server)
    }

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.certificateVerification = .none
        let connection = ClientBootstrap(group: context.eventLoop)
            .channelInitializer { [tls] peer in
                peer.eventLoop.makeCompletedFuture {
                    let ssl = try NIOSSLClientHandler(context: NIOSSLContext(configuration: tls), serverHostname: nil)
                    try peer.pipeline.syncOperations.addHandlers(ssl, ReturnHandler(handler.value))
                }
            }
            .connect(to: server)
        connection.whenSuccess { handler.value.connected($0) }
        connection.whenFailure { _ in handler.value.ended() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.context = nil
        peer?.close(promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = Self.unwrapInboundIn(data)
        if let line = Self.firstLine(bytes) { begin(gate.fault(of: line)) }
        guard !isDead else { return }
        if let peer { peer.writeAndFlush(bytes, promise: nil) } else { early.append(bytes) }
    }

    private func begin(_ fault: ControlPlaneGate.Fault) {
        self.fault = fault
        switch fault {
        case .silent: isDead = true
        case .busy(let seconds):
            isDead = true
            let fields = "Retry-After: \(seconds)\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            let answer = ByteBuffer(string: "HTTP/1.1 429 Too Many Requests\r\n\(fields)")
            context?.writeAndFlush(Self.wrapOutboundOut(answer), promise: nil)
            context?.close(promise: nil)
        case .none, .slow, .headOnly: break
        }
    }

    /// The first line where a request begins; its parts after that are JSON.
    private static func firstLine(_ bytes: ByteBuffer) -> String? {
        let text = String(buffer: bytes)
        guard ["GET ", "POST ", "PATCH "].contains(where: text.hasPrefix) else { return nil }
        return text.split(separator: "\r\n").first.map(String.init)
    }

    private func connected(_ peer: any Channel) {
        self.peer = peer
        for bytes in early { peer.write(bytes, promise: nil) }
        peer.flush()
        if context == nil { peer.close(promise: nil) }
    }

    /// Bytes of the server.
    fileprivate func answered(_ bytes: ByteBuffer) {
        switch fault {
        case .headOnly:
            let text = String(buffer: bytes)
            let end = text.firstRange(of: "\r\n\r\n")?.upperBound ?? text.endIndex
            send(ByteBuffer(string: String(text[..<end])))
            isDead = true
        case .slow(let delay):
            guard let eventLoop = context?.eventLoop else { return }
            let handler = NIOLoopBound(self, eventLoop: eventLoop)
            eventLoop.scheduleTask(in: TimeAmount(delay)) { handler.value.send(bytes) }
        case .none, .busy, .silent:
            if gate.isDead { isDead = true }
            send(bytes)
        }
    }

    /// The server closed its connection.
    fileprivate func ended() {
        if !isDead { context?.close(promise: nil) }
    }

    private func send(_ bytes: ByteBuffer) {
        if !isDead { context?.writeAndFlush(Self.wrapOutboundOut(bytes), promise: nil) }
    }
}

/// The way back.
private final class ReturnHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let front: GateHandler

    init(_ front: GateHandler) {
        self.front = front
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { front.answered(Self.unwrapInboundIn(data)) }

    func channelInactive(context: ChannelHandlerContext) { front.ended() }
}

// SPDX-License-Identifier: Apache-2.0

import HummingbirdCore
import HummingbirdHTTP2
import Logging
import NIOCore
import NIOHTTP2
import NIOHTTPTypesHTTP1
import NIOSSL

/// A connection of the public listener over TLS: HTTP/1.1 or HTTP/2, whichever its sender asks for.
///
/// Each stream of HTTP/2 is to `IngestHandler` what a connection of HTTP/1 is; what is bounded for a connection as a whole is
/// bounded by `StreamWatch`.
struct SecurePublicChannel: HTTPChannelHandler {
    /// A connection that speaks TLS, once it does.
    struct Value: ServerChildChannelValue {
        fileprivate typealias Streams = (handler: HTTP2Channel, value: HTTP2Channel.Value)

        fileprivate let negotiated: EventLoopFuture<NIONegotiatedHTTPVersion<PublicChannel.Value, Streams>>
        let channel: any Channel
    }

    /// What is spoken without HTTP/2.
    let http1: PublicChannel
    let context: NIOSSLContext

    var responder: Responder { http1.responder }

    /// Sets up the handlers of a connection that was just accepted.
    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        do {
            let connection = try http1.connection(of: channel)
            try connection.addProxyHeaderHandler(to: channel)
            try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
            try HandshakeDeadline.add(http1.reports.deadlines.head, to: channel)
            try channel.pipeline.syncOperations.addHandler(LastAnswerHandler())
            let bound = NIOLoopBound(connection, eventLoop: channel.eventLoop)
            return channel.configureHTTP2AsyncSecureUpgrade { channel in
                channel.eventLoop.makeCompletedFuture { try http1.setup(bound.value, on: channel) }
            } http2ConnectionInitializer: { channel in
                setUpStreams(of: bound, on: channel, logger)
            }.map { Value(negotiated: $0, channel: channel) }
        } catch {
            return channel.eventLoop.makeFailedFuture(error)
        }
    }

    /// Serves what is not a report.
    func handle(value: Value, logger: Logger) async {
        // Who does not get through the handshake is no news.
        switch try? await value.negotiated.get() {
        case .http1_1(let connection): await http1.handle(value: connection, logger: logger)
        case .http2(let streams): await streams.handler.handle(value: streams.value, logger: logger)
        case nil: break
        }
    }

    private func setUpStreams(
        of connection: NIOLoopBound<PublicConnection>,
        on channel: any Channel,
        _ logger: Logger
    ) -> EventLoopFuture<Value.Streams> {
        let reports = http1.reports
        let watch = StreamWatch(deadlines: reports.deadlines, largestCount: reports.limits.requests)
        let streams = NIOLoopBound(watch, eventLoop: channel.eventLoop)
        // Its handlers are made anew for each stream.
        let stream = HTTP1Channel.Configuration(
            additionalChannelHandlers: [
                HTTPToHTTP1ServerCodec(), StreamWatch.Stream(streams.value),
                IngestHandler(reports, connection.value, encoder: nil), HTTP1ToHTTPServerCodec(secure: true),
            ]
        )
        let handler = HTTP2Channel(
            responder: responder,
            configuration: .init(
                gracefulCloseTimeout: .nanoseconds(reports.deadlines.body.nanoseconds),
                streamConfiguration: stream
            )
        )
        return handler.setup(channel: channel, logger: logger).flatMapThrowing { value in
            try channel.pipeline.syncOperations.addHandler(streams.value)
            return (handler, value)
        }
    }
}

/// Sees to it that the answer to the last stream of a connection that ends goes out.
///
/// Who manages the connection closes it as soon as that stream has ended, when its answer is written and not yet flushed.
private final class LastAnswerHandler: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        context.flush()
        context.close(mode: mode, promise: promise)
    }
}

// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1

/// A connection of the public listener: HTTP/1, reports, and behind them the routes.
///
/// `IngestHandler` sees every request first and has the connection: idle time, order, shutdown. What is not for it goes on
/// through the codec to Hummingbird.
struct PublicChannel: HTTPChannelHandler {
    typealias Value = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

    /// The most header fields of a request.
    private static let mostFields = 1_000
    /// So many bytes may wait that the decoder has not read, as it reads nothing more after an upgrade.
    private static let mostUndecodedBytes = 128 * 1024

    let responder: Responder
    let reports: IngestHandler.Shared
    /// Whether it is spoken over TLS.
    let isSecure: Bool
    /// The most bytes of a request's line and header fields.
    let largestHead: Int

    /// Sets up the handlers of a connection that was just accepted.
    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            let connection = try connection(of: channel)
            try connection.addProxyHeaderHandler(to: channel)
            return try setup(connection, on: channel)
        }
    }

    /// Takes a connection, or closes it.
    func connection(of channel: any Channel) throws -> PublicConnection {
        if let connection = PublicConnection(channel, reports) { return connection }
        // Whoever accepted the connection does not close it.
        channel.close(promise: nil)
        throw ChannelError.ioOnClosedChannel
    }

    /// Sets up what speaks HTTP/1 on a connection.
    func setup(_ connection: PublicConnection, on channel: any Channel) throws -> Value {
        let pipeline = channel.pipeline.syncOperations
        let encoder = HTTPResponseEncoder()
        try pipeline.addHandler(encoder)
        try pipeline.addHandler(ByteToMessageHandler(decoder(), maximumBufferSize: Self.mostUndecodedBytes))
        try pipeline.addHandler(
            IngestHandler(reports, connection, encoder: try pipeline.context(handler: encoder))
        )
        try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: isSecure))
        return try NIOAsyncChannel(
            wrappingChannelSynchronously: channel,
            configuration: .init(isOutboundHalfClosureEnabled: true)
        )
    }

    /// Serves what is not a report.
    func handle(value: Value, logger: Logger) async {
        await handleHTTP(asyncChannel: value, logger: logger)
    }

    private func decoder() -> HTTPRequestDecoder {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = largestHead
        limits.maxHeaderListSize = largestHead
        limits.maxHeaderFieldCount = Self.mostFields
        return HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes, limitConfiguration: limits)
    }
}

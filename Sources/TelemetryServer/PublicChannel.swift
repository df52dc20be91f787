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

    /// The most bytes of a request's header fields.
    private static let largestHead = 80 * 1024
    /// The most header fields of a request.
    private static let mostFields = 1_000
    /// So many bytes may wait that the decoder has not read, as it reads nothing more after an upgrade.
    private static let mostUndecodedBytes = 128 * 1024

    let responder: Responder
    let reports: IngestHandler.Shared
    /// Whether it is spoken over TLS.
    var isSecure = false

    /// Sets up the handlers of a connection.
    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            let encoder = HTTPResponseEncoder()
            try pipeline.addHandler(encoder)
            try pipeline.addHandler(
                ByteToMessageHandler(Self.decoder(), maximumBufferSize: Self.mostUndecodedBytes)
            )
            try pipeline.addHandler(IngestHandler(reports, encoder: try pipeline.context(handler: encoder)))
            try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: isSecure))
            return try NIOAsyncChannel(
                wrappingChannelSynchronously: channel,
                configuration: .init(isOutboundHalfClosureEnabled: true)
            )
        }
    }

    /// Serves what is not a report.
    func handle(value: Value, logger: Logger) async {
        await handleHTTP(asyncChannel: value, logger: logger)
    }

    private static func decoder() -> HTTPRequestDecoder {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = largestHead
        limits.maxHeaderListSize = largestHead
        limits.maxHeaderFieldCount = mostFields
        return HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes, limitConfiguration: limits)
    }
}

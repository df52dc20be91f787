// SPDX-License-Identifier: Apache-2.0

import HummingbirdCore
import HummingbirdHTTP2
import Logging
import NIOCore
import Synchronization

/// A connection of the private listener over TLS: HTTP/2 or HTTP/1.1.
final class PrivateChannel: HTTPChannelHandler {
    typealias Value = HTTP2UpgradeChannel.Value

    /// What new connections speak; it changes with the file of the authorities whose clients are let in.
    private struct Current {
        var channel: HTTP2UpgradeChannel
        var authorities: FileState?
    }

    private let current: Mutex<Current>
    private let authorities: String?
    private let make: @Sendable () throws -> HTTP2UpgradeChannel
    /// How long a handshake may take.
    private let handshake: TimeAmount
    let responder: Responder
    private let logger: Logger

    /// A listener's connections.
    ///
    /// - Parameters:
    ///   - tls: How TLS is spoken.
    ///   - configuration: What is spoken over it.
    ///   - handshake: How long a handshake may take.
    ///   - logger: Where it is said that the authorities have changed, or cannot be read.
    ///   - responder: What answers.
    /// - Throws: Where the files of `tls` cannot be read.
    init(
        _ tls: ListenerTLS,
        _ configuration: HTTP2ChannelConfiguration,
        handshake: TimeAmount,
        logger: Logger,
        responder: @escaping Responder
    ) throws {
        let make = { @Sendable in
            // It reads the file of the authorities.
            try HTTP2UpgradeChannel(
                tlsConfiguration: tls.configuration,
                configuration: configuration,
                responder: responder
            )
        }
        authorities = tls.clientAuthorities
        let state = authorities.flatMap(FileState.init(of:))
        current = Mutex(Current(channel: try make(), authorities: state))
        self.make = make
        self.handshake = handshake
        self.responder = responder
        self.logger = logger
    }

    /// Sets up the handlers of a connection that was just accepted.
    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        let value = latest().setup(channel: channel, logger: logger)
        do {
            try HandshakeDeadline.add(handshake, to: channel)
            return value
        } catch {
            return channel.eventLoop.makeFailedFuture(error)
        }
    }

    /// What a new connection speaks.
    private func latest() -> HTTP2UpgradeChannel {
        current.withLock { current in
            guard let authorities else { return current.channel }
            let state = FileState(of: authorities)
            guard state != current.authorities else { return current.channel }
            current.authorities = state
            do {
                current.channel = try make()
                logger.notice("new connections are let in by other authorities", metadata: ["path": "\(authorities)"])
            } catch {
                logger.error(
                    "the authorities of clients cannot be read; those from before let in",
                    metadata: ["path": "\(authorities)"]
                )
            }
            return current.channel
        }
    }

    /// Serves requests.
    func handle(value: Value, logger: Logger) async {
        let channel = current.withLock { $0.channel }
        await channel.handle(value: value, logger: logger)
    }
}

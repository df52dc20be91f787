// SPDX-License-Identifier: Apache-2.0

import HummingbirdCore
import HummingbirdHTTP2
import NIOCore
import NIOHTTP2
import NIOSSL

// What the two listeners speak.
extension Backend {
    /// How a listener speaks TLS; nil where it does not.
    func tls(_ files: TLSFiles?) throws -> ListenerTLS? {
        try files.map { try ListenerTLS($0, every: settings.certificateInterval, logger: logger) }
    }

    /// Takes reports, and has the rest answered by the routes; HTTP/1.1, and with TLS also HTTP/2.
    func publicServer(_ tls: ListenerTLS?) throws -> HTTPServerBuilder {
        let context = try tls.map { try NIOSSLContext(configuration: $0.configuration.withHTTP2) }
        return HTTPServerBuilder { [reports, settings] responder in
            let plain = PublicChannel(
                responder: responder,
                reports: reports,
                isSecure: context != nil,
                largestHead: settings.connections.largestHead
            )
            return context.map { SecurePublicChannel(http1: plain, context: $0) } ?? plain
        }
    }

    /// HTTP/1.1, and with TLS also HTTP/2.
    func adminServer(_ tls: ListenerTLS?) throws -> HTTPServerBuilder {
        let idleTimeout = settings.connections.idleTimeoutSeconds
        let plain = HTTP1Channel.Configuration(idleTimeout: .seconds(Int64(idleTimeout)))
        guard let tls else { return .http1(configuration: plain) }
        let configuration = HTTP2ChannelConfiguration(
            idleTimeout: .seconds(idleTimeout),
            streamConfiguration: plain
        )
        return HTTPServerBuilder { [settings, logger] responder in
            try PrivateChannel(
                tls,
                configuration,
                handshake: SenderDeadlines(settings.connections).head,
                logger: logger,
                responder: responder
            )
        }
    }
}

extension TLSConfiguration {
    /// The same, with HTTP/2 where the client has it.
    fileprivate var withHTTP2: TLSConfiguration {
        var configuration = self
        configuration.applicationProtocols = NIOHTTP2SupportedALPNProtocols
        return configuration
    }
}

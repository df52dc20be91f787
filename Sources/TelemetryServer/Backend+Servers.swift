// SPDX-License-Identifier: Apache-2.0

import HummingbirdCore
import HummingbirdHTTP2
import HummingbirdTLS
import NIOCore
import NIOSSL

// What the two listeners speak.
extension Backend {
    /// How a listener speaks TLS; nil where it does not.
    func tls(_ files: TLSFiles?) throws -> ListenerTLS? {
        try files.map { try ListenerTLS($0, every: settings.certificateInterval, logger: logger) }
    }

    /// Takes reports, and has the rest answered by the routes; HTTP/1.1 alone, as reports are read by a handler for that.
    func publicServer(_ tls: ListenerTLS?) throws -> HTTPServerBuilder {
        let server = HTTPServerBuilder { [reports, settings] responder in
            PublicChannel(
                responder: responder,
                reports: reports,
                isSecure: tls != nil,
                largestHead: settings.connections.largestHead
            )
        }
        guard var configuration = tls?.configuration else { return server }
        configuration.applicationProtocols = ["http/1.1"]
        return try .tls(server, tlsConfiguration: configuration)
    }

    /// HTTP/1.1, and with TLS also HTTP/2.
    func adminServer(_ tls: ListenerTLS?) throws -> HTTPServerBuilder {
        let idleTimeout = settings.connections.idleTimeoutSeconds
        let plain = HTTP1Channel.Configuration(idleTimeout: .seconds(Int64(idleTimeout)))
        guard let tls else { return .http1(configuration: plain) }
        return try .http2Upgrade(
            tlsConfiguration: tls.configuration,
            configuration: .init(idleTimeout: .seconds(idleTimeout), streamConfiguration: plain)
        )
    }
}

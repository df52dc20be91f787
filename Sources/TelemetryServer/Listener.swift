// SPDX-License-Identifier: Apache-2.0

import Foundation
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import ServiceLifecycle

/// One listener: an address, and what answers there.
struct Listener: Service {
    private let address: ListenAddress
    private let application: any Service

    /// The most connections of a private listener.
    static let mostPrivate = 128

    /// A listener that tells the port it got, with so many connections at the most, or any number.
    ///
    /// What the libraries call errors are connections that break off, which is no news here.
    init(
        _ endpoints: Endpoints,
        _ server: HTTPServerBuilder,
        at address: ListenAddress,
        _ logger: Logger,
        most: Int? = nil,
        onPort: @escaping @Sendable (Int) -> Void
    ) {
        self.address = address
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .critical)
        application = Application(
            responder: endpoints,
            server: server,
            configuration: .init(
                address: .hostname(address.host, port: address.port),
                serverName: nil,
                // More wait to be accepted.
                availableConnectionsDelegate: most.map { MaximumAvailableConnections($0, logger: quiet) }
            ),
            onServerRunning: { channel in
                let added = channel.eventLoop.submit {
                    try channel.pipeline.syncOperations.addHandler(AcceptHandler(logger: logger), position: .first)
                }
                try? await added.get()
                onPort(channel.localAddress?.port ?? address.port)
            },
            logger: quiet
        )
    }

    func run() async throws {
        do {
            try await application.run()
        } catch let error as IOError {
            throw BackendError.cannotListen(address, reason: String(cString: strerror(error.errnoCode)))
        } catch is SocketAddressError.UnknownHost {
            throw BackendError.cannotListen(address, reason: "there is no such host")
        }
    }
}

extension Endpoints {
    /// Answers `/metrics` with what was counted.
    mutating func onMetrics(of registry: MetricsRegistry) {
        on(.get, "/metrics") { _ in
            var response = Response.text(registry.text())
            response.headers[.contentType] = "text/plain; version=0.0.4; charset=utf-8"
            return response
        }
    }

    /// Answers `/healthz` while the process lives, and `/readyz` where it can do its work.
    mutating func onHealth(isReady: @escaping @Sendable () async throws -> Void) {
        on(.get, "/healthz") { _ in .text("ok\n") }
        on(.get, "/readyz") { _ in
            try await isReady()
            return .text("ok\n")
        }
    }
}

extension Endpoints {
    /// Answers `/openapi.yaml` with what both listeners answer, for programs.
    mutating func onDocument() {
        let document = ByteBuffer(bytes: PackageResources.openapi_yaml)
        on(.get, "/openapi.yaml") { _ in
            // RFC 9512.
            Response(status: .ok, headers: [.contentType: "application/yaml"], body: ResponseBody(byteBuffer: document))
        }
    }
}

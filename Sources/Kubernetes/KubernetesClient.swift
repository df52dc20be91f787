// SPDX-License-Identifier: Apache-2.0

public import AsyncHTTPClient
public import Logging
public import NIOCore
import NIOHTTPCompression
import NIOSSL

/// Calls to the API of one Kubernetes cluster.
///
/// Every call ends by a deadline, with an answer or a `KubernetesError`.
public struct KubernetesClient: Sendable {
    /// How long calls take and how much they bring, at most.
    public struct Limits: Sendable {
        /// To establish a connection.
        public var connect: Duration
        /// For a whole call but a watch, connection included.
        public var call: Duration
        /// For a whole list, with all of its pages and the waits between them.
        public var list: Duration
        /// For one watch; the server is asked to end it then, and a connection that says nothing for 15 s longer is cut.
        public var watch: Duration
        /// Bytes of one answer, unpacked.
        public var responseBytes: Int
        /// Bytes of one object of a list, and of what a list has beside its objects.
        public var itemBytes: Int

        /// Limits that suit a busy API server.
        public init(
            connect: Duration = .seconds(5),
            call: Duration = .seconds(30),
            list: Duration = .seconds(180),
            watch: Duration = .seconds(300),
            responseBytes: Int = 64 << 20,
            itemBytes: Int = 8 << 20
        ) {
            self.connect = connect
            self.call = call
            self.list = list
            self.watch = watch
            self.responseBytes = responseBytes
            self.itemBytes = itemBytes
        }
    }

    var transport: Transport

    /// A client with connections of its own, which `shutdown()` closes.
    ///
    /// - Throws: `KubernetesConfigurationError.invalid` where certificates or keys are none.
    public init(
        configuration: KubernetesConfiguration,
        limits: Limits = Limits(),
        eventLoopGroup: any EventLoopGroup = HTTPClient.defaultEventLoopGroup,
        logger: Logger? = nil
    ) throws(KubernetesConfigurationError) {
        var settings = HTTPClient.Configuration(tlsConfiguration: try configuration.tlsConfiguration())
        settings.redirectConfiguration = .disallow
        settings.timeout.connect = .nanoseconds(limits.connect.nanoseconds)
        settings.timeout.read = .nanoseconds((max(limits.watch, limits.call) + .seconds(15)).nanoseconds)
        settings.decompression = .enabled(limit: .size(limits.responseBytes))
        settings.dnsOverride = configuration.dnsOverride
        // HTTP/2 multiplexes calls over one connection and does not notice for long when it is dead.
        settings.httpVersion = .http1Only
        // Watches keep their connections; calls must not wait for them.
        settings.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 32
        // A refused connection is an answer; the caller knows when to ask again.
        settings.connectionPool.retryConnectionEstablishment = false
        let http: HTTPClient
        if let logger {
            http = HTTPClient(eventLoopGroup: eventLoopGroup, configuration: settings, backgroundActivityLogger: logger)
        } else {
            http = HTTPClient(eventLoopGroup: eventLoopGroup, configuration: settings)
        }
        transport = Transport(configuration: configuration, limits: limits, http: http)
    }

    /// Closes the connections.
    ///
    /// No call may be made any more.
    public func shutdown() async throws {
        try await transport.http.shutdown()
    }

    /// Runs a body with a client and closes its connections at the end.
    public static func withClient<Result>(
        configuration: KubernetesConfiguration,
        limits: Limits = Limits(),
        logger: Logger? = nil,
        isolation: isolated (any Actor)? = #isolation,
        _ body: (KubernetesClient) async throws -> Result
    ) async throws -> Result {
        let client = try KubernetesClient(configuration: configuration, limits: limits, logger: logger)
        do {
            let result = try await body(client)
            try await client.shutdown()
            return result
        } catch {
            // What went wrong first is what is reported.
            try? await client.shutdown()
            throw error
        }
    }

    /// The namespace that the configuration names.
    public var namespace: String { transport.configuration.namespace }

    /// The server's version, its `gitVersion`: `v1.31.4`.
    public func version() async throws -> String {
        struct Version: Decodable { let gitVersion: String }
        return try await transport.decode(Version.self, from: .init(path: "/version")).gitVersion
    }

    /// Whether the server serves a resource.
    ///
    /// A group that it does not know is a no, too; an error is only what leaves it open.
    public func serves<Object>(_ resource: Resource<Object>) async throws -> Bool {
        do {
            let list = try await transport.decode(ServedResources.self, from: .init(path: resource.groupPath))
            return list.resources.contains { $0.name == resource.plural }
        } catch KubernetesError.notFound {
            return false
        }
    }

    /// One object.
    public func get<Object>(
        _ resource: Resource<Object>,
        namespace: String? = nil,
        name: String
    ) async throws -> Object {
        let path = resource.path(namespace: namespace, name: name)
        return try await transport.decode(
            Object.self,
            from: .init(path: path, accept: resource.accept(list: false))
        )
    }
}

/// What a server serves of a group's version: `APIResourceList` of `meta/v1`.
private struct ServedResources: Decodable {
    struct Entry: Decodable { let name: String }
    let resources: [Entry]
}

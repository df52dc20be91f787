// SPDX-License-Identifier: Apache-2.0

public import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOSSL

/// How connections to the endpoint are made: deadlines, TLS, proxy.
public struct DeliveryTransport: Sendable {
    /// For a connection: to the endpoint or the proxy, through the proxy, and TLS, all in all.
    var connectLimit = Duration.seconds(5)

    private let tls: TLSConfiguration
    private let proxy: Proxy?

    /// The way to an endpoint.
    ///
    /// Files are read now.
    ///
    /// - Parameters:
    ///   - endpoint: The http or https URL that reports go to.
    ///   - environment: The environment, of which the proxy variables are read.
    ///   - authorities: A PEM file with the authorities that are trusted, in place of those of the system.
    ///   - certificate: A PEM file with the certificate to show, and those that lead to its authority.
    ///   - key: A PEM file with its private key; nil where that is in the same file.
    /// - Throws: `DeliveryConfigurationError`.
    public init(
        to endpoint: String,
        environment: [String: String] = [:],
        authorities: String? = nil,
        certificate: String? = nil,
        key: String? = nil
    ) throws(DeliveryConfigurationError) {
        guard AgentSettings.isEndpoint(endpoint) else { throw .invalidEndpoint }
        guard certificate != nil || key == nil else { throw .keyWithoutCertificate }
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv12
        if let authorities { tls.trustRoots = .certificates(try Self.certificates(authorities)) }
        if let certificate {
            tls.certificateChain = try Self.certificates(certificate).map { .certificate($0) }
            tls.privateKey = .privateKey(try Self.key(key ?? certificate))
            guard (try? NIOSSLContext(configuration: tls)) != nil else {
                throw .invalid(file: key ?? certificate, reason: "has not the key of the certificate in \(certificate)")
            }
        }
        self.tls = tls
        proxy = try ProxyEnvironment(environment).proxy(for: endpoint)
        // The TLS library compares such a certificate with the address that it is connected to, which is the proxy's.
        if proxy != nil, Self.isSecureAddress(endpoint) { throw .addressThroughProxy }
    }

    /// How the HTTP client has to be.
    ///
    /// One connection is enough, as requests go one after the other; nothing is tried twice and redirects are not followed.
    public var httpClientConfiguration: HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration(
            tlsConfiguration: tls,
            redirectConfiguration: .disallow,
            connectionPool: .init(idleTimeout: .seconds(15), concurrentHTTP1ConnectionsPerHostSoftLimit: 1),
            proxy: proxy.map { proxy in
                .server(
                    host: proxy.host,
                    port: proxy.port,
                    authorization: proxy.credentials.map { .basic(credentials: Data($0.utf8).base64EncodedString()) }
                )
            }
        )
        configuration.timeout.connect = TimeAmount(connectLimit)
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.httpVersion = .http1Only
        return configuration
    }

    private static func isSecureAddress(_ endpoint: String) -> Bool {
        guard let url = URLComponents(string: endpoint), let host = url.host else { return false }
        return url.scheme?.lowercased() == "https" && NoProxy.address(unbracketed(host)) != nil
    }

    private static func certificates(_ file: String) throws(DeliveryConfigurationError) -> [NIOSSLCertificate] {
        let bytes = try bytes(file)
        guard let certificates = try? NIOSSLCertificate.fromPEMBytes(bytes), !certificates.isEmpty else {
            throw .invalid(file: file, reason: "has no certificate in PEM form")
        }
        return certificates
    }

    private static func key(_ file: String) throws(DeliveryConfigurationError) -> NIOSSLPrivateKey {
        let bytes = try bytes(file)
        guard let key = try? NIOSSLPrivateKey(bytes: bytes, format: .pem, passphraseCallback: { $0("".utf8) }) else {
            throw .invalid(file: file, reason: "has no private key in PEM form, or one that is locked")
        }
        return key
    }

    private static func bytes(_ file: String) throws(DeliveryConfigurationError) -> [UInt8] {
        do {
            return Array(try Data(contentsOf: URL(filePath: file)))
        } catch {
            throw .unreadable(file: file, reason: Self.reason(error))
        }
    }

    private static func reason(_ error: any Error) -> String {
        switch (error as? CocoaError)?.code {
        case .fileReadNoSuchFile, .fileNoSuchFile: "there is no such file"
        case .fileReadNoPermission: "it may not be read"
        default: "it is not a file that can be read"
        }
    }
}

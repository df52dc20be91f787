// SPDX-License-Identifier: Apache-2.0

import Foundation
import Logging
import NIOCertificateReloading
import NIOCore
import NIOSSL
import ServiceLifecycle
import Synchronization

/// The files that a listener speaks TLS with.
public struct TLSFiles: Equatable, Sendable {
    /// The certificate and those between it and the authority, PEM.
    public var certificate: String
    /// Its private key, PEM.
    public var key: String
    /// The authorities whose clients are let in, PEM; nil where clients need no certificate.
    public var clientAuthorities: String?

    /// The files of a listener.
    public init(certificate: String, key: String, clientAuthorities: String? = nil) {
        self.certificate = certificate
        self.key = key
        self.clientAuthorities = clientAuthorities
    }
}

/// How a listener speaks TLS: 1.2 and 1.3, with a certificate that is read anew from time to time.
///
/// Connections that are there go on with the certificate that they began with.
struct ListenerTLS: Service {
    let configuration: TLSConfiguration
    /// The file of the authorities whose clients are let in; nil where clients need no certificate.
    let clientAuthorities: String?
    private let reloader: TimedCertificateReloader

    /// What TLS 1.2 may use: ephemeral keys and authenticated encryption (RFC 9325, 4.2).
    private static let ciphers: [NIOTLSCipher] = [
        .TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, .TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        .TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, .TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        .TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, .TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    ]

    /// Reads the files.
    ///
    /// - Parameters:
    ///   - files: The files.
    ///   - interval: How often they are looked at.
    ///   - logger: Where it is said that a certificate was changed, or could not be read.
    /// - Throws: `BackendError.cannotSpeakTLS`.
    init(_ files: TLSFiles, every interval: Duration, logger: Logger) throws(BackendError) {
        clientAuthorities = files.clientAuthorities
        let report = ReloadReport(path: files.certificate, logger: logger)
        do {
            reloader = try TimedCertificateReloader.makeReloaderValidatingSources(
                configuration: .init(
                    refreshInterval: interval,
                    certificateSource: .init(location: .file(path: files.certificate), format: .pem),
                    privateKeySource: .init(location: .file(path: files.key), format: .pem)
                ) { configuration in
                    configuration.onCertificateLoaded = report.loaded
                    configuration.onCertificateLoadFailed = { report.failed($0.error) }
                }
            )
            var tls = try TLSConfiguration.makeServerConfiguration(certificateReloader: reloader)
            tls.minimumTLSVersion = .tlsv12
            tls.cipherSuiteValues = Self.ciphers
            // Everything is said by then; all that is waited for is that the other side has heard so.
            tls.shutdownTimeout = .seconds(1)
            if let authorities = files.clientAuthorities {
                tls.certificateVerification = .noHostnameVerification
                tls.trustRoots = .file(authorities)
            }
            // Made here once, so that what is wrong is known before anything listens.
            _ = try NIOSSLContext(configuration: tls)
            configuration = tls
        } catch {
            throw .cannotSpeakTLS(files, reason: Self.reason(of: error))
        }
    }

    func run() async throws { try await reloader.run() }

    /// What an error says; of those that are not ours only what they are, as they might quote a key.
    fileprivate static func reason(of error: any Error) -> String {
        (error as? TimedCertificateReloader.Error)?.description ?? "\(type(of: error))"
    }
}

/// Says once what becomes of a certificate that is read again and again.
private final class ReloadReport: Sendable {
    private let path: String
    private let logger: Logger
    private let lastFailure = Mutex<String?>(nil)

    init(path: String, logger: Logger) {
        self.path = path
        self.logger = logger
    }

    /// A certificate was read.
    @Sendable func loaded(_ change: TimedCertificateReloader.CertificateChainAndKeyPairReloadDiff) {
        lastFailure.withLock { $0 = nil }
        guard let previous = change.previousX509CertificateChain, previous != change.currentX509CertificateChain else {
            return
        }
        logger.notice("new connections get another certificate", metadata: ["path": "\(path)"])
    }

    /// A certificate could not be read.
    func failed(_ error: any Error) {
        let reason = ListenerTLS.reason(of: error)
        let isNews = lastFailure.withLock { last in
            defer { last = reason }
            return last != reason
        }
        guard isNews else { return }
        logger.error(
            "a certificate or its key cannot be read; the one from before is used on",
            metadata: ["path": "\(path)", "reason": "\(reason)"]
        )
    }
}

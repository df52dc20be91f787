// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import NIOSSL

extension KubernetesConfiguration {
    /// TLS as the configuration asks for it: the server's certificate is verified unless it says not to.
    func tlsConfiguration() throws(KubernetesConfigurationError) -> TLSConfiguration {
        var tls = TLSConfiguration.makeClientConfiguration()
        switch certificateAuthority {
        case .system: break
        case .unchecked: tls.certificateVerification = .none
        case .certificates(let pem): tls.trustRoots = .certificates(try pem.certificates())
        }
        if let clientCertificate {
            tls.certificateChain = try clientCertificate.chain.certificates().map { .certificate($0) }
            tls.privateKey = .privateKey(try clientCertificate.key.privateKey())
        }
        return tls
    }

    /// The URL that requests go to: with the TLS server name for a host where one is set, so that it is the name that
    /// is sent (SNI) and verified.
    ///
    /// `dnsOverride` leads it back to the server.
    var requestBase: String {
        guard let tlsServerName, var url = URLComponents(string: server) else { return server }
        url.host = tlsServerName
        return url.string ?? server
    }

    /// Where to connect to instead of the TLS server name.
    var dnsOverride: [String: String] {
        guard let tlsServerName, let host = URLComponents(string: server)?.host else { return [:] }
        return [tlsServerName: host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host]
    }
}

extension KubernetesConfiguration.PEM {
    /// The certificates in the text; at least one.
    fileprivate func certificates() throws(KubernetesConfigurationError) -> [NIOSSLCertificate] {
        guard let certificates = try? NIOSSLCertificate.fromPEMBytes(bytes), !certificates.isEmpty else {
            throw .invalid(field: field, of: owner, file: file, reason: "has no certificate in PEM form")
        }
        return certificates
    }

    /// The private key in the text.
    fileprivate func privateKey() throws(KubernetesConfigurationError) -> NIOSSLPrivateKey {
        guard let key = try? NIOSSLPrivateKey(bytes: bytes, format: .pem) else {
            throw .invalid(field: field, of: owner, file: file, reason: "has no unlocked private key in PEM form")
        }
        return key
    }
}

// SPDX-License-Identifier: Apache-2.0

/// How to reach an API server, and as whom.
///
/// Its description never has a token or a key in it.
public struct KubernetesConfiguration: Sendable, CustomStringConvertible, CustomReflectable {
    /// A bearer token, or where to find it.
    public enum BearerToken: Equatable, Sendable {
        case none
        case text(String)
        /// The path of a file that is read for every request, because it is replaced while the process runs.
        case file(String)
    }

    /// PEM text and the words that errors name it by.
    public struct PEM: Equatable, Sendable {
        /// The text.
        public let bytes: [UInt8]
        /// The field that it comes from, `client-certificate-data`.
        public let field: String
        /// The entry that has the field, `user "admin"`.
        public let owner: String
        /// The file that the entry stands in.
        public let file: String
    }

    /// A certificate chain, the leaf first, and the leaf's private key.
    public struct ClientCertificate: Equatable, Sendable {
        /// The chain.
        public let chain: PEM
        /// The key.
        public let key: PEM
    }

    /// Who may have signed the server's certificate.
    public enum CertificateAuthority: Equatable, Sendable {
        /// Any authority that the system trusts.
        case system
        /// These authorities and no other.
        case certificates(PEM)
        /// Anybody: the certificate is not looked at (`insecure-skip-tls-verify`).
        case unchecked
    }

    /// The server's URL without a slash at its end.
    public var server: String
    /// The namespace that the configuration names, `default` where it names none.
    public var namespace: String
    /// The namespace of the pod that this process runs in, where the configuration is that of its service account.
    public internal(set) var podNamespace: String?
    /// The bearer token.
    public var token: BearerToken
    /// The client certificate.
    public var clientCertificate: ClientCertificate?
    /// Who may have signed the server's certificate.
    public var certificateAuthority: CertificateAuthority
    /// The name in the server's certificate, where it is not the host of the URL.
    public var tlsServerName: String?

    /// A configuration for a server, without credentials and with the system's authorities unless they are given.
    public init(
        server: String,
        namespace: String = "default",
        token: BearerToken = .none,
        clientCertificate: ClientCertificate? = nil,
        certificateAuthority: CertificateAuthority = .system,
        tlsServerName: String? = nil
    ) {
        self.server = server
        self.namespace = namespace
        self.token = token
        self.clientCertificate = clientCertificate
        self.certificateAuthority = certificateAuthority
        self.tlsServerName = tlsServerName
    }

    /// The server and the kind of the credentials.
    public var description: String {
        var credentials: [String] = []
        switch token {
        case .none: break
        case .text: credentials.append("a token")
        case .file(let path): credentials.append("the token in \(path)")
        }
        if clientCertificate != nil { credentials.append("a client certificate") }
        return "\(server) with \(credentials.isEmpty ? "no credentials" : credentials.joined(separator: " and "))"
    }

    /// Only what the description says, so that a dump has no secrets in it either.
    public var customMirror: Mirror { Mirror(self, children: ["description": description]) }
}

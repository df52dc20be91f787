// SPDX-License-Identifier: Apache-2.0

import NIOSSL
import TelemetryTesting
import Testing

/// An authority, a server's certificate for `telemetry.test` and the loopback addresses, one for the name alone, and a
/// client's, in a directory.
struct TestCertificates {
    let directory: TemporaryDirectory

    /// Makes them with openssl.
    init() async throws {
        directory = try TemporaryDirectory()
        let script = """
            set -e
            cd "$0"
            new="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
            printf 'subjectAltName=DNS:telemetry.test,IP:127.0.0.1,IP:::1\n' > server.ext
            printf 'subjectAltName=DNS:telemetry.test\n' > named.ext
            printf 'subjectAltName=IP:::1\n' > six.ext
            printf 'extendedKeyUsage=clientAuth\n' > client.ext
            for authority in ca other; do
              openssl req -x509 $new -days 2 -keyout $authority.key -out $authority.crt -subj /CN=$authority
            done
            for name in server named six client; do
              openssl req $new -keyout $name.key -out $name.csr -subj /CN=$name
              openssl x509 -req -in $name.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -out $name.crt -extfile $name.ext
            done
            openssl pkey -in client.key -aes256 -passout pass:secret -out locked.key
            cat client.key client.crt > both.pem
            """
        let ending = try await RunningProgram(command: ["sh", "-c", script, directory.path]).ending()
        try #require(ending.status == 0, "\(ending.errors)")
    }

    /// The path of a file: `ca`, `other`, `server`, `named`, `client` with `.crt` and `.key`, `locked.key`, `both.pem`.
    func path(_ name: String) -> String { directory.path + "/" + name }

    /// How a server speaks TLS.
    func server(
        named name: String = "server",
        requiringClients isRequiring: Bool = false,
        upTo latest: TLSVersion = .tlsv13
    ) throws -> NIOSSLContext {
        var tls = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(path("\(name).crt")).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: path("\(name).key"), format: .pem))
        )
        tls.minimumTLSVersion = .tlsv1
        tls.maximumTLSVersion = latest
        if isRequiring {
            tls.certificateVerification = .noHostnameVerification
            tls.trustRoots = .file(path("ca.crt"))
        }
        return try NIOSSLContext(configuration: tls)
    }
}

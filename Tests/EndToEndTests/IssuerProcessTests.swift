// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Foundation
import JWTKit
import NIOCore
import NIOHTTP1
import TelemetryTesting
import Testing

@Suite("A backend with an issuer and certificates")
struct IssuerProcessTests {
    private let directory: TemporaryDirectory
    private let elsewhere: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        elsewhere = try TemporaryDirectory()
    }

    private struct Claims: JWTPayload {
        let iss: String
        let aud: String
        var sub = "somebody"
        var exp = Date.now.timeIntervalSince1970 + 300
        let realm_access: [String: [String]]

        func verify(using algorithm: some JWTAlgorithm) async throws {}
    }

    /// A new RSA key, which is what Keycloak signs with.
    private func key() async throws -> Insecure.RSA.PrivateKey {
        let made = try await RunningProgram(command: ["openssl", "genrsa", "2048"]).ending()
        return try Insecure.RSA.PrivateKey(pem: made.output)
    }

    /// Serves the folder of an issuer on a port of its own.
    private func serveIssuer() async throws -> (program: RunningProgram, url: String) {
        let script = """
            import functools, http.server, sys
            handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[1])
            server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
            print("port", server.server_port, file=sys.stderr, flush=True)
            server.serve_forever()
            """
        let program = try RunningProgram(command: ["python3", "-c", script, elsewhere.path])
        let line = try #require(await program.line(containing: "port "))
        return (program, "http://127.0.0.1:\(line.split(separator: " ")[1])/realms/cozy")
    }

    /// Has the issuer publish a key under a name.
    private func publish(_ key: Insecure.RSA.PrivateKey, as name: String, of url: String) throws {
        let folder = elsewhere.path + "/realms/cozy"
        try FileManager.default.createDirectory(atPath: folder + "/.well-known", withIntermediateDirectories: true)
        func write(_ value: some Encodable, _ path: String) throws {
            try JSONEncoder().encode(value).write(to: URL(filePath: "\(folder)/\(path)"), options: .atomic)
        }
        try write(["issuer": url, "jwks_uri": url + "/certs"], ".well-known/openid-configuration")
        let (modulus, exponent) = try key.publicKey.getKeyPrimitives()
        func text(_ bytes: Data) -> String {
            bytes.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
        }
        let fields = ["kty": "RSA", "kid": name, "alg": "RS256", "use": "sig", "n": text(modulus), "e": text(exponent)]
        try write(["keys": [fields]], "certs")
    }

    private func token(_ key: Insecure.RSA.PrivateKey, _ name: String, _ url: String, role: String) async throws
        -> String
    {
        let keys = await JWTKeyCollection().add(rsa: key, digestAlgorithm: .sha256, kid: JWKIdentifier(string: name))
        let claims = Claims(iss: url, aud: "telemetry", realm_access: ["roles": ["cozy-telemetry-\(role)"]])
        return try await keys.sign(claims, kid: JWKIdentifier(string: name))
    }

    private func status(of server: Server, _ token: String) async throws -> UInt {
        var request = HTTPClientRequest(url: server.adminURL + "/v1/tokens")
        request.headers = ["Authorization": "Bearer \(token)"]
        return try await HTTPClient.shared.execute(request, timeout: .seconds(30)).status.code
    }

    @Test("tokens of an issuer that is asked over HTTP open what their role may; while it is down they are 503")
    func issuer() async throws {
        let (program, url) = try await serveIssuer()
        let key = try await key()
        try publish(key, as: "one", of: url)
        try await Server.with(["--oidc-issuer", url, "--oidc-audience", "telemetry"], directory: directory) {
            server async throws in
            let admin = try await token(key, "one", url, role: "admin")
            #expect(try await status(of: server, admin) == 200)
            #expect(try await status(of: server, token(key, "one", url, role: "viewer")) == 403)
            #expect(try await status(of: server, token(key, "one", url + "x", role: "admin")) == 401)
            let other = try await self.key()
            #expect(try await status(of: server, token(other, "one", url, role: "admin")) == 401)
        }
        program.signal(SIGKILL)
        _ = await program.ending()
        try await Server.with(["--oidc-issuer", url, "--oidc-audience", "telemetry"], directory: directory) {
            server async throws in
            #expect(try await status(of: server, token(key, "one", url, role: "admin")) == 503)
            let line = await server.program.line(containing: "the keys of the issuer cannot be fetched")
            #expect(line != nil)
        }
    }

    @Test("an erasure goes through a private listener that takes only clients with a certificate")
    func certificates() async throws {
        let (certificate, key) = (elsewhere.path + "/both.crt", elsewhere.path + "/both.key")
        let made = try await RunningProgram(command: [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", "/CN=both", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate,
        ]).ending()
        try #require(made.status == 0, "\(made.errors)")
        let arguments = ["--admin-tls-cert", certificate, "--admin-tls-key", key, "--admin-client-ca", certificate]
        try await Server.with(arguments, directory: directory) { server async throws in
            #expect(try await server.post(cluster: "a").status == 200)
            let url = server.adminURL.replacing("http:", with: "https:")
            let token = try await RunningProgram.run([
                "admin", "token", "create", "--role", "admin", "--data-dir", directory.path,
            ]).output.trimmingCharacters(in: .newlines)
            let erase = ["admin", "erase", "--cluster-uid", "a", "--url", url, "--ca-file", certificate]
            let environment = ["COZY_TELEMETRY_TOKEN": token]
            let refused = try await RunningProgram.run(erase, environment: environment)
            #expect(refused.status == 69, "\(refused.errors)")
            let shown = ["--client-cert", certificate, "--client-key", key]
            let erased = try await RunningProgram.run(erase + shown, environment: environment)
            #expect(erased.status == 0 && erased.output == "removed 1 sightings in 1 months\n", "\(erased.errors)")
        }
    }

    @Test(
        "settings that cannot be are 64 with what is wrong, files that cannot be used are 1 with their path",
        arguments: [
            (["--tls-cert", "/none"], 64, "tls-key"), (["--admin-client-ca", "/none"], 64, "admin-tls-cert"),
            (["--tls-cert", "/none.crt", "--tls-key", "/none.key"], 1, "/none.crt"),
            (["--oidc-issuer", "https://a.test"], 64, "oidc-audience"), (["--oidc-audience", "a"], 64, "oidc-issuer"),
            (["--oidc-issuer", "http://a.test", "--oidc-audience", "a"], 64, "https"),
            (["--oidc-issuer", "https://a.test", "--oidc-audience", "a", "--oidc-ca-file", "/none"], 64, "/none"),
        ]
    )
    func wrongSettings(arguments: [String], status: Int32, word: String) async throws {
        let ending = try await RunningProgram.run(Server.commandLine(directory) + arguments)
        #expect(ending.status == status && ending.errors.contains(word), "\(ending.errors)")
    }
}

// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOSSL
import TelemetryTesting
import Testing

@testable import TelemetryAgent

@Suite("The way to the endpoint", .serialized, .timeLimit(.minutes(1)))
struct DeliveryTransportTests {
    /// `user:pass@word` in base64.
    private let authorization = "Basic dXNlcjpwYXNzQHdvcmQ="
    private let endpoint = "https://telemetry.test"

    private func failure(_ answer: DeliveryAnswer) -> String? {
        guard case .retry(nil, .undeliverable(let reason)) = answer else { return nil }
        return reason
    }

    @Test("a report goes through a proxy with credentials, to an endpoint whose authority is in a file")
    func proxied() async throws {
        let certificates = try await TestCertificates()
        try await TelemetryReceiver.with(tls: certificates.server()) { receiver async throws in
            try await ConnectProxy.with(authorization: authorization, to: receiver.port) { proxy async throws in
                for variable in ["HTTPS_PROXY", "https_proxy"] {
                    let transport = try DeliveryTransport(
                        to: endpoint,
                        environment: [
                            variable: "http://user:pass%40word@127.0.0.1:\(proxy.port)", "NO_PROXY": "other",
                        ],
                        authorities: certificates.path("ca.crt")
                    )
                    #expect(try await Delivery.attempt(endpoint, by: transport).answer == .accepted)
                    for await head in proxy.heads {
                        #expect(head.hasPrefix("CONNECT telemetry.test:443 HTTP/1.1\r\n"))
                        break
                    }
                    for await request in receiver.requests {
                        #expect(request.body == "cozy_tenants_count 2\n")
                        #expect(request.headers["Proxy-Authorization"] == nil)
                        break
                    }
                }
            }
        }
    }

    @Test("an http endpoint has the proxy of its own variable; NO_PROXY goes around it")
    func plainEndpoint() async throws {
        try await TelemetryReceiver.with { receiver async throws in
            try await ConnectProxy.with(authorization: authorization, to: receiver.port) { proxy async throws in
                let url = "http://user:pass%40word@127.0.0.1:\(proxy.port)"
                let transport = try DeliveryTransport(to: "http://telemetry.test", environment: ["HTTP_PROXY": url])
                #expect(try await Delivery.attempt("http://telemetry.test", by: transport).answer == .accepted)
                for await head in proxy.heads {
                    #expect(head.hasPrefix("CONNECT telemetry.test:80 HTTP/1.1\r\n"))
                    break
                }
                let dead = ["HTTP_PROXY": "http://127.0.0.1:1", "NO_PROXY": "127.0.0.0/8"]
                let direct = try DeliveryTransport(to: receiver.url, environment: dead)
                #expect(try await Delivery.attempt(receiver.url, by: direct).answer == .accepted)
            }
        }
    }

    @Test("an endpoint given by its IPv6 address is reached with TLS, and only by the certificate for it")
    func addressOfVersion6() async throws {
        let certificates = try await TestCertificates()
        for (name, isTaken) in [("six", true), ("named", false)] {
            let tls = try certificates.server(named: name)
            try await TelemetryReceiver.with(host: "::1", tls: tls) { receiver async throws in
                #expect(receiver.url.hasPrefix("https://[::1]:"))
                let transport = try DeliveryTransport(to: receiver.url, authorities: certificates.path("ca.crt"))
                #expect(try await (Delivery.attempt(receiver.url, by: transport).answer == .accepted) == isTaken)
            }
        }
    }

    @Test(
        "IPv6 addresses of the endpoint and of the proxy are written as a proxy takes them",
        arguments: ["127.0.0.1", "::1"]
    )
    func proxyOfVersion6(host: String) async throws {
        try await TelemetryReceiver.with { receiver async throws in
            try await ConnectProxy.with(authorization: authorization, to: receiver.port, host: host) {
                proxy async throws in
                let proxyHost = host.contains(":") ? "[\(host)]" : host
                let environment = [
                    "HTTP_PROXY": "http://user:pass%40word@\(proxyHost):\(proxy.port)", "NO_PROXY": "::1,2001:db8::/64",
                ]
                let endpoint = "http://[2001:db8:0:1::7]:8080"
                let transport = try DeliveryTransport(to: endpoint, environment: environment)
                #expect(try await Delivery.attempt(endpoint, by: transport).answer == .accepted)
                for await head in proxy.heads {
                    #expect(head.hasPrefix("CONNECT [2001:db8:0:1::7]:8080 HTTP/1.1\r\n"))
                    break
                }
                for await request in receiver.requests {
                    #expect(request.headers["host"] == "[2001:db8:0:1::7]:8080")
                    break
                }
            }
        }
    }

    @Test("NO_PROXY goes around a proxy to an IPv6 address", arguments: ["::1", "[::1]", "0::/64", "::1/128"])
    func directToVersion6(exception: String) async throws {
        try await TelemetryReceiver.with(host: "::1") { receiver async throws in
            let dead = ["HTTP_PROXY": "http://[::1]:1", "NO_PROXY": "10.0.0.0/8,\(exception)"]
            let transport = try DeliveryTransport(to: receiver.url, environment: dead)
            #expect(try await Delivery.attempt(receiver.url, by: transport).answer == .accepted)
            let proxied = try DeliveryTransport(to: receiver.url, environment: ["HTTP_PROXY": "http://[::1]:1"])
            #expect(try await Delivery.attempt(receiver.url, by: proxied).answer != .accepted)
        }
    }

    @Test(
        "an address is not verified by the certificate of the proxy: with TLS, an endpoint has a name or no proxy",
        arguments: ["https://[::1]:8443", "https://127.0.0.1", "HTTPS://[fd00::1]/path"]
    )
    func addressThroughProxy(endpoint: String) throws {
        let environment = ["HTTPS_PROXY": "http://proxy.example:3128"]
        #expect(throws: DeliveryConfigurationError.addressThroughProxy) {
            try DeliveryTransport(to: endpoint, environment: environment)
        }
        let exceptions = ["NO_PROXY": "::1,127.0.0.1,fd00::/8"].merging(environment) { $1 }
        _ = try DeliveryTransport(to: endpoint, environment: exceptions)
        _ = try DeliveryTransport(to: "https://telemetry.example", environment: environment)
    }

    @Test("a proxy that does not take the credentials, refuses or says nothing is said without them")
    func badProxies() async throws {
        func reason(_ port: Int, _ credentials: String, limit: Duration = .seconds(20)) async throws -> String? {
            let url = "http://\(credentials)@127.0.0.1:\(port)"
            var transport = try DeliveryTransport(to: endpoint, environment: ["HTTPS_PROXY": url])
            transport.connectLimit = limit
            return failure(try await Delivery.attempt(endpoint, by: transport).answer)
        }
        try await ConnectProxy.with(authorization: authorization, to: 1) { proxy async throws in
            let reason = try await reason(proxy.port, "user:wrong")
            #expect(reason == "the proxy does not take the credentials (407)")
        }
        try await ConnectProxy.with(authorization: authorization, to: nil) { proxy async throws in
            let reason = try await reason(proxy.port, "user:pass", limit: .milliseconds(500))
            #expect(reason == "no connection in time")
        }
        try await MisbehavingEndpoint.with(.says("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")) {
            _,
            url async throws in
            let reason = try await reason(try #require(URL(string: url)?.port), "user:pass")
            #expect(reason == "the proxy does not connect to it")
        }
    }

    @Test("only the authorities in the file are trusted, and only for the name")
    func authorities() async throws {
        let certificates = try await TestCertificates()
        try await TelemetryReceiver.with(tls: certificates.server()) { receiver async throws in
            func answer(_ url: String, _ file: String?) async throws -> DeliveryAnswer {
                let transport = try DeliveryTransport(to: url, authorities: file.map(certificates.path))
                return try await Delivery.attempt(url, by: transport).answer
            }
            let trusted = try await answer(receiver.url, "ca.crt")
            #expect(trusted == .accepted)
            let unknown = "TLS: its certificate is of no authority that is trusted here; see --ca-file"
            for file in ["other.crt", nil] {
                let answer = try await answer(receiver.url, file)
                #expect(failure(answer) == unknown)
            }
        }
        try await TelemetryReceiver.with(tls: certificates.server(named: "named")) { receiver async throws in
            let transport = try DeliveryTransport(to: receiver.url, authorities: certificates.path("ca.crt"))
            let answer = try await Delivery.attempt(receiver.url, by: transport).answer
            #expect(failure(answer) == "its certificate is for another name")
        }
    }

    @Test(
        "a certificate is shown where it is asked for, its key in a file of its own or in the same",
        arguments: [true, false]
    )
    func clientCertificate(isApart: Bool) async throws {
        let certificates = try await TestCertificates()
        try await TelemetryReceiver.with(tls: certificates.server(requiringClients: true)) { receiver async throws in
            let transport = try DeliveryTransport(
                to: receiver.url,
                authorities: certificates.path("ca.crt"),
                certificate: certificates.path(isApart ? "client.crt" : "both.pem"),
                key: isApart ? certificates.path("client.key") : nil
            )
            let answer = try await Delivery.attempt(receiver.url, by: transport).answer
            #expect(answer == .accepted)
            let without = try DeliveryTransport(to: receiver.url, authorities: certificates.path("ca.crt"))
            let refused = try await Delivery.attempt(receiver.url, by: without).answer
            #expect(failure(refused) == "TLS: it wants a client certificate; see --client-cert")
        }
    }

    @Test("TLS before 1.2 is not spoken")
    func oldTLS() async throws {
        let certificates = try await TestCertificates()
        let old = try certificates.server(upTo: .tlsv11)
        try await TelemetryReceiver.with(tls: old) { receiver async throws in
            let transport = try DeliveryTransport(to: receiver.url, authorities: certificates.path("ca.crt"))
            let answer = try await Delivery.attempt(receiver.url, by: transport).answer
            #expect(failure(answer) == "TLS: it speaks no version from 1.2 on")
        }
    }

    @Test("files that cannot be used are named, with what is wrong")
    func files() async throws {
        let certificates = try await TestCertificates()
        func path(_ name: String) -> String { certificates.path(name) }
        func error(
            authorities: String? = nil,
            certificate: String? = nil,
            key: String? = nil
        ) -> DeliveryConfigurationError? {
            #expect(throws: DeliveryConfigurationError.self) {
                try DeliveryTransport(
                    to: endpoint,
                    authorities: authorities.map(path),
                    certificate: certificate.map(path),
                    key: key.map(path)
                )
            }
        }
        #expect(error(authorities: "none") == .unreadable(file: path("none"), reason: "there is no such file"))
        #expect(error(authorities: "") == .unreadable(file: path(""), reason: "it is not a file that can be read"))
        let noCertificate = DeliveryConfigurationError.invalid(
            file: path("ca.key"),
            reason: "has no certificate in PEM form"
        )
        #expect(error(authorities: "ca.key") == noCertificate)
        #expect(error(key: "client.key") == .keyWithoutCertificate)
        let noKey = "has no private key in PEM form, or one that is locked"
        #expect(error(certificate: "client.crt") == .invalid(file: path("client.crt"), reason: noKey))
        #expect(
            error(certificate: "client.crt", key: "locked.key") == .invalid(file: path("locked.key"), reason: noKey)
        )
        let otherKey = "has not the key of the certificate in \(path("client.crt"))"
        #expect(
            error(certificate: "client.crt", key: "server.key") == .invalid(file: path("server.key"), reason: otherKey)
        )
    }
}

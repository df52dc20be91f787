// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TelemetryAgent

@Suite("Proxies in the environment")
struct ProxyEnvironmentTests {
    private let proxyURL = "http://user:pass%40word@proxy.example:3128"

    private func proxy(_ endpoint: String, _ environment: [String: String]) throws -> Proxy? {
        try ProxyEnvironment(environment).proxy(for: endpoint)
    }

    @Test("each scheme has its variable, upper case comes before lower case, and an empty one is none")
    func variables() throws {
        let proxy = Proxy(host: "proxy.example", port: 3_128, credentials: "user:pass@word")
        #expect(try self.proxy("https://a.example", ["HTTPS_PROXY": proxyURL]) == proxy)
        #expect(try self.proxy("https://a.example", ["https_proxy": proxyURL]) == proxy)
        #expect(try self.proxy("https://a.example", ["HTTPS_PROXY": "", "https_proxy": proxyURL]) == proxy)
        #expect(try self.proxy("https://a.example", ["HTTPS_PROXY": proxyURL, "https_proxy": "other"]) == proxy)
        #expect(try self.proxy("http://a.example", ["HTTP_PROXY": proxyURL]) == proxy)
        #expect(try self.proxy("https://a.example", ["HTTP_PROXY": proxyURL]) == nil)
        #expect(try self.proxy("http://a.example", ["HTTPS_PROXY": proxyURL]) == nil)
        #expect(try self.proxy("https://a.example", [:]) == nil)
    }

    @Test(
        "forms of a proxy",
        arguments: [
            ("proxy", "proxy", 80), ("proxy:8080", "proxy", 8_080), ("http://10.0.0.1:3128/", "10.0.0.1", 3_128),
            ("http://[fd00::1]:3128", "fd00::1", 3_128), ("HTTP://proxy", "proxy", 80),
        ]
    )
    func forms(text: String, host: String, port: Int) throws {
        let expected = Proxy(host: host, port: port, credentials: nil)
        #expect(try proxy("https://a.example", ["HTTPS_PROXY": text]) == expected)
    }

    @Test(
        "what is no HTTP proxy is an error that names the variable and not its value",
        arguments: [
            "https://proxy:1", "socks5://proxy:1", "http://:80", "http://proxy/path", "http://proxy:0",
            "http://proxy:99999",
            "http://secret@ bad",
        ]
    )
    func unusable(text: String) {
        let error = #expect(throws: DeliveryConfigurationError.invalidProxy(variable: "https_proxy")) {
            try proxy("https://a.example", ["https_proxy": text])
        }
        #expect(error?.description.contains(text) == false)
    }

    @Test("nothing of the credentials is in what is printed or dumped of a proxy")
    func secrecy() throws {
        let proxy = try #require(try proxy("https://a.example", ["HTTPS_PROXY": proxyURL]))
        var dumped = ""
        dump(proxy, to: &dumped)
        for text in ["\(proxy)", String(reflecting: proxy), dumped] { #expect(!text.contains("word")) }
    }

    @Test(
        "NO_PROXY",
        arguments: [
            ("*", "https://a.example", true), ("", "https://a.example", false),
            ("b.example", "https://a.example", false),
            ("a.example", "https://a.example", true), ("A.Example", "https://a.example", true),
            ("a.example", "https://a.example.", true), ("example", "https://a.example", true),
            ("xample", "https://a.example", false), (".example", "https://a.example", true),
            (".a.example", "https://a.example", false), ("*.example", "https://a.example", true),
            ("b, a.example ,c", "https://a.example", true), ("b a.example", "https://a.example", true),
            ("a.example:443", "https://a.example", true), ("a.example:8443", "https://a.example", false),
            ("a.example:8443", "https://a.example:8443", true), (".example:443", "https://a.example", true),
            ("10.1.2.3", "https://10.1.2.3", true), ("10.1.2.3:80", "https://10.1.2.3", false),
            ("10.1.2.3:443", "https://10.1.2.3", true), ("10.0.0.0/8", "https://10.1.2.3", true),
            ("10.2.0.0/15", "https://10.1.2.3", false), ("10.1.2.0/31", "https://10.1.2.3", false),
            ("10.1.2.2/31", "https://10.1.2.3", true), ("0.0.0.0/0", "https://10.1.2.3", true),
            ("10.0.0.0/33", "https://10.1.2.3", false), ("0.0.0.0/0", "https://[fd00::1]", false),
            ("fd00::1", "https://[fd00::1]", true), ("[fd00::1]", "https://[FD00:0::1]", true),
            ("[fd00::1]:443", "https://[fd00::1]", true), ("[fd00::1]:80", "https://[fd00::1]", false),
            ("fd00::/8", "https://[fd00::1]", true), ("fd00::/127", "https://[fd00::1]", true),
            ("fd00::2/127", "https://[fd00::1]", false), ("fd00::/129", "https://[fd00::1]", false),
            ("[fd00::]/8", "https://[fd00::1]", false), ("::/0", "https://10.1.2.3", false),
            ("10.1.2.3", "https://[::ffff:10.1.2.3]", true), ("10.0.0.0/8", "https://[::ffff:a01:203]", true),
            ("::ffff:10.1.2.3", "https://10.1.2.3", true), ("fe80::/10", "https://[fd00::1]", false),
            ("2.3", "https://10.1.2.3", false), ("10.1.2.3", "https://a.example", false),
        ]
    )
    func exceptions(list: String, endpoint: String, isException: Bool) throws {
        for name in ["NO_PROXY", "no_proxy"] {
            let proxy = try proxy(endpoint, ["HTTPS_PROXY": proxyURL, name: list])
            #expect((proxy == nil) == isException)
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// A proxy that connections go through.
struct Proxy: Equatable, Sendable, CustomStringConvertible, CustomReflectable {
    /// A name or an address, without brackets.
    let host: String
    let port: Int
    /// `user:password`, decoded; nil for none.
    let credentials: String?

    /// Says nothing of the credentials, so that a log line cannot.
    var description: String { "(proxy)" }

    /// Says nothing of the credentials, so that a dump cannot.
    var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// What the environment says about proxies: `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, or in lower case.
struct ProxyEnvironment: Sendable {
    private let environment: [String: String]

    init(_ environment: [String: String]) {
        self.environment = environment
    }

    /// The proxy for an endpoint, an http or https URL; nil where there is none.
    ///
    /// - Throws: `DeliveryConfigurationError.invalidProxy`.
    func proxy(for endpoint: String) throws(DeliveryConfigurationError) -> Proxy? {
        guard let url = URLComponents(string: endpoint), let host = url.host else { return nil }
        let isSecure = url.scheme?.lowercased() == "https"
        guard let (variable, text) = value(isSecure ? "HTTPS_PROXY" : "HTTP_PROXY") else { return nil }
        let exceptions = NoProxy(value("NO_PROXY")?.text ?? "")
        guard !exceptions.contain(host: unbracketed(host), port: url.port ?? (isSecure ? 443 : 80)) else { return nil }
        guard let proxy = Proxy(text) else { throw .invalidProxy(variable: variable) }
        return proxy
    }

    /// What a variable holds that is not empty; upper case comes first.
    private func value(_ name: String) -> (variable: String, text: String)? {
        for variable in [name, name.lowercased()] {
            if let text = environment[variable], !text.isEmpty { return (variable, text) }
        }
        return nil
    }
}

extension Proxy {
    /// Reads `http://[user:password@]host[:port]`; the scheme may be left out.
    fileprivate init?(_ text: String) {
        guard let url = URLComponents(string: text.contains("://") ? text : "http://" + text),
            url.scheme?.lowercased() == "http", let host = url.host, !host.isEmpty,
            ["", "/"].contains(url.path), url.query == nil, url.fragment == nil, (1...65_535).contains(url.port ?? 80)
        else { return nil }
        self.host = unbracketed(host)
        port = url.port ?? 80
        credentials = url.user.map { "\($0):\(url.password ?? "")" }
    }
}

/// A host as a URL has it, without the brackets of an IPv6 address.
func unbracketed(_ host: String) -> String {
    host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
}

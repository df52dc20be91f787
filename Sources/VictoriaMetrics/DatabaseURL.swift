// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Foundation
import NIOHTTP1

/// A URL of VictoriaMetrics; a user and a password in it become a header, as they have no place in a request line.
struct DatabaseURL: Sendable {
    /// The URL without user, password and a slash at its end.
    let text: String
    /// The value of `Authorization`; nil where there is no user.
    private let authorization: String?

    /// Takes a URL apart.
    init(_ url: String) {
        let url = url.hasSuffix("/") ? String(url.dropLast()) : url
        guard let scheme = url.firstRange(of: "://") else {
            (text, authorization) = (url, nil)
            return
        }
        let authority = url[scheme.upperBound...].prefix { $0 != "/" }
        guard let at = authority.lastIndex(of: "@") else {
            (text, authorization) = (url, nil)
            return
        }
        let user = String(authority[..<at])
        text = String(url[..<scheme.upperBound] + url[url.index(after: at)...])
        authorization = "Basic " + Data((user.removingPercentEncoding ?? user).utf8).base64EncodedString()
    }

    /// The URL of another path on the same host.
    func root(_ path: String) -> String {
        guard let scheme = text.firstRange(of: "://") else { return text + path }
        return String(text[..<scheme.upperBound] + text[scheme.upperBound...].prefix { $0 != "/" }) + path
    }

    /// A request to a URL that begins with this one's host.
    func request(_ method: HTTPMethod, _ url: String) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: url)
        request.method = method
        if let authorization { request.headers.add(name: "Authorization", value: authorization) }
        return request
    }
}

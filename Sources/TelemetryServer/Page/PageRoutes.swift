// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPTypes
import Hummingbird

extension Endpoints {
    /// Answers `/` with the public page.
    mutating func onPage(_ page: PageEndpoint) {
        on(.get, "/", page.answer)
        onPageFiles()
    }

    /// Answers `/` with the maintainers' view, which signs in by itself and asks `/v1/…` for what it shows.
    mutating func onMaintainersPage(_ issuer: IssuerSettings?) {
        let page = PackedDocument(Array(PageTemplates.builtIn.maintainers(issuer).utf8), type: PageHeaders.html)
        let headers = PageHeaders.signedIn(by: issuer?.origin) + [.cacheControl: "no-cache"]
        on(.get, "/") { page.response(to: $0, headers: headers) }
        onPageFiles()
    }

    /// Answers what pages load.
    private mutating func onPageFiles() {
        let types = ["js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "svg": "image/svg+xml"]
        for file in PageFile.all.values {
            guard let ending = file.name.split(separator: ".").last, let type = types[String(ending)] else { continue }
            let document = PackedDocument(file.bytes, type: type)
            on(.get, file.path) { document.response(to: $0, headers: PageHeaders.file) }
        }
    }
}

extension IssuerSettings {
    /// Scheme, host and port of the issuer.
    fileprivate var origin: String? {
        guard var parts = URLComponents(string: url) else { return nil }
        (parts.path, parts.query, parts.fragment) = ("", nil, nil)
        return parts.string
    }
}

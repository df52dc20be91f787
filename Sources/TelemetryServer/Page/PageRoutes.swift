// SPDX-License-Identifier: Apache-2.0

import Hummingbird

extension Endpoints {
    /// Answers `/` with the public page, and what it loads.
    mutating func onPage(_ page: PageEndpoint) {
        on(.get, "/", page.answer)
        let types = ["js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "svg": "image/svg+xml"]
        for file in PageFile.all.values {
            guard let ending = file.name.split(separator: ".").last, let type = types[String(ending)] else { continue }
            let document = PackedDocument(file.bytes, type: type)
            on(.get, file.path) { document.response(to: $0, headers: PageHeaders.file) }
        }
    }
}

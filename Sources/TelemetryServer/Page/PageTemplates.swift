// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Mustache

/// The templates of pages.
struct PageTemplates: Sendable {
    private let library: MustacheLibrary

    /// Those that are built in.
    static let builtIn: Self = {
        do { return try Self() } catch { preconditionFailure("a built-in template: \(error)") }
    }()

    private init() throws {
        var templates: [String: MustacheTemplate] = [:]
        for file in PageFile.all.values where file.name.hasSuffix(".mustache") {
            templates[String(file.name.dropLast(".mustache".count))] = try MustacheTemplate(string: file.text)
        }
        library = MustacheLibrary(templates: templates)
    }

    /// The public page.
    func page(_ content: PageContent) -> String { rendered(content, "page") }

    /// The maintainers' view, where nobody is signed in yet.
    func maintainers(_ issuer: IssuerSettings?) -> String {
        struct Content {
            let issuer: String?
            let client: String?
            let files = PageFiles()
        }
        let content = Content(issuer: issuer?.url, client: issuer?.clientID)
        return rendered(content, "maintainers")
    }

    /// A page that says why there is none.
    func failure(_ refusal: Refusal) -> String {
        struct Content {
            let title: String
            let message: String
            let files = PageFiles()
        }
        let content = Content(title: refusal.status.reasonPhrase, message: refusal.message)
        return rendered(content, "failure")
    }

    private func rendered(_ content: Any, _ name: String) -> String {
        guard let page = library.render(content, withTemplate: name) else {
            preconditionFailure("\(name) is not built in")
        }
        return page
    }
}

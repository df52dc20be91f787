// SPDX-License-Identifier: Apache-2.0

/// Which objects of a resource are meant.
public struct Selection: Hashable, Sendable {
    /// The namespace; nil for all.
    public var namespace: String?
    /// A condition on labels in the API's own syntax; nil for none.
    public var labels: String?
    /// A condition on fields in the API's own syntax; nil for none.
    public var fields: String?

    /// Objects of a namespace, or of all, that fulfil the conditions.
    public init(namespace: String? = nil, labels: String? = nil, fields: String? = nil) {
        self.namespace = namespace
        self.labels = labels
        self.fields = fields
    }

    /// The conditions as query parameters.
    var query: [(name: String, value: String)] {
        [("labelSelector", labels), ("fieldSelector", fields)].compactMap { name, value in value.map { (name, $0) } }
    }
}

/// What comes with a list beside its objects.
struct ListMetadata: Decodable {
    let `continue`: String?
    let resourceVersion: String?
}

/// All objects of a selection, read page by page as they are asked for; each page is a call with a deadline of its own.
///
/// The pages are one snapshot of the cluster. Where reading takes so long that the server drops it, the rest is as it is
/// then; no object comes twice. A server that is busy, restarts or cannot answer is asked again for the same page for a
/// while, within `KubernetesClient.Limits.list`.
public struct ObjectPages<Object: KubernetesObject>: AsyncSequence, Sendable {
    /// Some of the objects.
    public struct Page: Sendable {
        /// The objects, by namespace and name.
        public let items: [Object]
        /// The version to watch from after the last page.
        public let resourceVersion: String
    }

    let transport: Transport
    let resource: Resource<Object>
    let selection: Selection
    let pageSize: Int

    /// Begins to read.
    public func makeAsyncIterator() -> Iterator { Iterator(pages: self) }

    /// Reads the next page when it is asked for.
    public struct Iterator: AsyncIteratorProtocol {
        fileprivate let pages: ObjectPages
        /// The token of the next page; empty for the first, nil after the last.
        private var token: String? = ""
        /// When the whole list must be there.
        private var end: ContinuousClock.Instant?

        fileprivate init(pages: ObjectPages) {
            self.pages = pages
        }

        /// The next page, or nil after the last.
        public mutating func next() async throws -> Page? {
            guard let token else { return nil }
            let end = self.end ?? .now + pages.transport.limits.list
            self.end = end
            let (metadata, items) = try await pages.list(from: token, until: end)
            self.token = metadata?.continue.flatMap { $0.isEmpty ? nil : $0 }
            return Page(items: items, resourceVersion: metadata?.resourceVersion ?? "")
        }
    }

    private typealias List = (metadata: ListMetadata?, items: [Object])

    /// A page, asked for as often as it takes and the time allows.
    ///
    /// Where its snapshot is gone, the objects that are there now, by the token that the server gives for it.
    private func list(from token: String, until end: ContinuousClock.Instant) async throws -> List {
        var (token, hasExpired, retry) = (token, false, PageRetry())
        while true {
            do {
                return try await transport.list(of: Object.self, from: call(from: token), within: end - .now)
            } catch let expired as ExpiredList {
                guard !hasExpired else { throw KubernetesError.gone(path: path) }
                (token, hasExpired) = (expired.continueToken, true)
            } catch {
                guard let delay = retry.delay(after: error, remaining: end - .now) else { throw error }
                try await transport.pause(delay)
            }
        }
    }

    private var path: String { resource.path(namespace: selection.namespace) }

    private func call(from token: String) -> Transport.Call {
        var query = selection.query + [("limit", String(pageSize))]
        if !token.isEmpty { query.append(("continue", token)) }
        return Transport.Call(path: path, query: query, accept: resource.accept(list: true))
    }
}

extension KubernetesClient {
    /// The objects of a selection, in pages.
    ///
    /// - Parameters:
    ///   - resource: The resource.
    ///   - selection: Which of its objects; all unless it says otherwise.
    ///   - pageSize: Objects in a page, 1 to 500.
    /// - Returns: The pages; each is asked for when it is needed.
    public func list<Object>(
        _ resource: Resource<Object>,
        _ selection: Selection = Selection(),
        pageSize: Int = 500
    ) -> ObjectPages<Object> {
        ObjectPages(
            transport: transport,
            resource: resource,
            selection: selection,
            pageSize: min(max(pageSize, 1), 500)
        )
    }
}

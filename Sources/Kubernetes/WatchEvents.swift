// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import FoundationEssentials
import NIOCore

/// A change that a watch tells of.
public enum WatchEvent<Object: KubernetesObject>: Sendable {
    case added(Object)
    case modified(Object)
    case deleted(Object)
    /// Nothing changed up to this version.
    case bookmark(resourceVersion: String)
}

extension WatchEvent: Equatable where Object: Equatable {}

/// The changes of a selection from a version on, until the server ends the watch, which is no error.
///
/// A version that the server no longer keeps is `KubernetesError.gone`: list again, and watch from there.
public struct WatchEvents<Object: KubernetesObject>: AsyncSequence, Sendable {
    let transport: Transport
    let call: Transport.Call

    /// Begins to watch at the first `next()`.
    public func makeAsyncIterator() -> Iterator { Iterator(events: self) }

    /// Reads events as they arrive.
    public struct Iterator: AsyncIteratorProtocol {
        private let events: WatchEvents
        private var chunks: HTTPClientResponse.Body.AsyncIterator?
        private var lines: LineSplitter

        fileprivate init(events: WatchEvents) {
            self.events = events
            lines = LineSplitter(longestLine: events.transport.limits.responseBytes)
        }

        /// The next event, or nil where the server ended the watch.
        public mutating func next() async throws -> WatchEvent<Object>? {
            var chunks: HTTPClientResponse.Body.AsyncIterator
            if let opened = self.chunks {
                chunks = opened
            } else {
                chunks = try await events.transport.open(events.call).body.makeAsyncIterator()
            }
            defer { self.chunks = chunks }
            while true {
                if let line = lines.next() {
                    guard let event = try events.event(from: line) else { continue }
                    return event
                }
                guard let chunk = try await events.nextChunk(of: &chunks) else { return nil }
                guard lines.append(chunk) else {
                    throw KubernetesError.invalidResponse(path: events.call.path, reason: "an event is too large")
                }
            }
        }
    }

    private func nextChunk(of chunks: inout HTTPClientResponse.Body.AsyncIterator) async throws -> ByteBuffer? {
        do {
            return try await chunks.next()
        } catch {
            throw transport.mapped(error, path: call.path)
        }
    }

    /// An event as it travels; which type the object has depends on the type of the event.
    private struct Line: Decodable {
        let event: WatchEvent<Object>?
        let error: Status?

        private enum Keys: String, CodingKey { case type, object }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Keys.self)
            let object: () throws -> Object = { try container.decode(Object.self, forKey: .object) }
            let type = try container.decode(String.self, forKey: .type)
            error = type == "ERROR" ? try container.decode(Status.self, forKey: .object) : nil
            switch type {
            case "ADDED": event = .added(try object())
            case "MODIFIED": event = .modified(try object())
            case "DELETED": event = .deleted(try object())
            case "BOOKMARK":
                let metadata = try container.decode(ObjectMetadata.self, forKey: .object).metadata
                event = .bookmark(resourceVersion: metadata.resourceVersion)
            default: event = nil
            }
        }
    }

    /// The event of a line; nil for a type that this client does not know.
    private func event(from line: ByteBuffer) throws -> WatchEvent<Object>? {
        let line = try Transport.decode(Line.self, from: line.readableBytesView, path: call.path)
        if let error = line.error {
            throw KubernetesError(code: error.code ?? 500, reason: error.reason ?? "", path: call.path)
        }
        return line.event
    }
}

extension KubernetesClient {
    /// The changes of a selection after a version.
    ///
    /// - Parameters:
    ///   - resource: The resource.
    ///   - selection: Which of its objects; all unless it says otherwise.
    ///   - resourceVersion: A version from a list or an event. Without one, what is there comes first, as added.
    /// - Returns: The events; the watch begins when the first is asked for.
    public func watch<Object>(
        _ resource: Resource<Object>,
        _ selection: Selection = Selection(),
        from resourceVersion: String? = nil
    ) -> WatchEvents<Object> {
        var query = selection.query
        query.append(("watch", "true"))
        query.append(("allowWatchBookmarks", "true"))
        query.append(("timeoutSeconds", String(max(1, transport.limits.watch.components.seconds))))
        if let resourceVersion { query.append(("resourceVersion", resourceVersion)) }
        let call = Transport.Call(
            path: resource.path(namespace: selection.namespace),
            query: query,
            accept: resource.accept(list: false),
            acceptsCompression: false
        )
        return WatchEvents(transport: transport, call: call)
    }
}

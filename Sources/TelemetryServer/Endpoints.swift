// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import Logging

/// The routes of one listener: a path, a method, what answers.
///
/// A path that is not there is 404, a method that is not there is 405 with `Allow`; HEAD is GET without the body.
struct Endpoints: HTTPResponder {
    typealias Context = BasicRequestContext
    typealias Handler = @Sendable (Request) async throws -> Response

    /// Where errors that nobody foresaw are reported.
    let logger: Logger
    private let isSecure: Bool
    private var handlers: [String: [HTTPRequest.Method: Handler]] = [:]
    private var subtrees: [(prefix: String, handler: Handler)] = []

    /// Routes without any yet.
    ///
    /// - Parameters:
    ///   - logger: Where errors that nobody foresaw are reported.
    ///   - isSecure: Whether the listener speaks TLS.
    init(logger: Logger, isSecure: Bool = false) {
        self.logger = logger
        self.isSecure = isSecure
    }

    /// Answers a method of a path.
    mutating func on(_ method: HTTPRequest.Method, _ path: String, _ handler: @escaping Handler) {
        handlers[path, default: [:]][method] = handler
    }

    /// Answers every method of every path that begins with a prefix.
    mutating func under(_ prefix: String, _ handler: @escaping Handler) {
        subtrees.append((prefix, handler))
    }

    /// Answers a request; every error becomes a response here.
    func respond(to request: Request, context: Context) async throws -> Response {
        var response = await response(to: request)
        SecurityHeaders.add(to: &response.headers, isSecure: isSecure)
        return request.method == .head ? response.createHeadResponse() : response
    }

    private func response(to request: Request) async -> Response {
        do {
            return try await handler(for: request)(request)
        } catch {
            return Refusal(error, reportingTo: logger).response
        }
    }

    private func handler(for request: Request) throws(Refusal) -> Handler {
        let path = request.uri.path
        if let subtree = subtrees.first(where: { path.hasPrefix($0.prefix) }) { return subtree.handler }
        guard let methods = handlers[path] else {
            throw Refusal(status: .notFound, message: "there is nothing at this path")
        }
        let method = request.method == .head && methods[.head] == nil ? .get : request.method
        if let handler = methods[method] { return handler }
        let allowed = methods.keys.map(\.rawValue) + (methods[.get] == nil ? [] : ["HEAD"])
        throw .method(taken: allowed.sorted().joined(separator: ", "))
    }
}

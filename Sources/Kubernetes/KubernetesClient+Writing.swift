// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import NIOHTTP1

extension KubernetesClient {
    /// Creates an object.
    ///
    /// - Parameters:
    ///   - resource: The resource.
    ///   - namespace: The namespace; nil for objects that belong to none.
    ///   - object: The object with `apiVersion`, `kind` and `metadata`.
    /// - Returns: The object as the server keeps it.
    /// - Throws: `KubernetesError.conflict` where there is one of its name already, or another `KubernetesError`.
    @discardableResult
    public func create<Object>(
        _ resource: Resource<Object>,
        namespace: String? = nil,
        _ object: JSONValue
    ) async throws -> Object {
        try await send(object, .POST, to: resource.path(namespace: namespace), of: resource)
    }

    /// Changes an object by a merge patch (RFC 7396).
    ///
    /// - Parameters:
    ///   - resource: The resource.
    ///   - namespace: The namespace; nil for objects that belong to none.
    ///   - name: The name.
    ///   - patch: What to change; with a `metadata.resourceVersion` it changes that version only.
    /// - Returns: The object as the server keeps it.
    /// - Throws: `KubernetesError.conflict` where it was changed meanwhile, or another `KubernetesError`.
    @discardableResult
    public func patch<Object>(
        _ resource: Resource<Object>,
        namespace: String? = nil,
        name: String,
        merge patch: JSONValue
    ) async throws -> Object {
        let path = resource.path(namespace: namespace, name: name)
        return try await send(patch, .PATCH, to: path, of: resource, as: "application/merge-patch+json")
    }

    private func send<Object>(
        _ value: JSONValue,
        _ method: HTTPMethod,
        to path: String,
        of resource: Resource<Object>,
        as contentType: String = "application/json"
    ) async throws -> Object {
        let bytes: Data
        do {
            bytes = try JSONEncoder().encode(value)
        } catch {
            let reason = "what is to be sent has a number that JSON cannot have"
            throw KubernetesError.invalidResponse(path: path, reason: reason)
        }
        let accept = resource.accept(list: false)
        let call = Transport.Call(method: method, path: path, accept: accept, body: (contentType, Array(bytes)))
        return try await transport.decode(Object.self, from: call)
    }
}

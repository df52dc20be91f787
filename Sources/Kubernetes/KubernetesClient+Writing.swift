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

    /// Deletes an object; one that does not exist is deleted already.
    ///
    /// - Parameters:
    ///   - resource: The resource.
    ///   - namespace: The namespace; nil for objects that belong to none.
    ///   - name: The name.
    ///   - uid: Deletes only the object with this UID, where it is given.
    ///   - resourceVersion: Deletes only this version of the object, where it is given.
    /// - Throws: `KubernetesError.conflict` where the object is another one, or another `KubernetesError`.
    public func delete<Object>(
        _ resource: Resource<Object>,
        namespace: String? = nil,
        name: String,
        uid: String? = nil,
        resourceVersion: String? = nil
    ) async throws {
        let conditions = [("uid", uid), ("resourceVersion", resourceVersion)]
            .compactMap { name, value in value.map { (name, JSONValue.string($0)) } }
        let options: JSONValue = [
            "apiVersion": "v1", "kind": "DeleteOptions", "preconditions": .object(Dictionary(conditions) { $1 }),
        ]
        let path = resource.path(namespace: namespace, name: name)
        do {
            _ = try await transport.body(of: try call(.DELETE, path, options, accept: "application/json"))
        } catch KubernetesError.notFound {
            return
        }
    }

    private func send<Object>(
        _ value: JSONValue,
        _ method: HTTPMethod,
        to path: String,
        of resource: Resource<Object>,
        as contentType: String = "application/json"
    ) async throws -> Object {
        let call = try call(method, path, value, accept: resource.accept(list: false), contentType: contentType)
        return try await transport.decode(Object.self, from: call)
    }

    private func call(
        _ method: HTTPMethod,
        _ path: String,
        _ value: JSONValue,
        accept: String,
        contentType: String = "application/json"
    ) throws -> Transport.Call {
        do {
            let bytes = try JSONEncoder().encode(value)
            return Transport.Call(method: method, path: path, accept: accept, body: (contentType, Array(bytes)))
        } catch {
            let reason = "what is to be sent has a number that JSON cannot have"
            throw KubernetesError.invalidResponse(path: path, reason: reason)
        }
    }
}

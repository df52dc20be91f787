// SPDX-License-Identifier: Apache-2.0

public import AsyncHTTPClient
public import Kubernetes
import FoundationEssentials
public import TelemetryModel

/// Asks the backend to erase what it knows about a cluster.
public struct Forgetting: Sendable {
    /// What became of it.
    public enum Outcome: Equatable, Sendable {
        /// The backend erased what it had of an id.
        case erased(ClusterID)
        /// Nothing was ever sent under an id that the cluster can prove.
        case unknown
        /// The cluster cannot prove that the id is its own; whoever runs the backend has to be asked.
        case unprovable(ClusterID)
        /// The backend has no erasure to ask for; whoever runs it has to be asked.
        case unsupported(ClusterID, status: Int)
        /// The backend did not do it, with the reason in words.
        case failed(ClusterID, reason: String)
    }

    private let client: KubernetesClient
    private let namespace: String
    private let delivery: Delivery

    /// For the cluster of a client.
    ///
    /// - Parameters:
    ///   - client: Reads from the cluster.
    ///   - namespace: The agent's.
    ///   - httpClient: Reaches the backend, made as `DeliveryTransport` says.
    public init(client: KubernetesClient, namespace: String, httpClient: HTTPClient) {
        self.client = client
        self.namespace = namespace
        delivery = Delivery(http: httpClient)
    }

    /// Asks, by one signed request.
    ///
    /// - Parameters:
    ///   - endpoint: The URL that reports were sent to.
    ///   - instant: The time.
    /// - Returns: What became of it.
    /// - Throws: `AgentError` or `KubernetesError` where the cluster's key cannot be read.
    public func ask(_ endpoint: String, at instant: UTCInstant = .now()) async throws -> Outcome {
        let reported = try await StatusStore(client: client, namespace: namespace).read().clusterID
        guard let key = try await KeyStore(client: client, namespace: namespace).key() else {
            return reported.map(Outcome.unprovable) ?? .unknown
        }
        // What was reported under the UID, or under a key that was reset, is not this key's to erase.
        if let reported, reported != key.clusterID { return .unprovable(reported) }
        guard var url = URLComponents(string: endpoint) else { throw AgentError.invalidEndpoint }
        while url.path.hasSuffix("/") { url.path.removeLast() }
        url.path += Self.path
        guard let address = url.string else { throw AgentError.invalidEndpoint }
        let identity = AgentIdentity.key(key)
        let headers = try identity.headers(method: "DELETE", path: urlPath(address), body: [], at: instant)
        let request = TelemetryRequest("DELETE", endpoint: address, headers: headers, body: [])
        let reply = try await delivery.attempt(request)
        if case .refused(let status) = reply.answer, [404, 405].contains(status) {
            return .unsupported(key.clusterID, status: status)
        }
        guard let failure = reply.answer.failure else {
            // What takes everything, such as the page of a network that wants a login, erases nothing.
            return reply.isErasure
                ? .erased(key.clusterID)
                : .failed(key.clusterID, reason: "what answers there is no backend that erases")
        }
        return .failed(key.clusterID, reason: reply.explanation.map { "\(failure): \($0)" } ?? "\(failure)")
    }

    private static let path = "/v1/cluster"
}

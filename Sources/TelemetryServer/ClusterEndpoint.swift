// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import NIOCore
import ReportStore
import TelemetryModel

/// `DELETE /v1/cluster`: nothing about the cluster that signed any more.
struct ClusterEndpoint: Sendable {
    /// The path, which is signed.
    static let path = "/v1/cluster"

    let store: ReportStore
    let pseudonymizer: Pseudonymizer
    let signatures: SignatureCheck

    /// Erases, and answers with what was removed; a cluster that nothing is known about has nothing removed.
    func erase(_ request: Request) async throws -> Response {
        let sender = try Sender(RequestFields(request.headers), mustSign: true)
        guard let signature = sender.signature else { throw SignatureError.required }
        guard signature.tag == .report else { throw SignatureError.otherTag }
        let body = try await request.body.collect(upTo: 0)
        try signatures.verify(
            signature,
            method: "DELETE",
            path: Self.path,
            body: Array(body.readableBytesView),
            cluster: sender.cluster
        )
        let pseudonym = pseudonymizer.pseudonym(of: sender.cluster)
        // Keys cost nothing, and an erasure is work for the store.
        guard store.knows(pseudonym) else { return try .json(Erasure.nothing) }
        return try .json(await store.erase(pseudonym) ?? .nothing)
    }
}

// SPDX-License-Identifier: Apache-2.0

import TelemetryModel

/// Who sent a request, as far as its head says.
struct Sender: Equatable {
    let cluster: ClusterID
    /// What shows that the request is the cluster's, yet to be verified; nil where nothing does.
    let signature: MessageSignature?

    /// Reads who sent a request.
    ///
    /// Only an id of version 8 can be shown to be somebody's; a signature over any other proves nothing and is not read.
    ///
    /// - Parameters:
    ///   - fields: The header fields of the request.
    ///   - mustSign: Whether an id that nothing shows to be somebody's is refused.
    /// - Throws: A refusal with 400 or 401.
    init(_ fields: RequestFields, mustSign: Bool) throws(Refusal) {
        guard fields.clusterID.count == 1, let cluster = ClusterID(fields.clusterID.value) else {
            throw .badRequest("X-Cluster-ID must be given once and have the form [A-Za-z0-9._-]{1,253}")
        }
        self.cluster = cluster
        do throws(SignatureError) {
            if !cluster.isVersion8, mustSign { throw .required }
            signature = cluster.isVersion8 ? try Self.signature(fields) : nil
        } catch {
            throw .unproven(error)
        }
    }

    private static func signature(_ fields: RequestFields) throws(SignatureError) -> MessageSignature {
        if fields.signature.count + fields.signatureInput.count == 0 { throw .missing }
        let required = [
            ("Content-Digest", fields.contentDigest), ("Signature-Input", fields.signatureInput),
            ("Signature", fields.signature),
        ]
        for (name, field) in required where field.count != 1 { throw .malformed(field: name) }
        return try MessageSignature(
            contentDigest: fields.contentDigest.value,
            signatureInput: fields.signatureInput.value,
            signature: fields.signature.value
        )
    }
}

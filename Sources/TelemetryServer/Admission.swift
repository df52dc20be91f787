// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import TelemetryModel

/// What the head of a `POST /` says, once it is found in order.
struct Admission: Equatable {
    /// How the body is packed.
    enum Encoding: Equatable {
        case plain
        case gzip
    }

    let cluster: ClusterID
    let encoding: Encoding

    /// Decides on the head of a request.
    ///
    /// - Parameters:
    ///   - headers: The header fields of the request.
    ///   - largestBody: The largest body that is taken, in bytes.
    /// - Throws: A refusal with 400, 413 or 415.
    init(_ headers: HTTPFields, largestBody: Int) throws(Refusal) {
        let ids = headers[values: .clusterID]
        guard ids.count == 1, let cluster = ClusterID(ids[0]) else {
            throw .badRequest("X-Cluster-ID must be given once and have the form [A-Za-z0-9._-]{1,253}")
        }
        guard Self.isText(headers[values: .contentType]) else {
            throw Refusal(status: .unsupportedMediaType, message: "the body must be text/plain")
        }
        encoding = try Self.encoding(headers[values: .contentEncoding])
        if let length = headers[.contentLength].flatMap(Int.init), length > largestBody {
            throw Refusal(status: .contentTooLarge, message: "the body is over \(largestBody) bytes")
        }
        self.cluster = cluster
    }

    /// No content type is taken as text.
    private static func isText(_ types: [String]) -> Bool {
        guard let type = types.first else { return true }
        let essence = type.prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" }
        return types.count == 1 && essence.lowercased() == "text/plain"
    }

    private static func encoding(_ encodings: [String]) throws(Refusal) -> Encoding {
        switch encodings.joined(separator: ",").lowercased() {
        case "", "identity": return .plain
        case "gzip", "x-gzip": return .gzip
        default:
            throw Refusal(
                status: .unsupportedMediaType,
                message: "the body may be packed with gzip or not at all",
                headers: [.acceptEncoding: "gzip"]
            )
        }
    }
}

extension HTTPField.Name {
    /// `X-Cluster-ID`.
    static var clusterID: Self {
        guard let name = Self("X-Cluster-ID") else { preconditionFailure("a constant that is a field name") }
        return name
    }
}

// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import NIOCore
import NIOHTTP1

/// The server's own account of an error: the `Status` object of `meta/v1`.
struct Status: Decodable {
    let code: Int?
    let reason: String?
    let metadata: ListMetadata?
}

/// An answer that is not a success.
struct Failure {
    private let status: HTTPResponseStatus
    private let retryAfter: Duration?
    private let path: String
    private let object: Status?

    init(_ status: HTTPResponseStatus, _ headers: HTTPHeaders, _ body: ByteBuffer?, path: String) {
        self.status = status
        self.path = path
        retryAfter = headers.first(name: "Retry-After").flatMap(Int64.init).map { .seconds($0) }
        object = body.flatMap { try? JSONDecoder().decode(Status.self, from: Data($0.readableBytesView)) }
    }

    /// The error to throw; where a list broke off, with the token to go on with.
    var error: any Error {
        if status.code == 410, let token = object?.metadata?.continue, !token.isEmpty {
            return ExpiredList(continueToken: token)
        }
        return KubernetesError(
            code: Int(status.code),
            reason: object?.reason ?? status.reasonPhrase,
            path: path,
            retryAfter: retryAfter
        )
    }
}

/// A list whose snapshot is gone, while the server can go on with the objects that are there now.
struct ExpiredList: Error {
    let continueToken: String
}

extension KubernetesError {
    /// The error of a status code.
    init(code: Int, reason: String, path: String, retryAfter: Duration? = nil) {
        switch code {
        case 401: self = .unauthorized(path: path)
        case 403: self = .forbidden(path: path)
        case 404: self = .notFound(path: path)
        case 409: self = .conflict(path: path)
        case 410: self = .gone(path: path)
        case 429: self = .tooManyRequests(path: path, retryAfter: retryAfter)
        default:
            let isWord = !reason.isEmpty && reason.count <= 64 && reason.allSatisfy { $0.isLetter || $0 == " " }
            self = .status(code: code, reason: isWord ? reason : "(no reason)", path: path)
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

/// Why a call of the API failed.
///
/// Paths have names of resources in them and no query, servers no credentials.
public enum KubernetesError: Error, Equatable, Sendable, CustomStringConvertible {
    /// 401: the credentials were not accepted.
    case unauthorized(path: String)
    /// 403: the credentials do not allow it.
    case forbidden(path: String)
    /// 404: there is no such object, or the server does not serve such objects.
    case notFound(path: String)
    /// 409: the object exists already, or was changed meanwhile.
    case conflict(path: String)
    /// 410: the server no longer has what a watch or the next page needs; list again.
    case gone(path: String)
    /// 429: the server asks to wait.
    case tooManyRequests(path: String, retryAfter: Duration?)
    /// Any other answer that is not a success, with the reason of the server's `Status`.
    case status(code: Int, reason: String, path: String)
    /// The call took longer than it may.
    case deadlineExceeded(path: String)
    /// No connection, or one that broke.
    case unreachable(server: String, reason: String)
    /// The answer is too large or is not what the API promises.
    case invalidResponse(path: String, reason: String)
    /// The file with the token cannot be read.
    case tokenUnreadable(file: String, reason: String)

    /// What is wrong and what to do about it.
    public var description: String {
        switch self {
        case .unauthorized(let path):
            "\(path): the API server does not accept the credentials (401); check the token or the client certificate"
        case .forbidden(let path):
            "\(path): not allowed (403); grant it with a Role or a ClusterRole"
        case .notFound(let path):
            "\(path): does not exist (404)"
        case .conflict(let path):
            "\(path): exists already or was changed meanwhile (409)"
        case .gone(let path):
            "\(path): the version asked for is no longer kept (410); list again"
        case .tooManyRequests(let path, let retryAfter):
            "\(path): the API server is busy (429)" + (retryAfter.map { "; it asks to wait \($0)" } ?? "")
        case .status(let code, let reason, let path):
            "\(path): the API server answered \(code) \(reason)"
        case .deadlineExceeded(let path):
            "\(path): no complete answer in time; is the API server overloaded or the network slow?"
        case .unreachable(let server, let reason):
            "\(server) cannot be reached: \(reason)"
        case .invalidResponse(let path, let reason):
            "\(path): unexpected answer: \(reason)"
        case .tokenUnreadable(let file, let reason):
            "the token in \(file) cannot be read: \(reason)"
        }
    }

    /// What is wrong in a few words, without paths and addresses.
    public var summary: String {
        switch self {
        case .forbidden: "not allowed (403)"
        case .notFound: "does not exist (404)"
        case .gone: "it was forgotten while it was read (410)"
        case .unauthorized: "the credentials are not accepted (401)"
        case .deadlineExceeded: "no answer in time"
        case .unreachable: "the API server cannot be reached"
        case .tokenUnreadable: "the token cannot be read"
        case .status(let code, _, _): "the API server answered \(code)"
        case .tooManyRequests: "the API server is busy (429)"
        case .conflict: "somebody else changed it (409)"
        case .invalidResponse: "the answer could not be used"
        }
    }
}

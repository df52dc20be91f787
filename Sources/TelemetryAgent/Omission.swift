// SPDX-License-Identifier: Apache-2.0

import Kubernetes

/// Why something could not be read, in words without addresses.
struct Omission: RawRepresentable, Equatable, Sendable {
    let rawValue: String

    init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// The reason that an error gives.
    init(_ error: any Error) {
        rawValue =
            switch error as? KubernetesError {
            case .forbidden: "not allowed (403)"
            case .notFound: "does not exist (404)"
            case .gone: "it was forgotten while it was read (410)"
            case .unauthorized: "the credentials are not accepted (401)"
            case .deadlineExceeded: "no answer in time"
            case .unreachable: "the API server cannot be reached"
            case .tokenUnreadable: "the token cannot be read"
            case .status(let code, _, _): "the API server answered \(code)"
            case .tooManyRequests: "the API server is busy (429)"
            default: "the answer could not be used"
            }
    }
}

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
        rawValue = (error as? KubernetesError)?.summary ?? "the answer could not be used"
    }
}

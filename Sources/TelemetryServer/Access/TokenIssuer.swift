// SPDX-License-Identifier: Apache-2.0

import TelemetryModel

struct TokenIssuer: Sendable {
    func principal(of text: String, at instant: UTCInstant) async throws(CredentialError) -> Principal {
        throw .unavailable("not yet")
    }
}

// SPDX-License-Identifier: Apache-2.0

import Hummingbird

extension Response {
    /// What a body gives, or what it refuses, to be read by pages of every origin.
    ///
    /// - Throws: Errors that nobody foresaw.
    static func forEveryOrigin(_ body: () async throws -> Response) async throws -> Response {
        var response: Response
        do {
            response = try await body()
        } catch {
            guard let refusal = Refusal(error) else { throw error }
            response = refusal.response
        }
        response.headers[.accessControlAllowOrigin] = "*"
        return response
    }
}

// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Gives the bearer token of the moment.
///
/// A file is read for every request: the kubelet replaces it without a sign.
final class TokenSource: Sendable {
    private let token: KubernetesConfiguration.BearerToken
    /// The token that the file had when it could last be read.
    private let lastRead = Mutex<String?>(nil)

    init(_ token: KubernetesConfiguration.BearerToken) {
        self.token = token
    }

    /// The token, or nil where requests carry none.
    ///
    /// While the file cannot be read, for example in the moment that it is replaced, the last token goes on being used.
    ///
    /// - Throws: `KubernetesError.tokenUnreadable` where there never was one.
    func current() throws(KubernetesError) -> String? {
        switch token {
        case .none: return nil
        case .text(let text): return text
        case .file(let path): return try read(path)
        }
    }

    private func read(_ path: String) throws(KubernetesError) -> String {
        let reason: String
        do {
            let text = try ConfigurationFile.text(path)
            if !text.isEmpty {
                lastRead.withLock { $0 = text }
                return text
            }
            reason = "it is empty"
        } catch .unreadable(_, let cause) {
            reason = cause
        } catch {
            reason = error.description
        }
        guard let last = lastRead.withLock({ $0 }) else { throw .tokenUnreadable(file: path, reason: reason) }
        return last
    }
}

// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization
public import TelemetryModel

/// The tokens of a data directory, a JSON file for its owner only.
///
/// Commands and the backend use it at the same time: each change is made under a lock, and a token counts, or counts no
/// more, with the next request.
public final class TokenFile: Sendable {
    /// The name of the file in the data directory.
    public static let fileName = "tokens.json"

    private struct Content: Codable {
        var tokens: [AccessToken] = []
    }

    /// What was read last, and what the file looked like then.
    private struct Memory {
        var state: FileState?
        var tokens: [String: AccessToken] = [:]
    }

    private let path: String
    private let memory = Mutex(Memory())

    /// No file is larger, in bytes.
    private static let largestFile = 16 << 20

    /// The tokens of a data directory.
    public init(directory: String) {
        path = directory + "/" + Self.fileName
    }

    /// Adds a token, which counts from then on.
    ///
    /// - Throws: `AccessError`.
    public func add(_ token: NewToken) throws(AccessError) {
        try change { $0.append(token.kept) }
    }

    /// Every token that was made, the oldest first.
    ///
    /// - Throws: `AccessError`.
    public func all() throws(AccessError) -> [AccessToken] {
        guard FileManager.default.fileExists(atPath: path) else { return [] }
        return try content().tokens
    }

    /// Revokes a token.
    ///
    /// - Returns: The token; nil where there is none of that number.
    /// - Throws: `AccessError`.
    public func revoke(_ id: String, at instant: UTCInstant) throws(AccessError) -> AccessToken? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        var revoked: AccessToken?
        try change { tokens in
            guard let position = tokens.firstIndex(where: { $0.id == id }) else { return }
            tokens[position].revoked = tokens[position].revoked ?? instant.rfc3339
            revoked = tokens[position]
        }
        return revoked
    }

    /// Who has a token; nil where it is not, no longer or not yet one of these.
    ///
    /// - Throws: `AccessError`.
    func holder(of text: TokenText, at instant: UTCInstant) throws(AccessError) -> Principal? {
        guard let token = try current()[text.id], text.matches(token.hash), token.isTaken(at: instant) else {
            return nil
        }
        let minute = String(instant.rfc3339.prefix(16))
        if token.lastUsed?.hasPrefix(minute) != true {
            try change { tokens in
                guard let position = tokens.firstIndex(where: { $0.id == token.id }) else { return }
                tokens[position].lastUsed = minute + ":00Z"
            }
        }
        return Principal(name: "token:\(token.id)", role: token.role)
    }

    /// The tokens, read anew where the file has changed.
    private func current() throws(AccessError) -> [String: AccessToken] {
        guard let state = FileState(of: path) else { return [:] }
        if let known = memory.withLock({ $0.state == state ? $0.tokens : nil }) { return known }
        let tokens = Dictionary(try all().map { ($0.id, $0) }) { $1 }
        // The state is that of before the reading, so that a change in between is read the next time.
        memory.withLock { $0 = Memory(state: state, tokens: tokens) }
        return tokens
    }

    /// Changes the tokens; the file is replaced at once, so that readers see the old or the new one, whenever power fails.
    private func change(_ body: (inout [AccessToken]) -> Void) throws(AccessError) {
        // The lock is another file than the one that is replaced, and held to the end.
        let lock = try AccessFile(path + ".lock", .write)
        var content = try content()
        body(&content.tokens)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        let bytes: Data
        do {
            bytes = try encoder.encode(content)
        } catch {
            throw .malformed(path: path)
        }
        try AccessFile.replace(path, with: Array(bytes) + [UInt8(ascii: "\n")])
        _ = consume lock
    }

    private func content() throws(AccessError) -> Content {
        guard FileManager.default.fileExists(atPath: path) else { return Content() }
        let file = try AccessFile(path, .read)
        let size = try file.size
        guard size <= Self.largestFile,
            let content = try? JSONDecoder().decode(Content.self, from: Data(try file.read(from: 0, count: size)))
        else { throw .malformed(path: path) }
        return content
    }
}

// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
public import TelemetryModel

/// What a restoration did.
public struct StoreRestoration: Equatable, Sendable {
    /// Bytes of the store that is there now.
    public var bytes: Int
    /// Where the store that was there is now; nil where there was none.
    public var setAside: String?
    /// Whether the directory has no key; the backend does not start without the right one.
    public var isKeyMissing: Bool
}

extension StoreMaintenance {
    /// Puts a copy in the place of the store, which is moved aside and never deleted; no backend may run.
    ///
    /// Whatever happens meanwhile, the store is either the old one or the new one.
    ///
    /// - Parameters:
    ///   - file: The path of the copy.
    ///   - instant: The time that goes into the name of the store that is moved aside.
    ///   - progress: Called with how far it is.
    /// - Returns: What was done.
    /// - Throws: `StoreError`.
    public func restore(
        from file: String,
        at instant: UTCInstant,
        progress: @escaping @Sendable (Progress) -> Void
    ) async throws(StoreError) -> StoreRestoration {
        let file = DurableFile.absolute(file)
        guard DurableFile.size(of: file) ?? 0 > 0 else {
            throw .cannotRestore(path: file, reason: "there is no such file, or it is empty; give the FILE of a backup")
        }
        let lock = try takeDirectory()
        defer { lock.release() }
        let key = try key.existing()
        let reader = try openBackup(file)
        defer { reader.close() }
        progress(.checking)
        try await reader.requireRestorable(key: key, keyPath: keyPath)
        let part = try PartFile(for: storePath, calls: calls)
        let bytes = try await reader.copy(into: part) { progress(.copying(bytes: $0, of: $1)) }
        try part.giveToOwner(of: directory)
        let setAside = try SetAside.store(at: storePath, instant, calls)
        try part.move()
        progress(.copying(bytes: bytes, of: bytes))
        return StoreRestoration(bytes: bytes, setAside: setAside, isKeyMissing: key == nil)
    }

    /// Makes the directory where it is missing, and takes its lock.
    private func takeDirectory() throws(StoreError) -> DirectoryLock {
        do {
            try FileManager.default.createDirectory(
                atPath: directory,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
        } catch {
            throw .unusable(path: directory, reason: (error as NSError).underlyingReason)
        }
        return try DirectoryLock(directory: directory)
    }

    private func openBackup(_ file: String) throws(StoreError) -> StoreReader {
        do {
            return try StoreReader(file, isAlone: true)
        } catch {
            throw .cannotRestore(path: file, reason: "it cannot be read as a store; give another FILE")
        }
    }
}

extension StoreReader {
    /// Refuses a file that the backend would not start on.
    ///
    /// - Throws: `StoreError.cannotRestore`, or `StoreError.newerSchema`.
    fileprivate func requireRestorable(key: Pseudonymizer?, keyPath: String) async throws(StoreError) {
        func refusal(_ reason: String) -> StoreError { .cannotRestore(path: path, reason: reason) }
        do throws(StoreError) {
            switch try await schemaAge() {
            case .current, .older: break
            case .newer: throw StoreError.newerSchema(path: path)
            case nil: throw refusal("it is not a store of cozy-telemetry; give another FILE")
            }
            let (verdict, check) = try await read { database in
                (
                    try String.fetchOne(database, sql: "PRAGMA integrity_check(1)") ?? "",
                    try Meta.keyCheck(in: database)
                )
            }
            guard verdict == "ok" else { throw refusal("it is damaged (\(verdict)); give another FILE") }
            guard key.map({ $0.checkValue == check }) ?? true else {
                throw refusal("it was written with another key than \(keyPath); put the right key there first")
            }
        } catch {
            guard case .damagedFile(_, let reason) = error else { throw error }
            throw refusal("it is damaged (\(reason)); give another FILE")
        }
    }
}

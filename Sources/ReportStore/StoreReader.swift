// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB

/// The file of a store, opened for nothing but reading: beside a backend that writes, after it, or anywhere as a copy.
///
/// SQLite keeps an index of the log beside a file that is written ahead, so reading one takes a directory that can be
/// written, or a backend that has made the index. Where there is neither, and no log, the file alone is the store: it is
/// read as one that nobody writes, and the lock keeps a backend from starting to.
final class StoreReader: Sendable {
    let path: String
    private let file: DatabaseQueue
    private let lock: DirectoryLock?

    /// Opens a file.
    ///
    /// - Parameters:
    ///   - path: The path of the file.
    ///   - isAlone: Whether nobody writes the file where there is no log beside it; then nothing is made beside it.
    /// - Throws: `StoreError`.
    init(_ path: String, isAlone: Bool = false) throws(StoreError) {
        guard let size = DurableFile.size(of: path), size > 0 else {
            throw .unusable(path: path, reason: "there is no store")
        }
        self.path = path
        let hasLog = DurableFile.size(of: path + "-wal") != nil
        do {
            if isAlone, !hasLog {
                (file, lock) = (try Self.open(path, isImmutable: true), nil)
                return
            }
            do {
                (file, lock) = (try Self.open(path, isImmutable: false), nil)
            } catch let error as DatabaseError where error.resultCode == .SQLITE_CANTOPEN {
                guard DurableFile.size(of: path + "-wal") ?? 0 == 0,
                    let held = DirectoryLock(readersOf: DurableFile.directory(of: path))
                else { throw error }
                (file, lock) = (try Self.open(path, isImmutable: true), held)
            }
        } catch {
            throw StoreError(opening: path, error)
        }
    }

    /// Closes the file.
    func close() {
        // A reader has nothing to lose.
        try? file.close()
        lock?.release()
    }

    private static func open(_ path: String, isImmutable: Bool) throws -> DatabaseQueue {
        var configuration = GRDB.Configuration()
        configuration.label = "store-reader"
        configuration.readonly = true
        configuration.busyMode = .timeout(5)
        guard isImmutable else { return try DatabaseQueue(path: path, configuration: configuration) }
        let escaped = path.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed) ?? path
        return try DatabaseQueue(path: "file:\(escaped)?immutable=1", configuration: configuration)
    }

    /// How the schema of a file compares with this program's.
    enum SchemaAge {
        case older, current, newer
    }

    /// The age of the schema; nil where the file is no store.
    func schemaAge() async throws(StoreError) -> SchemaAge? {
        try await read { database in
            let migrator = Schema.migrator { _ in }
            guard try database.tableExists("grdb_migrations"), try database.tableExists("meta") else { return nil }
            if try migrator.hasBeenSuperseded(database) { return .newer }
            return try migrator.hasCompletedMigrations(database) ? .current : .older
        }
    }

    /// Refuses a file that this program does not read.
    ///
    /// - Throws: `StoreError`.
    func requireCurrentSchema() async throws(StoreError) {
        switch try await schemaAge() {
        case .current: return
        case .older: throw .olderSchema(path: path)
        case .newer: throw .newerSchema(path: path)
        case nil: throw .unusable(path: path, reason: "it is not a store of cozy-telemetry")
        }
    }

    /// Reads one state of the store.
    ///
    /// - Throws: `StoreError`.
    func read<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws(StoreError) -> Value {
        do {
            return try await file.read(body)
        } catch {
            throw StoreError(opening: path, error)
        }
    }

    /// Bytes of the pages that are in use.
    func usedBytes() async throws(StoreError) -> Int {
        try await read { database in
            func number(_ name: String) throws -> Int { try Int.fetchOne(database, sql: "PRAGMA \(name)") ?? 0 }
            return try (number("page_count") - number("freelist_count")) * number("page_size")
        }
    }

    /// Writes everything that the store holds at one moment into a file that is empty.
    ///
    /// `VACUUM INTO` reads in one transaction, however often another process commits meanwhile. It leaves pages out that
    /// are not in use, and stops at one that is damaged, where SQLite's backup would copy it.
    ///
    /// - Throws: What SQLite says.
    func write(into path: String) async throws {
        try await file.writeWithoutTransaction { try $0.execute(sql: "VACUUM INTO ?", arguments: [path]) }
    }
}

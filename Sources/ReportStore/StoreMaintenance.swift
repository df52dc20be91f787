// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import Logging
import Metrics
public import TelemetryModel

/// What whoever runs a backend does with the store of a data directory, from another process.
public struct StoreMaintenance: Sendable {
    /// How far something is.
    public enum Progress: Equatable, Sendable {
        /// The pages of the file are looked at.
        case checking
        /// So many bytes of so many are written.
        case copying(bytes: Int, of: Int)
    }

    /// The path of the data directory.
    public let directory: String
    /// What a restoration does with files.
    let calls: FileCalls
    /// The key of the store.
    package let key: PseudonymKeyFile

    /// Looks after the store of a directory, with the key in a file elsewhere where one is given.
    public init(directory: String, keyFile: String? = nil) {
        self.init(directory: directory, keyFile: keyFile, calls: .system)
    }

    /// Looks after the store of a directory, by some calls.
    init(directory: String, keyFile: String? = nil, calls: FileCalls) {
        self.directory = DurableFile.absolute(directory)
        self.calls = calls
        key = PseudonymKeyFile(directory: self.directory, givenAt: keyFile)
    }

    /// The path of the store's file.
    public var storePath: String { directory + "/" + ReportStore.fileName }
    /// The path of the key, which no copy of the store has in it.
    public var keyPath: String { key.path }

    /// Counts what the store holds, also while a backend runs; it reads all of it.
    ///
    /// - Throws: `StoreError`.
    public func statistics() async throws(StoreError) -> StoreStatistics {
        try await withReader { reader throws(StoreError) in try await reader.read(StoreStatistics.init) }
    }

    /// Compares everything that is derived with the rows it is derived from, in one state of the store, also while a
    /// backend runs.
    ///
    /// - Parameter progress: Called with how far it is.
    /// - Returns: What it found.
    /// - Throws: `StoreError`, where the file cannot even be read.
    public func check(
        progress: @escaping @Sendable (StoreCheck.Progress) -> Void
    ) async throws(StoreError) -> StoreCheck {
        try await withReader { reader throws(StoreError) in
            try await reader.read { try StoreCheck($0, progress: progress) }
        }
    }

    /// Removes everything about one cluster; no backend may run.
    ///
    /// - Parameter cluster: What the cluster calls itself.
    /// - Returns: What was removed; nil where the store has nothing about it.
    /// - Throws: `StoreError`.
    public func erase(_ cluster: ClusterID) async throws(StoreError) -> Erasure? {
        try await withReader { _ throws(StoreError) in }
        guard let pseudonymizer = try key.existing() else { throw .missingKey(path: keyPath) }
        do {
            let store = try ReportStore(
                directory: directory,
                keyCheck: pseudonymizer.checkValue,
                keyPath: keyPath,
                metrics: NOOPMetricsHandler.instance,
                logger: Logger(label: "store") { _ in SwiftLogNoOpLogHandler() }
            )
            let erasure = await Result { try await store.erase(pseudonymizer.pseudonym(of: cluster)) }
            try store.close()
            return try erasure.get()
        } catch {
            throw StoreError(error)
        }
    }

    /// Goes on under another key, a new one or the one that was given; no backend may run.
    ///
    /// Whatever happens meanwhile, the store is whole: where it ends before both are changed, another rotation ends it.
    ///
    /// - Returns: How many clusters count anew when they report again.
    /// - Throws: `StoreError`.
    public func rotateKey() async throws(StoreError) -> Int {
        try await withReader { _ throws(StoreError) in }
        do {
            let lock = try DirectoryLock(directory: directory)
            defer { lock.release() }
            let check = try key.rotated().checkValue
            let pool = try StoreFile.open(storePath, logger: Logger(label: "store") { _ in SwiftLogNoOpLogHandler() })
            let clusters = try await pool.write { database in
                if try Meta.keyCheck(in: database) == check { throw StoreError.sameKey(path: keyPath) }
                try Meta.set(keyCheck: check, in: database)
                return try Int.fetchOne(database, sql: "SELECT count(*) FROM cluster") ?? 0
            }
            try pool.close()
            return clusters
        } catch {
            throw StoreError(error)
        }
    }

    /// Reads the store, where its schema is this program's.
    func withReader<Value>(
        _ body: (StoreReader) async throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        let reader = try StoreReader(storePath)
        defer { reader.close() }
        try await reader.requireCurrentSchema()
        return try await body(reader)
    }
}

extension Result where Failure == any Error {
    /// What an asynchronous closure gives.
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}

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

    /// Looks after the store of a directory.
    public init(directory: String) {
        self.init(directory: directory, calls: .system)
    }

    /// Looks after the store of a directory, by some calls.
    init(directory: String, calls: FileCalls) {
        self.directory = DurableFile.absolute(directory)
        self.calls = calls
    }

    /// The path of the store's file.
    public var storePath: String { directory + "/" + ReportStore.fileName }
    /// The path of the key, which no copy of the store has in it.
    public var keyPath: String { directory + "/" + PseudonymKeyFile.name }

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
        guard let pseudonymizer = try PseudonymKeyFile.existing(inDirectory: directory) else {
            throw .unusable(path: keyPath, reason: "it is missing; put it back from your backup")
        }
        do {
            let store = try ReportStore(
                directory: directory,
                keyCheck: pseudonymizer.checkValue,
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

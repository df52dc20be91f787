// SPDX-License-Identifier: Apache-2.0

import GRDB

/// What can go wrong with a store.
///
/// No case carries an identifier or a report.
public enum StoreError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The data directory or a file in it cannot be used.
    case unusable(path: String, reason: String)
    /// Another process has the data directory.
    case inUse(directory: String, owner: String)
    /// The store was written by a newer version of this program.
    case newerSchema(path: String)
    /// The pseudonym key is not the one that this store was written with.
    case wrongKey(path: String)
    /// The file that should hold the pseudonym key holds something else.
    case malformedKey(path: String)
    /// Too many reports wait to be committed.
    case busy(waiting: Int)
    /// The store's file is damaged.
    case damagedFile(path: String, reason: String)
    /// The rows of the store contradict each other.
    case damaged(_ what: String)
    /// The cluster was erased while its report waited.
    case forgotten
    /// The store did not take the report; the reason is SQLite's, without data.
    case unavailable(reason: String)

    /// What is wrong and what to do about it.
    public var description: String {
        switch self {
        case .unusable(let path, let reason):
            "cannot use \(path): \(reason); give another --data-dir, or mend it"
        case .inUse(let directory, let owner):
            "\(directory) is in use by the process \(owner); stop that, or give another --data-dir"
        case .newerSchema(let path):
            "\(path) was written by a newer version of cozy-telemetry; start that version, or restore a backup of this one"
        case .wrongKey(let path):
            "\(path) is not the key that this store was written with; put the right key back from your backup"
        case .malformedKey(let path):
            "\(path) does not hold a key of 32 bytes; put the right key back from your backup"
        case .busy(let waiting):
            "\(waiting) reports wait to be committed; try again later"
        case .damagedFile(let path, let reason):
            "\(path) is damaged (\(reason)); move it away and restore a backup: cozy-telemetry store restore FILE"
        case .damaged(let what):
            "the store is damaged: \(what); stop the backend and restore a backup"
        case .forgotten:
            "the cluster was erased while its report waited; send it again"
        case .unavailable(let reason):
            "the store cannot take reports now: \(reason)"
        }
    }
}

extension StoreError {
    /// The error of a store that an error is; SQLite's in its own words, without the statement and its arguments.
    init(_ error: any Error) {
        self = (error as? Self) ?? .unavailable(reason: Self.reason(of: error))
    }

    /// Why a store cannot be opened.
    init(opening path: String, _ error: any Error) {
        if let error = error as? DatabaseError, [.SQLITE_CORRUPT, .SQLITE_NOTADB].contains(error.resultCode) {
            self = .damagedFile(path: path, reason: Self.reason(of: error))
        } else {
            self = (error as? Self) ?? .unusable(path: path, reason: Self.reason(of: error))
        }
    }

    /// SQLite's own words, without the statement and its arguments.
    static func reason(of error: any Error) -> String {
        guard let error = error as? DatabaseError else { return "\(error)" }
        return error.message ?? error.resultCode.description
    }
}

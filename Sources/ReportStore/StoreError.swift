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
    /// The store was written by an older version of this program and was not migrated yet.
    case olderSchema(path: String)
    /// A file of a copy cannot be written; the reason says what to do.
    case cannotCopy(path: String, reason: String)
    /// A file cannot be restored; the reason says what to do.
    case cannotRestore(path: String, reason: String)
    /// The store has figures and is to be used without, or the other way round.
    case otherMode(directory: String, isForwardOnly: Bool)
    /// The pseudonym key is not the one that this store was written with.
    case wrongKey(path: String)
    /// There is a store, and the file with its pseudonym key is not there.
    case missingKey(path: String)
    /// The file that should hold the pseudonym key holds something else.
    case malformedKey(path: String)
    /// The store is to go on under another key, and this is the one that it has.
    case sameKey(path: String)
    /// Too many reports wait to be committed.
    case busy(waiting: Int)
    /// The store's file is damaged.
    case damagedFile(path: String, reason: String)
    /// The rows of the store contradict each other.
    case damaged(_ what: String)
    /// The clock shows a month that a finished window holds, so that a report would not be counted everywhere.
    case clockBehind
    /// The cluster was erased while its report waited.
    case forgotten
    /// What was deleted is gone from the tables, but its pages are still in the log beside the file.
    case logNotEmptied(reason: String)
    /// The store did not take the report; the reason is SQLite's, without data.
    case unavailable(reason: String)

    private static let keyAdvice =
        "put the right key back from your backup, or see `cozy-telemetry store rotate-key --help` for what a new one means"

    /// What is wrong and what to do about it.
    public var description: String {
        switch self {
        case .unusable(let path, let reason):
            "cannot use \(path): \(reason); give another --data-dir, or mend it"
        case .inUse(let directory, let owner):
            "\(directory) is in use by the process \(owner); stop that, or give another --data-dir"
        case .newerSchema(let path):
            "\(path) was written by a newer version of cozy-telemetry; start that version, or restore a backup of this one"
        case .olderSchema(let path):
            "\(path) was written by an older version of cozy-telemetry; start the backend once to migrate it"
        case .cannotCopy(let path, let reason):
            "cannot write \(path): \(reason)"
        case .cannotRestore(let path, let reason):
            "cannot restore \(path): \(reason); nothing was changed"
        case .otherMode(let directory, true):
            "\(directory) has a store of --mode forward-only, which knows no figures; give another --data-dir"
        case .otherMode(let directory, false):
            "\(directory) has a store with figures; start without --mode forward-only, or give another --data-dir"
        case .wrongKey(let path):
            "\(path) is not the key that this store was written with; \(Self.keyAdvice)"
        case .missingKey(let path):
            "the key \(path) is missing; \(Self.keyAdvice)"
        case .malformedKey(let path):
            "\(path) does not hold a key of 32 bytes; \(Self.keyAdvice)"
        case .sameKey(let path):
            "\(path) holds the key that the store has; put another one there, or leave --pseudonym-key-file out to have one made"
        case .busy(let waiting):
            "\(waiting) reports wait to be committed; try again later"
        case .damagedFile(let path, let reason):
            "\(path) is damaged (\(reason)); move it away and restore a backup: cozy-telemetry store restore FILE"
        case .damaged(let what):
            "the store is damaged: \(what); stop the backend and restore a backup"
        case .clockBehind:
            "the clock is before windows that are finished already, as it was wrong then or is wrong now: "
                + "set it right, or restore a backup from before they were finished"
        case .forgotten:
            "the cluster was erased while its report waited; send it again"
        case .logNotEmptied(let reason):
            "the rows are deleted, but not yet gone from the log beside the file, as somebody reads it (\(reason)); "
                + "do it again once that is done"
        case .unavailable(let reason):
            "the store cannot take reports now: \(reason)"
        }
    }
}

extension StoreError {
    /// The error of a store that an error is; SQLite's in its own words, without the statement and its arguments.
    init(_ error: any Error) {
        if let error = error as? DatabaseError, error.resultCode == .SQLITE_CORRUPT {
            self = .damaged(Self.reason(of: error))
        } else {
            self = (error as? Self) ?? .unavailable(reason: Self.reason(of: error))
        }
    }

    /// Why a store cannot be opened.
    init(opening path: String, _ error: any Error) {
        if let error = error as? DatabaseError, [.SQLITE_CORRUPT, .SQLITE_NOTADB].contains(error.resultCode) {
            self = .damagedFile(path: path, reason: Self.reason(of: error))
        } else {
            self = (error as? Self) ?? .unusable(path: path, reason: Self.reason(of: error))
        }
    }

    /// Why a store cannot be copied.
    init(copying path: String, to copy: String, _ error: any Error) {
        if let error = error as? DatabaseError,
            [.SQLITE_FULL, .SQLITE_IOERR, .SQLITE_CANTOPEN].contains(error.resultCode)
        {
            self = .cannotCopy(path: copy, reason: Self.reason(of: error) + "; give another FILE, or make room")
        } else {
            self = Self(opening: path, error)
        }
    }

    /// SQLite's own words, without the statement and its arguments.
    static func reason(of error: any Error) -> String {
        guard let error = error as? DatabaseError else { return "\(error)" }
        return error.message ?? error.resultCode.description
    }
}

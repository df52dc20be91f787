// SPDX-License-Identifier: Apache-2.0

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
        case .unavailable(let reason):
            "the store cannot take reports now: \(reason)"
        }
    }
}

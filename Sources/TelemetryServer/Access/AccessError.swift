// SPDX-License-Identifier: Apache-2.0

/// What can go wrong with the files that access rests on: tokens and the audit log.
///
/// No case carries a secret or an identifier.
public enum AccessError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A file cannot be used.
    case unusable(path: String, reason: String)
    /// A file holds something that was not written by this program.
    case malformed(path: String)
    /// The audit log does not end with a line that another could follow.
    case brokenAudit(path: String)

    /// What is wrong and what to do about it.
    public var description: String {
        switch self {
        case .unusable(let path, let reason):
            "cannot use \(path): \(reason); mend it, or give another --data-dir"
        case .malformed(let path):
            "\(path) does not hold tokens; put it back from your backup, or delete it and create tokens anew"
        case .brokenAudit(let path):
            "the last line of \(path) is not one of an audit log; see cozy-telemetry admin audit verify, "
                + "then move the file aside: a new one begins"
        }
    }
}

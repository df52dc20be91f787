// SPDX-License-Identifier: Apache-2.0

public import TelemetryModel

/// Why a bundle of reports cannot be read or sent.
public enum BundleError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The text is no bundle; lines and columns begin at 1.
    case malformed(line: Int, column: Int, reason: String)
    /// A report, counted from 1, is not the one that was signed, or was signed too long ago.
    case unproven(report: Int, SignatureError)
    /// The other endpoint has another path than the one that was signed.
    case otherPath(signed: String)

    /// What is wrong, where, and what would be right.
    public var description: String {
        switch self {
        case .malformed(let line, let column, let reason): "\(line):\(column): \(reason)"
        case .unproven(let report, let error): "report \(report) would not be taken: \(error)"
        case .otherPath(let path): "the reports are signed for the path \(path), and the endpoint has another one"
        }
    }
}

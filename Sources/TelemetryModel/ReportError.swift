// SPDX-License-Identifier: Apache-2.0

public import Exposition

/// Why a body is not a report.
///
/// It names lines and metrics of the dictionary and never repeats what was sent.
public enum ReportError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The body is not in the exposition format.
    case malformed(ExpositionError)
    /// The value of a sample is not a whole number that its metric allows.
    case valueOutOfRange(Metric, line: Int, column: Int)
    /// A series was sent twice with different values.
    case conflictingSamples(line: Int, firstLine: Int)
    /// There is no sample of the dictionary in the body.
    case empty(dropped: Int)

    /// What is wrong, where, and what is expected.
    public var description: String {
        switch self {
        case .malformed(let error):
            return error.description
        case .valueOutOfRange(let metric, let line, let column):
            let definition = metric.definition
            let range = definition.kind == .info ? "1" : "a whole number from 0 to \(definition.largestValue)"
            return "line \(line), column \(column): the value of \(definition.name) must be \(range)"
        case .conflictingSamples(let line, let firstLine):
            return "line \(line): the same series as in line \(firstLine) with another value"
        case .empty(let dropped):
            return dropped == 0
                ? "the report has no samples"
                : "the report has no samples of the data dictionary (\(dropped) were dropped)"
        }
    }
}

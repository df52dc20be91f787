// SPDX-License-Identifier: Apache-2.0

/// Where an exposition is not well formed, and why; it never carries text of the input.
public struct ExpositionError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What is wrong.
    public enum Reason: Equatable, Sendable {
        /// The input has more bytes than the limit.
        case tooManyBytes(limit: Int)
        /// The input has more lines than the limit.
        case tooManyLines(limit: Int)
        /// The input has more samples than the limit.
        case tooManySamples(limit: Int)
        /// A sample has more labels than the limit.
        case tooManyLabels(limit: Int)
        /// A metric or label name is longer than the limit, in bytes.
        case nameTooLong(limit: Int)
        /// A label value is longer than the limit, in bytes.
        case valueTooLong(limit: Int)

        /// A metric name is expected and does not stand here.
        case illegalMetricName
        /// A label name is expected and does not stand here.
        case illegalLabelName
        /// A label is called `__name__`, which would forge the metric's name.
        case reservedLabelName
        /// A label name comes twice in one sample.
        case duplicateLabelName
        /// No `=` after a label name.
        case missingEquals
        /// No quote where a label value begins.
        case missingQuote
        /// The line or the input ends within a label value.
        case unterminatedQuotes
        /// Neither `,` nor `}` after a label value.
        case missingComma
        /// The line or the input ends within the braces.
        case unterminatedLabels
        /// A backslash that begins no escape of the format.
        case illegalEscape
        /// Bytes that are not UTF-8.
        case invalidUTF8

        /// No value after the name and the labels.
        case missingValue
        /// The value is not a float.
        case illegalValue
        /// The value is too large for a 64-bit float.
        case valueOutOfRange
        /// The timestamp does not fit 64 bits.
        case timestampOutOfRange
        /// After the value stands something other than a timestamp, or something stands after that.
        case junkAfterValue

        /// A `# TYPE` line ends before the type.
        case missingType
        /// The type is none of the format's five.
        case unknownType
        /// Something stands after the type.
        case junkAfterType
        /// A second `# TYPE` for a name.
        case secondType
        /// A `# TYPE` after samples of that name.
        case typeAfterSample
        /// A second `# HELP` for a name.
        case secondHelp
    }

    /// The line, from 1.
    public let line: Int
    /// The column in the line, from 1, in bytes; one past the end where something is missing there.
    public let column: Int
    /// What is wrong.
    public let reason: Reason

    /// Makes an error at a position.
    public init(line: Int, column: Int, reason: Reason) {
        self.line = line
        self.column = column
        self.reason = reason
    }

    /// The position and the reason in plain words.
    public var description: String { "line \(line), column \(column): \(reason.description)" }
}

extension ExpositionError.Reason: CustomStringConvertible {
    /// The reason in plain words.
    public var description: String {
        switch self {
        case .tooManyBytes(let limit): "more than \(limit) bytes"
        case .tooManyLines(let limit): "more than \(limit) lines"
        case .tooManySamples(let limit): "more than \(limit) samples"
        case .tooManyLabels(let limit): "more than \(limit) labels in one sample"
        case .nameTooLong(let limit): "a name longer than \(limit) bytes"
        case .valueTooLong(let limit): "a label value longer than \(limit) bytes"
        case .illegalMetricName: "expected a metric name: letters, digits, '_' and ':', not beginning with a digit"
        case .illegalLabelName: "expected a label name: letters, digits and '_', not beginning with a digit"
        case .reservedLabelName: "the label name '__name__' is reserved"
        case .duplicateLabelName: "this label name is already in the sample"
        case .missingEquals: "expected '=' after the label name"
        case .missingQuote: "expected '\"' before the label value"
        case .unterminatedQuotes: "no closing '\"' on this line"
        case .missingComma: "expected ',' or '}' after the label value"
        case .unterminatedLabels: "no closing '}' on this line"
        case .illegalEscape: "after '\\' only '\\' and 'n' are legal, in a label value also '\"'"
        case .invalidUTF8: "not UTF-8"
        case .missingValue: "expected a value"
        case .illegalValue: "the value is not a float"
        case .valueOutOfRange: "the value is too large for a 64-bit float"
        case .timestampOutOfRange: "the timestamp does not fit a signed 64-bit integer"
        case .junkAfterValue: "only a timestamp in whole milliseconds may follow the value"
        case .missingType: "expected a type"
        case .unknownType: "the type is none of counter, gauge, histogram, summary and untyped"
        case .junkAfterType: "nothing may follow the type"
        case .secondType: "a second TYPE for this name"
        case .typeAfterSample: "a TYPE after samples of this name"
        case .secondHelp: "a second HELP for this name"
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

extension ExpositionParser {
    /// A line that means something; ranges are offsets into the bytes that were parsed.
    public enum Line: Sendable, Equatable {
        /// `# HELP`: the text is valid UTF-8 and may hold the escapes `\\` and `\n`.
        case help(name: Range<Int>, text: Range<Int>)
        /// `# TYPE`.
        case type(name: Range<Int>, MetricType)
        /// A sample; its labels are the parser's `labels`.
        case sample(SampleToken)
    }
}

/// A sample's name, value and place, without its labels.
public struct SampleToken: Sendable, Equatable {
    /// The metric name.
    public let name: Range<Int>
    /// The value; NaN and the infinities are legal.
    public let value: Double
    /// The offset of the value's first byte.
    public let valueStart: Int
    /// Milliseconds since 1970, leap seconds not counted.
    public let timestamp: Int64?
    /// The line, from 1.
    public let line: Int
    /// The offset of the line's first byte.
    public let lineStart: Int

    /// The column, from 1 and in bytes, of an offset in this sample's line.
    public func column(of offset: Int) -> Int { offset - lineStart + 1 }
}

/// A label of a sample.
public struct LabelToken: Sendable, Equatable {
    /// The label name.
    public let name: Range<Int>
    /// The bytes between the quotes, valid UTF-8, escapes as they were written.
    public let value: Range<Int>
    /// Whether the value has escapes, so that it means something other than its bytes.
    public let isEscaped: Bool
}

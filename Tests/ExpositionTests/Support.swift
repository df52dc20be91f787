// SPDX-License-Identifier: Apache-2.0

import Exposition
import Testing

/// A line of input in a table of cases, shown by its text.
struct Case<Expected: Sendable>: Sendable, CustomTestStringConvertible {
    let input: [UInt8]
    let expected: Expected

    init(_ input: String, _ expected: Expected) {
        self.init(bytes: Array(input.utf8), expected)
    }

    init(bytes: [UInt8], _ expected: Expected) {
        self.input = bytes
        self.expected = expected
    }

    var testDescription: String { String(decoding: input, as: UTF8.self).debugDescription }
}

/// The error that parsing throws, or nil.
func failure(_ bytes: [UInt8], limits: ExpositionLimits = .unlimited) -> ExpositionError? {
    do throws(ExpositionError) {
        _ = try Sample.parse(bytes, limits: limits)
        return nil
    } catch {
        return error
    }
}

extension ExpositionParser {
    /// The next line of an array; an expectation cannot hold a span.
    mutating func next(_ bytes: [UInt8]) throws(ExpositionError) -> Line? { try next(in: bytes.span) }
}

// SPDX-License-Identifier: Apache-2.0

import Exposition
import Testing

@Suite("Limits")
struct LimitTests {
    static let input = "# TYPE abc gauge\n\nabc{de=\"f\\n\",g=\"hijk\"} 1\nx 2\n"

    /// Limits that the input just meets and ones it is past, with the error.
    static let cases: [(ExpositionLimits, ExpositionLimits, ExpositionError)] = [
        (
            ExpositionLimits(bytes: 47), ExpositionLimits(bytes: 46),
            ExpositionError(line: 1, column: 1, reason: .tooManyBytes(limit: 46))
        ),
        (
            ExpositionLimits(lines: 4), ExpositionLimits(lines: 3),
            ExpositionError(line: 4, column: 1, reason: .tooManyLines(limit: 3))
        ),
        (
            ExpositionLimits(samples: 2), ExpositionLimits(samples: 1),
            ExpositionError(line: 4, column: 1, reason: .tooManySamples(limit: 1))
        ),
        (
            ExpositionLimits(labelsPerSample: 2), ExpositionLimits(labelsPerSample: 1),
            ExpositionError(line: 3, column: 14, reason: .tooManyLabels(limit: 1))
        ),
        (
            ExpositionLimits(nameLength: 3), ExpositionLimits(nameLength: 2),
            ExpositionError(line: 1, column: 8, reason: .nameTooLong(limit: 2))
        ),
        (
            ExpositionLimits(valueLength: 4), ExpositionLimits(valueLength: 3),
            ExpositionError(line: 3, column: 17, reason: .valueTooLong(limit: 3))
        ),
    ]

    @Test("an input at a limit is taken, one past it is refused", arguments: cases)
    func boundary(_ met: ExpositionLimits, _ past: ExpositionLimits, _ error: ExpositionError) {
        #expect(Self.input.utf8.count == 47)
        #expect(failure(Array(Self.input.utf8), limits: met) == nil)
        #expect(failure(Array(Self.input.utf8), limits: past) == error)
    }

    @Test("the limit on names holds for label names too")
    func labelName() {
        let error = ExpositionError(line: 1, column: 3, reason: .nameTooLong(limit: 1))
        #expect(failure(Array("a{bc=\"d\"} 1".utf8), limits: ExpositionLimits(nameLength: 1)) == error)
    }

    @Test("an empty input is within limits of zero")
    func zero() {
        let none = ExpositionLimits(bytes: 0, lines: 0, samples: 0, labelsPerSample: 0, nameLength: 0, valueLength: 0)
        #expect(failure([], limits: none) == nil)
    }

    @Test("after too many bytes the parser is at its end")
    func ended() throws {
        let bytes = Array("a 1".utf8)
        var parser = ExpositionParser(limits: ExpositionLimits(bytes: 2))
        #expect(throws: ExpositionError.self) { try parser.next(bytes) }
        #expect(try parser.next(bytes) == nil)
    }
}

// SPDX-License-Identifier: Apache-2.0

import Exposition
import Testing

@Suite("What is not well formed")
struct BadLineTests {
    /// Line, column and reason.
    typealias Expected = (Int, Int, ExpositionError.Reason)

    static let names: [Case<Expected>] = [
        Case("1a 1", (1, 1, .illegalMetricName)),
        Case("\"a\" 1", (1, 1, .illegalMetricName)),
        Case("{a=\"b\"} 1", (1, 1, .illegalMetricName)),
        Case("a 1\n  é 1", (2, 3, .illegalMetricName)),
        Case("\ra 1", (1, 1, .illegalMetricName)),
        Case("\r", (1, 1, .illegalMetricName)),
        Case("a\u{0} 1", (1, 2, .illegalValue)),
        Case("a.b 1", (1, 2, .illegalValue)),
        Case("a{1b=\"c\"} 1", (1, 3, .illegalLabelName)),
        Case("a{:b=\"c\"} 1", (1, 3, .illegalLabelName)),
        Case("a{b:c=\"c\"} 1", (1, 4, .missingEquals)),
        Case("a{,} 1", (1, 3, .illegalLabelName)),
        Case("a{b=\"c\",,} 1", (1, 9, .illegalLabelName)),
        Case("a{\"b\"=\"c\"} 1", (1, 3, .illegalLabelName)),
        Case("a{__name__=\"b\"} 1", (1, 3, .reservedLabelName)),
        Case("a{b=\"c\",b=\"d\"} 1", (1, 9, .duplicateLabelName)),
        Case("a{b=\"c\",d=\"e\", b=\"c\"} 1", (1, 16, .duplicateLabelName)),
    ]

    static let labels: [Case<Expected>] = [
        Case("a{b} 1", (1, 4, .missingEquals)),
        Case("a{b", (1, 4, .missingEquals)),
        Case("a{b=c} 1", (1, 5, .missingQuote)),
        Case("a{b='c'} 1", (1, 5, .missingQuote)),
        Case("a{b=", (1, 5, .missingQuote)),
        Case("a{b=\"c} 1\nd 1", (1, 5, .unterminatedQuotes)),
        Case("a{b=\"c\r\n\"} 1", (1, 5, .unterminatedQuotes)),
        Case("a{b=\"", (1, 5, .unterminatedQuotes)),
        Case("a{b=\"c\\", (1, 5, .unterminatedQuotes)),
        Case("a{b=\"c\\\"", (1, 5, .unterminatedQuotes)),
        Case("a{b=\"c\" d=\"e\"} 1", (1, 9, .missingComma)),
        Case("a{b=\"c\"x} 1", (1, 8, .missingComma)),
        Case("a{b=\"c\"", (1, 8, .unterminatedLabels)),
        Case("a{b=\"c\"\r\n} 1", (1, 8, .unterminatedLabels)),
        Case("a{b=\"c\",\n} 1", (1, 9, .unterminatedLabels)),
        Case("a{", (1, 3, .unterminatedLabels)),
        Case("a{b=\"c\\x\"} 1", (1, 7, .illegalEscape)),
        Case("a{b=\"\\\\\\t\"} 1", (1, 8, .illegalEscape)),
        Case("a{b=\"c\\\n\"} 1", (1, 7, .illegalEscape)),
    ]

    static let values: [Case<Expected>] = [
        Case("a", (1, 2, .missingValue)),
        Case("a\n", (1, 2, .missingValue)),
        Case("a \t\r\nb 1", (1, 4, .missingValue)),
        Case("a{}", (1, 4, .missingValue)),
        Case("a{b=\"c\"} \n", (1, 10, .missingValue)),
        Case("b 1\na x", (2, 3, .illegalValue)),
        Case("a 1x", (1, 3, .illegalValue)),
        Case("a 1_000", (1, 3, .illegalValue)),
        Case("a {b=\"c\"}{} 1", (1, 10, .illegalValue)),
        Case("a 1e400", (1, 3, .valueOutOfRange)),
        Case("a -1e309 5", (1, 3, .valueOutOfRange)),
        Case("a 1 2 3", (1, 7, .junkAfterValue)),
        Case("a 1 x", (1, 5, .junkAfterValue)),
        Case("a 1 1.5", (1, 5, .junkAfterValue)),
        Case("a 1 -", (1, 5, .junkAfterValue)),
        Case("a 1 # why", (1, 5, .junkAfterValue)),
        Case("a 1\r", (1, 4, .junkAfterValue)),
        Case("a 1\rb 2\n", (1, 4, .junkAfterValue)),
        Case("a 1.5\r5\n", (1, 6, .junkAfterValue)),
        Case("a 1 5\r5\n", (1, 6, .junkAfterValue)),
        Case("a 1 9223372036854775808", (1, 5, .timestampOutOfRange)),
        Case("a 1 -9223372036854775809", (1, 5, .timestampOutOfRange)),
        Case("a 1 99999999999999999999999", (1, 5, .timestampOutOfRange)),
    ]

    static let comments: [Case<Expected>] = [
        Case("# HELP", (1, 7, .illegalMetricName)),
        Case("# TYPE \n", (1, 8, .illegalMetricName)),
        Case("# HELP 1 x", (1, 8, .illegalMetricName)),
        Case("# HELP a-b x", (1, 9, .illegalMetricName)),
        Case("# HELP a x\\y", (1, 11, .illegalEscape)),
        Case("# HELP a x\\\"", (1, 11, .illegalEscape)),
        Case("# HELP a x\\", (1, 11, .illegalEscape)),
        Case("# HELP a x\\\r\n", (1, 11, .illegalEscape)),
        Case("# HELP a x\n# HELP b x\n# HELP a x", (3, 8, .secondHelp)),
        Case("# TYPE a", (1, 9, .missingType)),
        Case("# TYPE a \r\n", (1, 10, .missingType)),
        Case("# TYPE a Counter", (1, 10, .unknownType)),
        Case("# TYPE a info", (1, 10, .unknownType)),
        Case("# TYPE a counters", (1, 10, .unknownType)),
        Case("# TYPE a gauge 1", (1, 16, .junkAfterType)),
        Case("# TYPE a gauge\rx\n", (1, 15, .junkAfterType)),
        Case("# TYPE a gauge\n\n# TYPE a gauge", (3, 8, .secondType)),
        Case("# TYPE a gauge\na 1\n# TYPE a counter", (3, 8, .secondType)),
        Case("a 1\n# TYPE a gauge", (2, 8, .typeAfterSample)),
        Case("# x\n\n \ta{b=\"# \"} 1\nc 1\n# TYPE b gauge\n# TYPE a gauge", (6, 8, .typeAfterSample)),
        Case("# TYPE b gauge\na 1\na 2\n# TYPE a gauge", (4, 8, .typeAfterSample)),
        Case("a 1\n# TYPE b gauge\nb 1\nc 1\n# TYPE c gauge", (5, 8, .typeAfterSample)),
    ]

    @Test("the first error is reported with line, column and reason", arguments: names + labels + values + comments)
    func position(_ test: Case<Expected>) {
        let (line, column, reason) = test.expected
        #expect(failure(test.input) == ExpositionError(line: line, column: column, reason: reason))
    }

    static let illFormed: [[UInt8]] = [
        [0x80], [0xbf], [0xc0, 0x80], [0xc1, 0xbf], [0xc3], [0xc3, 0x28], [0xe0, 0x9f, 0xbf], [0xe2, 0x82],
        [0xed, 0xa0, 0x80], [0xef, 0xbf, 0x20], [0xf0, 0x8f, 0xbf, 0xbf], [0xf0, 0x9f, 0x98], [0xf4, 0x90, 0x80, 0x80],
        [0xf5, 0x80, 0x80, 0x80], [0xff],
    ]

    @Test("bytes that are not UTF-8 are reported where they begin", arguments: illFormed)
    func notUTF8(_ bytes: [UInt8]) {
        let error = { ExpositionError(line: 2, column: $0, reason: .invalidUTF8) }
        #expect(failure(Array("\na{b=\"xé".utf8) + bytes + Array("\"} 1".utf8)) == error(9))
        #expect(failure(Array("\na{b=\"nine bytes".utf8) + bytes + Array("ten bytes\"} 1".utf8)) == error(16))
        #expect(failure(Array("\n# é".utf8) + bytes + Array("\n".utf8)) == error(5))
        #expect(failure(Array("\n# HELP a ".utf8) + bytes) == error(10))
    }

    @Test(
        "a label name that comes twice is found among many labels, wherever it stands",
        arguments: [0, 15, 16, 17, 39]
    )
    func lateDuplicate(_ index: Int) {
        let labels = (0..<40).map { "l\($0 + 10)=\"\"" }
        let line = "a{" + (labels + [labels[index]]).joined(separator: ",") + "} 1"
        #expect(failure(Array(line.utf8)) == ExpositionError(line: 1, column: 283, reason: .duplicateLabelName))
    }

    @Test("after an error the parser is at its end")
    func ended() throws {
        let bytes = Array("1\na 1".utf8)
        var parser = ExpositionParser()
        #expect(throws: ExpositionError.self) { try parser.next(bytes) }
        #expect(try parser.next(bytes) == nil)
    }

    @Test("an error says where and why in words")
    func description() {
        let error = ExpositionError(line: 3, column: 7, reason: .tooManyLabels(limit: 5))
        #expect(error.description == "line 3, column 7: more than 5 labels in one sample")
        #expect("\(ExpositionError.Reason.duplicateLabelName)" == "this label name is already in the sample")
    }
}

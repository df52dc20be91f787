// SPDX-License-Identifier: Apache-2.0

import FleetSimulator
import Exposition
import Testing

@Suite("Writer")
struct WriterTests {
    static let lines: [(Sample, String)] = [
        (Sample(name: "a", value: 1), "a 1\n"),
        (Sample(name: "a:b", value: -0.5, timestamp: -3), "a:b -0.5 -3\n"),
        (Sample(name: "a", labels: [Label(name: "b", value: "")], value: 1), "a{b=\"\"} 1\n"),
        (
            Sample(name: "a", labels: [Label(name: "z", value: "1"), Label(name: "b", value: "2")], value: 1),
            "a{z=\"1\",b=\"2\"} 1\n"
        ),
        (
            Sample(
                name: "a",
                labels: [Label(name: "b", value: "\\ \" \n \\n é\r\t")],
                value: .infinity,
                timestamp: .max
            ),
            "a{b=\"\\\\ \\\" \\n \\\\n é\r\t\"} +Inf 9223372036854775807\n"
        ),
    ]

    @Test("a sample is written as a line, its labels escaped and in their order", arguments: lines)
    func line(_ sample: Sample, _ text: String) throws {
        var writer = ExpositionWriter()
        try writer.sample(sample)
        #expect(String(decoding: writer.bytes, as: UTF8.self) == text)
    }

    @Test("HELP and TYPE are written with the escapes of a text")
    func metadata() throws {
        var writer = ExpositionWriter()
        try writer.help(name: "a", text: "one\\two\n\"three\"")
        try writer.type(name: "a", .histogram)
        try writer.help(name: "b", text: "")
        #expect(
            String(decoding: writer.bytes, as: UTF8.self)
                == "# HELP a one\\\\two\\n\"three\"\n# TYPE a histogram\n# HELP b \n"
        )
        #expect(failure(writer.bytes) == nil)
    }

    static let refusals: [(Sample, Int, ExpositionError.Reason)] = [
        (Sample(name: "", value: 1), 1, .illegalMetricName),
        (Sample(name: "1a", value: 1), 1, .illegalMetricName),
        (Sample(name: "a b", value: 1), 1, .illegalMetricName),
        (Sample(name: "é", value: 1), 1, .illegalMetricName),
        (Sample(name: "a", labels: [Label(name: "", value: "")], value: 1), 3, .illegalLabelName),
        (Sample(name: "a", labels: [Label(name: "b:c", value: "")], value: 1), 3, .illegalLabelName),
        (Sample(name: "a", labels: [Label(name: "__name__", value: "")], value: 1), 3, .reservedLabelName),
        (
            Sample(name: "a", labels: [Label(name: "b", value: "c"), Label(name: "b", value: "d")], value: 1), 9,
            .duplicateLabelName
        ),
    ]

    @Test("a sample that would not parse is refused and leaves no trace", arguments: refusals)
    func refused(_ sample: Sample, _ column: Int, _ reason: ExpositionError.Reason) throws {
        var writer = ExpositionWriter()
        try writer.sample(name: "first", value: 1)
        #expect(throws: ExpositionError(line: 2, column: column, reason: reason)) { try writer.sample(sample) }
        #expect(writer.bytes == Array("first 1\n".utf8))
    }

    @Test("a second HELP, a second TYPE and a TYPE after samples are refused")
    func metadataOrder() throws {
        var writer = ExpositionWriter()
        try writer.help(name: "a", text: "x")
        try writer.type(name: "a", .gauge)
        try writer.sample(name: "a", value: 1)
        try writer.sample(name: "b", value: 1)
        let before = writer.bytes
        #expect(throws: ExpositionError(line: 5, column: 8, reason: .secondHelp)) {
            try writer.help(name: "a", text: "y")
        }
        #expect(throws: ExpositionError(line: 5, column: 8, reason: .typeAfterSample)) {
            try writer.type(name: "b", .gauge)
        }
        try writer.type(name: "c", .gauge)
        #expect(throws: ExpositionError(line: 6, column: 8, reason: .secondType)) {
            try writer.type(name: "c", .counter)
        }
        #expect(writer.bytes == before + Array("# TYPE c gauge\n".utf8))
    }

    @Test("samples in any order are written in one order: by name, labels, value and timestamp, by bytes")
    func order() throws {
        let sorted = [
            Sample(name: "Z", value: 1),
            Sample(name: "a", value: -0.0),
            Sample(name: "a", value: 0),
            Sample(name: "a", value: 1),
            Sample(name: "a", value: 1, timestamp: .min),
            Sample(name: "a", value: 1, timestamp: 5),
            Sample(name: "a", value: .nan),
            Sample(name: "a", labels: [Label(name: "b", value: "10")], value: 0),
            Sample(name: "a", labels: [Label(name: "b", value: "10"), Label(name: "c", value: "")], value: 0),
            Sample(name: "a", labels: [Label(name: "b", value: "9")], value: 0),
            Sample(name: "a", labels: [Label(name: "b", value: "e\u{301}")], value: 0),
            Sample(name: "a", labels: [Label(name: "b", value: "\u{e9}")], value: 0),
            Sample(name: "a", labels: [Label(name: "c", value: "")], value: 0),
            Sample(name: "a_b", value: 0),
        ]
        var writer = ExpositionWriter()
        for sample in sorted { try writer.sample(sample) }
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededGenerator(seed: seed)
        for _ in 0..<100 {
            let written = try ExpositionWriter.write(sorted: sorted.shuffled(using: &random))
            #expect(written == writer.bytes, "seed \(seed)")
        }
    }

    @Test("labels are equal only if their bytes are")
    func labelEquality() {
        let (composed, decomposed) = (Label(name: "a", value: "\u{e9}"), Label(name: "a", value: "e\u{301}"))
        #expect(composed != decomposed)
        #expect(Set([composed, decomposed, composed]).count == 2)
    }
}

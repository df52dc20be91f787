// SPDX-License-Identifier: Apache-2.0

import Exposition
import Testing

@Suite("What is well formed")
struct GoodLineTests {
    static let a1 = Sample(name: "a", value: 1)
    static let abc = Sample(name: "a", labels: [Label(name: "b", value: "c")], value: 1)
    static let two = Sample(
        name: "a",
        labels: [Label(name: "b", value: "c"), Label(name: "d", value: "e")],
        value: 1
    )

    static func label(_ value: String) -> [Sample] {
        [Sample(name: "a", labels: [Label(name: "b", value: value)], value: 1)]
    }

    static let cases: [Case<[Sample]>] = [
        Case("", []),
        Case("\n", []),
        Case("\r\n \t\r\n\n", []),
        Case("  ", []),
        Case("a 1\n", [a1]),
        Case("a 1", [a1]),
        Case("a 1\r\n", [a1]),
        Case("a 1\r\na 1\r\n", [a1, a1]),
        Case("a 1 \t\n", [a1]),
        Case(" \ta\t 1", [a1]),
        Case("a{} 1", [a1]),
        Case("a{ \t} 1", [a1]),
        Case("a{}1", [a1]),
        Case("a{b=\"c\"} 1", [abc]),
        Case("a{b=\"c\",} 1", [abc]),
        Case("a {\tb = \"c\" , } 1", [abc]),
        Case("a{b=\"c\"}1\n", [abc]),
        Case("a {b = \"c\" ,d=\"e\"}\t1", [two]),
        Case("a{b=\"c\",d=\"e\"} 1\r\n", [two]),
        Case("a-1", [Sample(name: "a", value: -1)]),
        Case(":a_:9Z 1", [Sample(name: ":a_:9Z", value: 1)]),
        Case("_ 1", [Sample(name: "_", value: 1)]),
        Case(
            "a_name_longer_than_eight_bytes{AND_A_label_name_0123456789=\"c\"} 1",
            [
                Sample(
                    name: "a_name_longer_than_eight_bytes",
                    labels: [Label(name: "AND_A_label_name_0123456789", value: "c")],
                    value: 1
                )
            ]
        ),
        Case("a{b=\"\"} 1", label("")),
        Case(#"a{b="\\"} 1"#, label(#"\"#)),
        Case(#"a{b="\""} 1"#, label("\"")),
        Case(#"a{b="x\ny"} 1"#, label("x\ny")),
        Case(#"a{b="\\n\"\n"} 1"#, label("\\n\"\n")),
        Case(
            #"a{b="long enough for words \\ and more of it \""} 1"#,
            label("long enough for words \\ and more of it \"")
        ),
        Case("a{b=\"é€😀\u{10ffff}\"} 1", label("é€😀\u{10ffff}")),
        Case("a{b=\"\u{0}\u{1}\r\t\u{7f}\"} 1", label("\u{0}\u{1}\r\t\u{7f}")),
        Case("a{b=\"{},=#'\"} 1", label("{},=#'")),
        Case("a 1 0", [Sample(name: "a", value: 1, timestamp: 0)]),
        Case("a 1 -5\r\n", [Sample(name: "a", value: 1, timestamp: -5)]),
        Case("a 1\t+1700000000000 \t\n", [Sample(name: "a", value: 1, timestamp: 1_700_000_000_000)]),
        Case("a 1 9223372036854775807", [Sample(name: "a", value: 1, timestamp: .max)]),
        Case("a 1 -9223372036854775808", [Sample(name: "a", value: 1, timestamp: .min)]),
        Case("#\n# \n#comment\n# any \" thing { \\x é \u{1}\na 1", [a1]),
        Case("#", []),
        Case("# HELP a\n# TYPE a counter\na 1", [a1]),
        Case("a 1\n# HELP a text", [a1]),
        Case("# HELPa b\n# TYPES a b\n# help a\n# help a", []),
        Case("# TYPE a counter\n# TYPE b gauge\nb 1\na 1", [Sample(name: "b", value: 1), a1]),
        Case("# TYPE a_b counter\na 1\n# TYPE ab counter\n", [a1]),
    ]

    @Test("a well-formed input gives its samples", arguments: cases)
    func samples(_ test: Case<[Sample]>) throws {
        #expect(try Sample.parse(test.input) == test.expected)
    }

    @Test("a name may hold letters, digits and underscores, a metric name also colons, and no other byte")
    func nameBytes() {
        for byte in UInt8.min ... .max {
            let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
            let isLegal = letters.contains(byte | 0x20) && byte >= 0x40 || "0123456789_".utf8.contains(byte)
            // Long names are looked at eight bytes at a time, short ones near the end byte by byte.
            for (before, after) in [("abcd", "efghijklmnop"), ("x", "y")] {
                let name = Array(before.utf8) + [byte] + Array(after.utf8)
                let isMetricName = failure(name + Array(" 1".utf8)) == nil
                let isLabelName = failure(Array("a{".utf8) + name + Array("=\"\"}1".utf8)) == nil
                #expect(isMetricName == (isLegal || byte == UInt8(ascii: ":")), "byte \(byte)")
                #expect(isLabelName == isLegal, "byte \(byte)")
            }
        }
    }

    @Test("HELP and TYPE lines come as lines of their own")
    func metadata() throws {
        let bytes = Array("#HELP  a \t x \\\\ y\\n \r\n\t#\tTYPE a\tsummary \r\n# HELP b\n# HELP c \n".utf8)
        var parser = ExpositionParser()
        var seen: [String] = []
        while let line = try parser.next(bytes) {
            switch line {
            case .help(let name, let text):
                seen += ["help", bytes.span.text(name), bytes.span.unescaped(text)]
            case .type(let name, let type):
                seen += ["type", bytes.span.text(name), type.rawValue]
            case .sample:
                Issue.record("there is no sample")
            }
        }
        #expect(seen == ["help", "a", "x \\ y\n ", "type", "a", "summary", "help", "b", "", "help", "c", ""])
    }

    @Test("every type of the format is known", arguments: MetricType.allCases)
    func types(_ type: MetricType) throws {
        let bytes = Array("# TYPE a \(type.rawValue)".utf8)
        var parser = ExpositionParser()
        #expect(try parser.next(bytes) == .type(name: 7..<8, type))
        #expect(try parser.next(bytes) == nil)
    }

    @Test("a sample knows its line and the columns of its parts")
    func positions() throws {
        let bytes = Array("# x\n\n a{b=\"c\",d=\"\\n\"} 1\nz 2".utf8)
        var parser = ExpositionParser()
        guard case .sample(let sample) = try parser.next(bytes) else {
            Issue.record("no sample")
            return
        }
        #expect(sample.line == 3)
        #expect(sample.column(of: sample.name.lowerBound) == 2)
        #expect(parser.labels.map { sample.column(of: $0.name.lowerBound) } == [4, 10])
        #expect(parser.labels.map { sample.column(of: $0.value.lowerBound) } == [7, 13])
        #expect(parser.labels.map(\.isEscaped) == [false, true])
        let values = parser.labels.map { bytes.span.value(of: $0) }
        #expect(values == ["c", "\n"])
        _ = try parser.next(bytes)
        #expect(parser.labels.isEmpty)
    }

    @Test("ranges compare with text by bytes")
    func comparison() {
        let bytes = Array("name é".utf8)
        let span = bytes.span
        let equal = [
            span.equals(0..<4, "name"), span.equals(0..<1, "n"), span.equals(0..<7, "name é".utf8),
        ]
        let different = [
            span.equals(0..<4, "nam"), span.equals(0..<4, "namx"), span.equals(0..<7, "name e".utf8),
            span.equals(5..<7, "ê".utf8),
        ]
        #expect(equal.allSatisfy { $0 })
        #expect(!different.contains(true))
    }

    @Test("no label is lost or taken for another among a thousand")
    func manyLabels() throws {
        let labels = (0..<1000).map { Label(name: "l\($0)", value: "\($0)") }
        var writer = ExpositionWriter()
        try writer.sample(name: "a", labels: labels, value: 1)
        #expect(try Sample.parse(writer.bytes) == [Sample(name: "a", labels: labels, value: 1)])
    }
}

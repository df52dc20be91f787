// SPDX-License-Identifier: Apache-2.0

import FleetSimulator
import Exposition
import Foundation
import Testing

@Suite("Round trips")
struct RoundTripTests {
    static let fixtures = ["payload-v0.22.prom", "payload-v1-controller.prom", "payload-v1-operator.prom"]

    static func fixture(_ name: String) throws -> [UInt8] {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return [UInt8](try Data(contentsOf: tests.appendingPathComponent("Fixtures/\(name)")))
    }

    @Test("a deployed client's report is read and written back byte for byte", arguments: fixtures)
    func deployedReport(_ name: String) throws {
        let bytes = try Self.fixture(name)
        var writer = ExpositionWriter()
        let samples = try Sample.parse(bytes)
        for sample in samples { try writer.sample(sample) }
        #expect(samples.count > 4)
        #expect(writer.bytes == bytes)
    }

    @Test("random samples are read back as they were written")
    func randomSamples() throws {
        let seed = UInt64.random(in: .min ... .max)
        var random = SampleGenerator(random: SeededGenerator(seed: seed))
        for _ in 0..<100 {
            let samples = (0..<100).map { _ in random.sample() }
            var writer = ExpositionWriter()
            for sample in samples { try writer.sample(sample) }
            let read = try Sample.parse(writer.bytes)
            #expect(read.map(Comparable.init) == samples.map(Comparable.init), "seed \(seed)")

            let sorted = try ExpositionWriter.write(sorted: samples)
            let again = try ExpositionWriter.write(sorted: Sample.parse(sorted))
            #expect(again == sorted, "seed \(seed)")
        }
    }

    @Test("a damaged input parses or gives a position inside it")
    func mutations() throws {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededGenerator(seed: seed)
        let head = "# HELP a text \\n\n# TYPE a gauge\r\na{b=\"\\\\é\"} 0x1p-2 5\nb 1e5\n# TYPE c untyped\n"
        let valid = Array(head.utf8) + (try Self.fixture(Self.fixtures[0]))
        var refused = 0
        for _ in 0..<20_000 {
            let bytes = damaged(valid, using: &random)
            guard let error = failure(bytes) else { continue }
            refused += 1
            let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            guard (1...lines.count).contains(error.line) else {
                Issue.record("line \(error.line) of \(lines.count), seed \(seed)")
                return
            }
            #expect((1...(lines[error.line - 1].count + 1)).contains(error.column), "\(error), seed \(seed)")
        }
        #expect((1000..<20_000).contains(refused), "seed \(seed)")
    }

    /// Replaces, inserts, removes or cuts at up to four places.
    private func damaged(_ valid: [UInt8], using random: inout SeededGenerator) -> [UInt8] {
        let telling = Array("\"\\{}=,# \t\r\n_:0".utf8) + [0x00, 0x80, 0xc3, 0xff]
        var bytes = valid
        for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
            let index = Int.random(in: bytes.indices, using: &random)
            let byte = telling.randomElement(using: &random) ?? 0
            switch Int.random(in: 0..<16, using: &random) {
            case 0: bytes.removeSubrange(index...)
            case 1...5: bytes.remove(at: index)
            case 6...10: bytes.insert(byte, at: index)
            default: bytes[index] = byte
            }
        }
        return bytes
    }

    /// A sample with its value as bits, in which NaN equals itself and the two zeros differ.
    private struct Comparable: Equatable {
        let name: String
        let labels: [Label]
        let value: UInt64
        let timestamp: Int64?

        init(_ sample: Sample) {
            (name, labels, timestamp) = (sample.name, sample.labels, sample.timestamp)
            value = sample.value.isNaN ? Double.nan.bitPattern : sample.value.bitPattern
        }
    }
}

/// Makes samples with short and long names, nasty label values and floats of every kind.
private struct SampleGenerator {
    var random: SeededGenerator

    static let letters = Array("abcxyzABCXYZ_")
    static let pieces = [
        "\\", "\"", "\n", "\\n", "\r", "\r\n", "\t", " ", "{", "}", ",", "=", "#", "\u{0}", "\u{7f}", "a", "plain text",
        "é", "e\u{301}", "€", "😀", "\u{10ffff}", "\u{fffd}", "\u{80}", "\u{feff}",
    ]

    mutating func sample() -> Sample {
        let count = Int.random(in: 0...20, using: &random)
        let labels = (0..<count).map { Label(name: "\(name())_\($0)", value: text()) }
        let timestamp = Bool.random(using: &random) ? Int64.random(in: .min ... .max, using: &random) : nil
        return Sample(name: name() + ":", labels: labels, value: number(), timestamp: timestamp)
    }

    private mutating func name() -> String {
        let count = Int.random(in: 1...24, using: &random)
        return String((0..<count).map { _ in Self.letters.randomElement(using: &random) ?? "a" })
    }

    private mutating func text() -> String {
        let count = Int.random(in: 0...12, using: &random)
        return (0..<count).map { _ in Self.pieces.randomElement(using: &random) ?? "" }.joined()
    }

    private mutating func number() -> Double {
        switch Int.random(in: 0..<4, using: &random) {
        case 0: Double(bitPattern: UInt64.random(in: .min ... .max, using: &random))
        case 1: Double(Int64.random(in: .min ... .max, using: &random) >> Int64.random(in: 0..<64, using: &random))
        case 2: Double.random(in: -1...1, using: &random)
        default: [0, -0.0, .nan, .infinity, -.infinity, .leastNonzeroMagnitude].randomElement(using: &random) ?? 0
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import FleetSimulator
import Exposition
import Testing

@Suite("Floats")
struct FloatTests {
    static let legal: [(String, Double)] = [
        ("0", 0), ("-0", -0.0), ("+0", 0), ("1", 1), ("+1", 1), ("-1", -1), ("007", 7),
        ("1.", 1), (".5", 0.5), ("-.5", -0.5), ("1.5e3", 1500), ("1E3", 1000), ("1e+3", 1000), ("1e-3", 0.001),
        ("3.14159", 3.14159), ("0.1", 0.1), ("0.30000000000000004", 0.1 + 0.2), ("-3e3", -3000),
        ("123456789012345", 123_456_789_012_345), ("1234567890123456", 1_234_567_890_123_456),
        ("-123456789012345", -123_456_789_012_345), ("9007199254740993", 9_007_199_254_740_992),
        ("9007199254740995", 9_007_199_254_740_996), ("18446744073709551615", 18_446_744_073_709_551_616),
        ("18446744073709551616", 18_446_744_073_709_551_616), ("811020009472", 811_020_009_472),
        ("1e22", 1e22), ("1e23", 1e23), ("9007199254740992e22", 9007199254740992e22), ("1e-22", 1e-22),
        ("1.7976931348623157e308", .greatestFiniteMagnitude), ("17976931348623157e292", .greatestFiniteMagnitude),
        ("2.2250738585072014e-308", .leastNormalMagnitude), ("4.9e-324", .leastNonzeroMagnitude),
        ("2.2250738585072011e-308", .leastNormalMagnitude.nextDown), ("2e-324", 0), ("1e-400", 0), ("-1e-400", -0.0),
        ("0e999999999999999999999", 0), ("1e-999999999999999999999", 0),
        ("0x1p0", 1), ("0X1P4", 16), ("-0x1.8p1", -3), ("0x.8p1", 1), ("0x1.p1", 2), ("0xAbCp-4", 171.75),
        ("0x1p+2", 4), ("0x1p-1074", .leastNonzeroMagnitude), ("0x0p0", 0),
        ("0x1.00000000000008p0", 1), ("0x1.00000000000018p0", 1 + 2 * .ulpOfOne),
        ("0x1.000000000000081p0", 1 + .ulpOfOne), ("0x0.8p-1074", 0), ("0x1.8p-1074", 2 * .leastNonzeroMagnitude),
        ("0x1.fffffffffffffp1023", .greatestFiniteMagnitude), ("0x1.fffffffffffff7p1023", .greatestFiniteMagnitude),
        ("Inf", .infinity), ("+Inf", .infinity), ("-Inf", -.infinity), ("inf", .infinity), ("INF", .infinity),
        ("infinity", .infinity), ("-Infinity", -.infinity), ("+iNfInItY", .infinity),
        ("1" + String(repeating: "0", count: 5000) + "e-5000", 1),
        ("0." + String(repeating: "0", count: 5000) + "1e5001", 1),
        ("1." + String(repeating: "0", count: 3000) + "1", 1),
        ("1.00000000000000011102230246251565404236316680908203125", 1),
        ("1.00000000000000011102230246251565404236316680908203126", 1 + .ulpOfOne),
    ]

    @Test("a float in any form Go takes gives the nearest number", arguments: legal)
    func forms(_ text: String, _ value: Double) throws {
        let samples = try Sample.parse(Array("a \(text)".utf8))
        #expect(samples.map(\.value.bitPattern) == [value.bitPattern])
    }

    @Test("NaN is read in any case of letters", arguments: ["NaN", "nan", "NAN"])
    func nan(_ text: String) throws {
        let samples = try Sample.parse(Array("a \(text) 5".utf8))
        #expect(samples.count == 1 && samples[0].value.isNaN && samples[0].timestamp == 5)
    }

    static let illegal = [
        "+", "-", ".", "+.", "e5", ".e5", "1e", "1e+", "1e5.", "1.2.3", "--1", "+-1", "1-", "1,5", "1f", "0b1", "0o7",
        "0x", "0x1", "0x1.8", "0xp1", "0x.p1", "0x1p", "0x1e5", "0x1pa", "x1p1", "1p1", "0x1_0p0", "1_0", "_1",
        "+NaN", "-nan", "nanx", "NaN()", "in", "infi", "infinit", "infinityx", "++inf", "null", "\u{10}x1p0", "١",
    ]

    @Test("what Go's parser does not take is not a float", arguments: illegal)
    func refused(_ text: String) {
        #expect(failure(Array("a \(text)".utf8)) == ExpositionError(line: 1, column: 3, reason: .illegalValue))
    }

    static let tooLarge = [
        "1e309", "-1e400", "1.7976931348623159e308", "1e99999999999999999999", "0x1p1024", "0x1.fffffffffffff8p1023",
        "1" + String(repeating: "0", count: 400),
    ]

    @Test("a number beyond the largest float is out of range", arguments: tooLarge)
    func outOfRange(_ text: String) {
        #expect(failure(Array("a \(text)".utf8)) == ExpositionError(line: 1, column: 3, reason: .valueOutOfRange))
    }

    @Test("random decimals are read as the standard library reads them")
    func agreement() throws {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededGenerator(seed: seed)
        for _ in 0..<20_000 {
            let digits = String(
                UInt64.random(in: .min ... .max, using: &random) >> UInt64.random(in: 0..<64, using: &random)
            )
            let fraction = Bool.random(using: &random) ? ".\(UInt16.random(in: 0...999, using: &random))" : ""
            let exponent = Bool.random(using: &random) ? "e\(Int.random(in: -40...40, using: &random))" : ""
            let text = digits + fraction + exponent
            let value = try Sample.parse(Array("a \(text)".utf8)).first?.value
            #expect(value == Double(text), "seed \(seed), \(text)")
        }
    }

    static let written: [(Double, String)] = [
        (0, "0"), (-0.0, "-0"), (1, "1"), (-1, "-1"), (0.1, "0.1"), (1.0 / 3, "0.3333333333333333"),
        (811_020_009_472, "811020009472"), (1e15, "1000000000000000"), (0x1p53, "9007199254740992"),
        (-0x1p53, "-9007199254740992"), (1e21, "1e+21"), (.leastNonzeroMagnitude, "5e-324"), (1.5, "1.5"),
        (.greatestFiniteMagnitude, "1.7976931348623157e+308"), (.nan, "NaN"), (.infinity, "+Inf"), (-.infinity, "-Inf"),
    ]

    @Test("a float is written as the shortest text that reads back the same", arguments: written)
    func shortest(_ value: Double, _ text: String) {
        #expect(value.expositionText == text)
    }
}

// SPDX-License-Identifier: Apache-2.0

import FleetSimulator
import TelemetryModel
import Testing

private let billion: Int128 = 1_000_000_000

/// 2⁶³ − 1 units in billionths, the largest magnitude.
private let limit = Int128(Int64.max) * billion

@Suite("Quantities of Kubernetes")
struct QuantityTests {
    @Test(
        "every suffix has its factor",
        arguments: [
            ("3n", 3), ("3u", 3_000), ("3m", 3_000_000), ("3", 3 * billion), ("3k", 3_000 * billion),
            ("3M", 3_000_000 * billion), ("3G", 3 * billion * billion), ("3T", 3_000 * billion * billion),
            ("3P", 3_000_000 * billion * billion), ("3E", 3 * billion * billion * billion),
            ("3Ki", 3 * 1_024 * billion), ("3Mi", 3 * 1_048_576 * billion), ("3Gi", 3 * 1_073_741_824 * billion),
            ("3Ti", 3 * 1_099_511_627_776 * billion), ("3Pi", 3 * 1_125_899_906_842_624 * billion),
            ("3Ei", 3 * 1_152_921_504_606_846_976 * billion),
        ] as [(String, Int128)]
    )
    func suffixes(text: String, nanos: Int128) {
        #expect(Quantity(text)?.nanos == nanos)
        #expect(Quantity("-" + text)?.nanos == -nanos)
        #expect(Quantity("+" + text)?.nanos == nanos)
    }

    @Test(
        "the forms in the field are read exactly",
        arguments: [
            ("5Gi", 5_368_709_120), ("5G", 5_000_000_000), ("5368709120", 5_368_709_120),
            ("1.5Ti", 1_649_267_441_664), ("128974848000m", 128_974_848), ("1e10", 10_000_000_000), ("1E3", 1_000),
            ("1E", 1_000_000_000_000_000_000), ("1e+3", 1_000), ("1500e-2", 15), ("0", 0), ("-0", 0), ("007", 7),
            ("65835772Ki", 67_415_830_528), ("0.5Gi", 536_870_912), (".5k", 500), ("5.k", 5_000),
            ("1.000000000000000000000000000000000000000000000000000000", 1),
        ] as [(String, Int128)]
    )
    func fieldForms(text: String, units: Int128) {
        #expect(Quantity(text)?.nanos == units * billion)
    }

    @Test(
        "a fraction finer than a billionth is rounded away from zero",
        arguments: [
            ("0.1n", 1), ("-0.1n", -1), ("1.0000000001", 1_000_000_001), ("-1.0000000001", -1_000_000_001),
            ("1e-10", 1), ("1e-999999999", 1), ("0e-999999999", 0), ("1.9999999999", 2_000_000_000),
            ("0.0000000000000000000000000000000000000000000000000000000000000001", 1),
            ("1.00000000000000000000000000000000000000000000000000000000000001", 1_000_000_001),
        ] as [(String, Int128)]
    )
    func finerThanNano(text: String, nanos: Int128) {
        #expect(Quantity(text)?.nanos == nanos)
    }

    @Test("a small fraction with a large suffix is not lost, however many digits it has")
    func manyDigitsAndSuffix() {
        let nines = String(repeating: "9", count: 38)
        // 10⁻¹⁰ × 2⁶⁰ × 10⁹ billionths.
        #expect(Quantity("0.0000000000\(nines)Ei")?.nanos == 115_292_150_460_684_698)
        #expect(Quantity("0.\(String(repeating: "0", count: 25))1Ei")?.nanos == 12)
        #expect(Quantity("0.\(String(repeating: "3", count: 60))Ki")?.nanos == 341_333_333_334)
    }

    @Test(
        "a magnitude over 2⁶³ − 1 is capped there",
        arguments: [
            "9223372036854775807", "9223372036854775808", "9223372036854775807.1", "8Ei", "100E", "1e19", "1e999999999",
            "99999999999999999999999999999999999999999999999999", "20000Pi", "9999999999Gi",
        ]
    )
    func capped(text: String) {
        #expect(Quantity(text)?.nanos == limit)
        #expect(Quantity("-" + text)?.nanos == -limit)
        #expect(Quantity(text)?.roundedUp == Int64.max)
        #expect(Quantity("-" + text)?.roundedDown == -Int64.max)
    }

    @Test(
        "everything else is not a quantity",
        arguments: [
            "", " ", "+", "-", ".", "-.", "5gi", "5GI", "5K", "5ki", "5g", "5t", "5mi", "1e", "1e+", "1E+", "1e-", "e3",
            "--1", "+-1", "1-", " 1", "1 ", "1 Gi", "1\n", "٣", "1e٣", "0x10", "1_000", "1,5", "1.5.5", "1Ki5", "Gi",
            "1GiB", "1e3Gi", "1e3.5", "1ee3", "1e++3", "1 e3", "1e 3", "1e1_0", "inf", "NaN", "½", "1e9999999999",
            "5\u{212A}i", "1\u{0}", "1Gi\u{301}",
        ]
    )
    func junk(text: String) {
        #expect(Quantity(text) == nil)
    }

    @Test("random decimals with any suffix are exact", arguments: 1...20)
    func randomExactness(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let factors: [(suffix: String, factor: Int128)] = [
            ("", 1), ("k", 1_000), ("M", 1_000_000), ("G", billion), ("Ki", 1 << 10), ("Mi", 1 << 20), ("Gi", 1 << 30),
            ("Ti", 1 << 40), ("e3", 1_000), ("E2", 100),
        ]
        for _ in 0..<500 {
            let whole = Int128.random(in: 0..<1_000_000_000_000, using: &random)
            let places = Int.random(in: 0...15, using: &random)
            let scale = (0..<places).reduce(Int128(1)) { power, _ in power * 10 }
            let fraction = Int128.random(in: 0..<scale, using: &random)
            let (suffix, factor) = factors[Int.random(in: factors.indices, using: &random)]
            let padded = String(String(fraction + scale).dropFirst())
            let text = places == 0 ? "\(whole)\(suffix)" : "\(whole).\(padded)\(suffix)"
            let exact = (fraction * factor * billion).quotientAndRemainder(dividingBy: scale)
            let nanos = whole * factor * billion + exact.quotient + (exact.remainder > 0 ? 1 : 0)
            #expect(Quantity(text)?.nanos == min(nanos, limit), "seed \(seed): \(text)")
        }
    }

    @Test("whole units are rounded to the side that is asked for, the same way below zero")
    func rounding() throws {
        let cases: [(String, Int64, Int64)] = [
            ("1", 1, 1), ("1.000000001", 1, 2), ("-1.5", -1, -2), ("3999m", 3, 4), ("4000m", 4, 4), ("0.1n", 0, 1),
        ]
        for (text, down, up) in cases {
            let quantity = try #require(Quantity(text))
            #expect(quantity.roundedDown == down, "\(text)")
            #expect(quantity.roundedUp == up, "\(text)")
        }
    }

    @Test("quantities are ordered by amount and equal in whatever form they are written")
    func order() throws {
        let ascending = [
            "-1G", "-1", "0", "1n", "999u", "1m", "1", "1k", "1Ki", "1G", "1Gi", "1.5Gi", "2G", "1E", "1Ei",
        ]
        let quantities = try ascending.map { try #require(Quantity($0)) }
        for (left, right) in zip(quantities, quantities.dropFirst()) {
            #expect(left < right)
            #expect(!(right < left))
        }
        #expect(Quantity("1024Mi") == Quantity("1Gi"))
        #expect(Quantity("1000m") == Quantity("1e0"))
    }
}

@Suite("Size groups")
struct SizeGroupTests {
    @Test("wire names stand in the order of size")
    func names() {
        let names = ["1Gi", "5Gi", "10Gi", "25Gi", "50Gi", "100Gi", "250Gi", "500Gi", "1Ti", "2Ti", "5Ti", "10Ti"]
        #expect(SizeGroup.allCases.map(\.rawValue) == names)
    }

    @Test(
        "a group ends where the next whole GiB begins",
        arguments: [
            (1, "1Gi", "5Gi"), (5, "5Gi", "10Gi"), (10, "10Gi", "25Gi"), (25, "25Gi", "50Gi"), (50, "50Gi", "100Gi"),
            (100, "100Gi", "250Gi"), (250, "250Gi", "500Gi"), (500, "500Gi", "1Ti"), (1_024, "1Ti", "2Ti"),
            (2_048, "2Ti", "5Ti"), (5_120, "5Ti", "10Ti"),
        ]
    )
    func boundaries(gibibytes: Int64, group: String, next: String) throws {
        let size = gibibytes << 30
        let beyond = (gibibytes + 1) << 30
        for (bytes, expected) in [(size, group), (size + 1, group), (beyond - 1, group), (beyond, next)] {
            let capacity = try #require(Quantity("\(bytes)"))
            #expect(SizeGroup(capacity: capacity).rawValue == expected, "\(bytes) bytes")
        }
    }

    @Test(
        "capacities in the field fall in their group",
        arguments: [
            ("5Gi", "5Gi"), ("5G", "5Gi"), ("0", "1Gi"), ("100Mi", "1Gi"), ("1.5Ti", "2Ti"), ("20Gi", "25Gi"),
            ("128974848000m", "1Gi"), ("1e10", "10Gi"), ("10Ti", "10Ti"), ("8Ei", "10Ti"), ("1e99", "10Ti"),
            ("-1", "1Gi"),
        ]
    )
    func fieldForms(text: String, group: String) throws {
        #expect(SizeGroup(capacity: try #require(Quantity(text))).rawValue == group)
    }
}

// SPDX-License-Identifier: Apache-2.0

import Foundation
import TelemetryModel
import Testing

/// The typical reports of the deployed clients, as they travel.
enum Fixture: String, CaseIterable {
    case v0 = "payload-v0.22.prom"
    case v1Operator = "payload-v1-operator.prom"
    case v1Controller = "payload-v1-controller.prom"

    var bytes: [UInt8] {
        get throws {
            let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            return [UInt8](try Data(contentsOf: tests.appendingPathComponent("Fixtures/\(rawValue)")))
        }
    }
}

/// The lines of a body in some order that does not depend on theirs.
func sortedLines(_ body: [UInt8]) -> [String] {
    String(decoding: body, as: UTF8.self).split(separator: "\n").map(String.init).sorted()
}

/// What a body says, identifiers kept.
func decoded(_ body: String) throws -> DecodedReport {
    try ReportDecoder(pseudonymizer: nil).decode(Array(body.utf8))
}

/// The report of a body, identifiers kept.
func report(_ body: String) throws -> Report { try decoded(body).report }

/// The error that reading a body throws, or nil.
func failure(_ body: String) -> ReportError? {
    do throws(ReportError) {
        _ = try ReportDecoder(pseudonymizer: nil).decode(Array(body.utf8))
        return nil
    } catch {
        return error
    }
}

extension Pseudonym {
    /// A pseudonym for each number below 256.
    static func numbered(_ number: UInt8) throws -> Pseudonym {
        try #require(Pseudonym(bytes: Array(repeating: number, count: Pseudonym.length)))
    }
}

extension UTCInstant {
    /// Noon of a day.
    init(_ year: Int, _ month: Int, _ day: Int, hour: Int64 = 12) {
        self.init(
            startOf: UTCDay(daysSinceEpoch: CalendarMonth(year: year, month: month).firstDay.daysSinceEpoch + day - 1)
        )
        secondsSinceEpoch += hour * 3_600
    }
}

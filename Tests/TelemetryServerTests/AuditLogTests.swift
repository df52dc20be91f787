// SPDX-License-Identifier: Apache-2.0

import Foundation
import TelemetryModel
import TelemetryTesting
import Testing

@testable import TelemetryServer

@Suite("The audit log")
struct AuditLogTests {
    private let directory: TemporaryDirectory
    private let log: AuditLog
    private let now = UTCInstant(startOf: CalendarMonth(year: 2026, month: 3).firstDay)

    init() throws {
        directory = try TemporaryDirectory()
        log = AuditLog(directory: directory.path)
    }

    private func fill(_ count: Int = 3) throws {
        for number in 0..<count {
            try log.append(AuditEntry(who: "uid:0", operation: "token.create", object: "\(number)"), at: now)
        }
    }

    private func lines() throws -> [String] {
        try String(contentsOfFile: log.path, encoding: .utf8).split(separator: "\n").map(String.init)
    }

    private func write(_ lines: [String], end: String = "\n") throws {
        try (lines.joined(separator: "\n") + end).write(toFile: log.path, atomically: false, encoding: .utf8)
    }

    @Test("a line is one JSON object with who, what, when, and the hash of the line before")
    func form() throws {
        try log.append(
            AuditEntry(who: "oidc:\"é\n", operation: "a", decision: .refused, reason: "needs admin"),
            at: now
        )
        try fill(1)
        let lines = try lines()
        #expect(lines.count == 2)
        let zeros = String(repeating: "0", count: 64)
        #expect(
            lines[0].hasPrefix(
                #"{"sequence":1,"time":"2026-03-01T00:00:00Z","who":"oidc:\"\u00e9\u000a","operation":"a","#
                    + #""decision":"refused","reason":"needs admin","previous":"\#(zeros)","hash":""#
            )
        )
        let first = try JSONDecoder().decode(AuditLine.self, from: Data(lines[0].utf8))
        let second = try JSONDecoder().decode(AuditLine.self, from: Data(lines[1].utf8))
        #expect(first.who == "oidc:\"é\n" && second.previous == first.hash && second.sequence == 2)
        let content = lines[0].prefix(lines[0].count - 75)
        #expect(hexadecimal(sha256(Array(content.utf8))) == first.hash)
        let mode = try FileManager.default.attributesOfItem(atPath: log.path)[.posixPermissions] as? NSNumber
        #expect(mode?.intValue == 0o600)
    }

    @Test("somebody whose name is one endless character does not end the log")
    func endlessCharacter() throws {
        let name = "oidc:e" + String(repeating: "\u{301}", count: 20_000) + String(repeating: "\u{1F600}", count: 300)
        #expect(name.count < 400)
        for _ in 1...3 { try log.append(AuditEntry(who: name, operation: name, object: name), at: now) }
        #expect(try log.verify().entries == 3)
        #expect(try log.verify().broken == nil)
    }

    @Test("a whole log verifies, with the hash of its last line; none is empty")
    func whole() throws {
        #expect(try log.verify() == .init())
        try fill()
        let last = try #require(try lines().last?.suffix(66).prefix(64))
        let found = try log.verify(lookingFor: String(last))
        #expect(found.entries == 3 && found.last == last && found.broken == nil && found.hasHash)
        #expect(try !log.verify(lookingFor: String(repeating: "0", count: 64)).hasHash)
        #expect(try log.lines(after: 1, limit: 1) == [try lines()[1]])
    }

    @Test("parts of a long log are those that are asked for, also where lines of it are none")
    func parts() throws {
        var chain = AuditChain()
        var all = (1...3_000).map { number in
            let who = "oidc:" + String(repeating: "a", count: number % 150)
            let line = chain.append(AuditEntry(who: who, operation: "overview.read"), at: now)
            return String(decoding: line, as: UTF8.self)
        }
        for damaged in [nil, 1_500, 0, 2_999] {
            if let damaged { all[damaged] = "nothing" }
            try write(all)
            for sequence in [0, 1, 2, 299, 1_499, 1_500, 1_501, 2_990, 2_999, 3_000, .max] {
                let part = try log.lines(after: sequence, limit: 5)
                #expect(part == Array(all.dropFirst(sequence).prefix(5)), "\(sequence) of \(damaged ?? -1)")
            }
        }
    }

    /// What is done to three lines, and which one is then the first that is broken.
    private static let tamperings: [(Int, @Sendable (inout [String]) -> Void)] = [
        (2, { $0[1] = $0[1].replacing("token.create", with: "token.revoke") }),
        (1, { $0[0] = $0[0].replacing("2026", with: "2025") }),
        (2, { $0.remove(at: 1) }), (1, { $0.remove(at: 0) }), (2, { $0.swapAt(1, 2) }),
        (3, { $0.insert($0[1], at: 2) }), (4, { $0.append("{}") }), (4, { $0.append($0[2]) }), (2, { $0[1] = "" }),
    ]

    @Test(
        "any line that is changed, left out, moved, repeated or added is found, the first one by its number",
        arguments: tamperings.indices
    )
    func tampered(number: Int) throws {
        try fill()
        var lines = try lines()
        let (line, tamper) = Self.tamperings[number]
        tamper(&lines)
        try write(lines)
        let found = try log.verify()
        #expect(found.broken?.line == line, "\(found)")
        #expect(found.entries == line - 1)
    }

    @Test("a line that was made anew, with a hash of its own, is found by the line behind it")
    func madeAnew() throws {
        try fill()
        var lines = try lines()
        var chain = try AuditChain(behind: Array(lines[0].utf8))
        let other = AuditEntry(who: "uid:0", operation: "tokens.list")
        lines[1] = String(decoding: chain.append(other, at: now), as: UTF8.self)
        try write(lines)
        let found = try log.verify()
        #expect(found.entries == 2 && found.broken?.line == 3)
        #expect(found.broken?.reason == "\(AuditChain.Break.doesNotFollow)")
    }

    @Test("lines that are taken off the end are only missed where a hash was noted elsewhere")
    func truncated() throws {
        try fill()
        let last = try log.verify().last
        try write(Array(try lines().prefix(2)))
        let found = try log.verify(lookingFor: last)
        #expect(found.broken == nil && found.entries == 2 && !found.hasHash)
    }

    @Test("what is left of a line whose writing was cut off is shown, and overwritten by the next")
    func tornLine() throws {
        try fill()
        let lines = try lines()
        for cut in [1, 40, lines[2].utf8.count] {
            try write(Array(lines.prefix(2)) + [String(lines[2].prefix(cut))], end: "")
            #expect(try log.verify().broken?.line == 3)
            try log.append(AuditEntry(who: "uid:0", operation: "next"), at: now)
            #expect(try log.verify().broken == nil)
            #expect(try log.verify().entries == 3)
        }
        try write([String(lines[0].prefix(10))], end: "")
        try fill(1)
        #expect(try log.verify().entries == 1)
    }

    @Test("nothing is added behind a last line that was changed")
    func brokenEnd() throws {
        try fill()
        try write(try lines() + ["{}"])
        let before = try lines()
        #expect(throws: AccessError.brokenAudit(path: log.path)) { try fill(1) }
        #expect(try lines() == before)
    }

    @Test("entries that are added at the same time form one chain")
    func concurrent() async throws {
        let log = log
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for number in 0..<50 {
                tasks.addTask { [now] in try log.append(AuditEntry(who: "uid:\(number)", operation: "a"), at: now) }
            }
            try await tasks.waitForAll()
        }
        let found = try log.verify()
        #expect(found.entries == 50 && found.broken == nil)
    }
}

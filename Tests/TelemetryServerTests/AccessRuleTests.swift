// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPTypes
import TelemetryModel
import TelemetryTesting
import Testing

@testable import TelemetryServer

@Suite("Who may do what")
struct AccessRuleTests {
    private static let pseudonym = "00112233445566778899aabbccddeeff"

    @Test(
        "each operation takes a role, and a higher one may do it too",
        arguments: [
            ("GET", "/v1/overview", .viewer), ("HEAD", "/v1/overview", .viewer), ("GET", "/v1/series", .viewer),
            ("GET", "/v1/breakdowns/kernel", .viewer), ("GET", "/v1/clusters", .analyst),
            ("DELETE", "/v1/clusters/\(pseudonym)", .admin), ("POST", "/v1/erasures", .admin),
            ("GET", "/v1/tokens", .admin), ("POST", "/v1/tokens", .admin),
            ("DELETE", "/v1/tokens/00112233aabb", .admin),
            ("GET", "/v1/audit", .admin),
        ] as [(String, String, Role)]
    )
    func roles(method: String, path: String, needed: Role) throws {
        let operation = try AccessOperation(try #require(HTTPRequest.Method(rawValue: method)), path)
        #expect(AccessDecision(operation, by: nil) == .unauthenticated)
        #expect(AccessDecision(operation, by: Principal(name: "a", role: nil)) == .forbidden(needs: needed))
        for role in Role.allCases {
            let expected: AccessDecision = role >= needed ? .allowed : .forbidden(needs: needed)
            #expect(AccessDecision(operation, by: Principal(name: "a", role: role)) == expected)
        }
    }

    @Test(
        "what is not there is 404, another method 405, and a name of another form 400",
        arguments: [
            ("GET", "/v1/", 404), ("GET", "/v1/overview/", 404), ("GET", "/v1//overview", 404), ("GET", "/v1/x", 404),
            ("GET", "/v1/breakdowns/colour", 404), ("GET", "/v1/breakdowns", 404),
            ("GET", "/v1/overview/../audit", 404),
            ("POST", "/v1/overview", 405), ("GET", "/v1/erasures", 405), ("PUT", "/v1/tokens", 405),
            ("GET", "/v1/clusters/\(pseudonym)", 405), ("DELETE", "/v1/clusters/\(pseudonym)0", 400),
            ("DELETE", "/v1/clusters/6f1c9d2e-0000-4000-8000-000000000001", 400), ("DELETE", "/v1/tokens/x", 400),
        ]
    )
    func unknown(method: String, path: String, status: Int) throws {
        let method = try #require(HTTPRequest.Method(rawValue: method))
        let refusal = #expect(throws: Refusal.self) { try AccessOperation(method, path) }
        #expect(refusal?.status.code == status)
        #expect((refusal?.headers[.allow] != nil) == (status == 405))
    }

    @Test("a token is read as it was written, and nothing else is one")
    func tokenText() {
        var random = SystemRandomNumberGenerator()
        let token = TokenText(random: &random)
        let text = token.text
        #expect(TokenText(text) == token)
        #expect(text.utf8.count == 8 + 12 + 1 + 64)
        #expect(token.matches(token.hash))
        for other in [
            "", "cozytel_", text + "0", String(text.dropLast()), text.uppercased(), " " + text, text + "_",
            text.replacing("cozytel_", with: "cozytel-"),
        ] { #expect(TokenText(other) == nil, "\(other)") }
        let last = text.last == "0" ? "1" : "0"
        let changed = TokenText(text.dropLast() + last)
        #expect(changed?.id == token.id)
        #expect(changed?.matches(token.hash) == false)
        #expect(!token.matches("") && !token.matches(String(token.hash.dropLast())))
    }

    @Test(
        "how long a token is good",
        arguments: [
            ("90d", 7_776_000), ("12h", 43_200), ("3653d", 315_619_200), ("3654d", nil), ("0d", nil), ("-1d", nil),
            ("90", nil), ("d", nil), ("", nil), ("1w", nil), ("+1d", nil), ("99999999999999999999d", nil), ("٣d", nil),
        ] as [(String, Int64?)]
    )
    func lifetimes(text: String, seconds: Int64?) {
        #expect(TokenLifetime(text)?.seconds == seconds)
    }

    @Test(
        "days of a query",
        arguments: [
            ("2026-03-31", "2026-03-31"), ("2024-02-29", "2024-02-29"), ("2026-02-29", nil), ("2026-04-31", nil),
            ("2026-00-01", nil), ("2026-3-1", nil), ("2023-12-31", nil), ("2026-03-31T", nil), ("+026-03-31", nil),
        ] as [(String, String?)]
    )
    func days(text: String, expected: String?) {
        #expect(UTCDay(iso8601: text).map { "\($0)" } == expected)
    }
}

@Suite("The file of tokens")
struct TokenFileTests {
    private let directory: TemporaryDirectory
    private let now = UTCInstant(startOf: CalendarMonth(year: 2026, month: 3).firstDay)

    init() throws { directory = try TemporaryDirectory() }

    private func make(_ role: Role = .viewer, for lifetime: String = "1h") throws -> NewToken {
        NewToken(role, for: try #require(TokenLifetime(lifetime)), name: "a name", at: now)
    }

    private func holder(_ file: TokenFile, _ token: NewToken, after seconds: Int64 = 0) throws -> Principal? {
        try file.holder(of: try #require(TokenText(token.text)), at: now.advanced(bySeconds: seconds))
    }

    @Test("a token counts at once for others that have the file, until it is revoked, and not beyond its time")
    func counts() throws {
        let (one, other) = (TokenFile(directory: directory.path), TokenFile(directory: directory.path))
        let token = try make(.analyst)
        #expect(try holder(one, token) == nil)
        try other.add(token)
        let principal = Principal(name: "token:\(token.shown.id)", role: .analyst)
        #expect(try holder(one, token) == principal)
        #expect(try holder(one, token, after: 3_599) == principal)
        #expect(try holder(one, token, after: 3_600) == nil)
        #expect(try other.revoke(token.shown.id, at: now)?.revoked == "2026-03-01T00:00:00Z")
        #expect(try holder(one, token) == nil)
        #expect(try other.revoke("000000000000", at: now) == nil)
    }

    @Test("the file has no secret and is its owner's only, and says when a token was last used, to the minute")
    func content() throws {
        let file = TokenFile(directory: directory.path)
        let token = try make()
        try file.add(token)
        _ = try holder(file, token, after: 90)
        #expect(try file.all().map(\.lastUsed) == ["2026-03-01T00:01:00Z"])
        #expect(try file.all().map(\.shown.name) == ["a name"])
        let path = directory.path + "/" + TokenFile.fileName
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(!text.contains(try #require(token.text.split(separator: "_").last)))
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? NSNumber
        #expect(mode?.intValue == 0o600)
    }

    @Test("a file that holds something else lets nobody in and is not written over")
    func malformed() throws {
        let file = TokenFile(directory: directory.path)
        let path = directory.path + "/" + TokenFile.fileName
        try "{".write(toFile: path, atomically: true, encoding: .utf8)
        let token = try make()
        #expect(throws: AccessError.malformed(path: path)) { try holder(file, token) }
        #expect(throws: AccessError.malformed(path: path)) { try file.add(token) }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "{")
    }

    @Test("tokens that are made at the same time are all there")
    func concurrent() async throws {
        let path = directory.path
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for _ in 0..<20 {
                let token = try make()
                tasks.addTask { try TokenFile(directory: path).add(token) }
            }
            try await tasks.waitForAll()
        }
        #expect(Set(try TokenFile(directory: path).all().map(\.id)).count == 20)
    }
}

// SPDX-License-Identifier: Apache-2.0

import NIOHTTP1
import TelemetryModel
import Testing

@testable import TelemetryServer

/// What is refused by the clock, and so is tried where nothing else runs.
@Suite("Strangers at the private listener")
struct StrangerTests {
    @Test("whoever has no token writes a hundred lines of the log and no more at once; who has one is let in")
    func strangers() async throws {
        try await RunningTestBackend.with { backend async throws in
            let token = try backend.token(.viewer)
            var statuses: [Int: Int] = [:]
            for _ in 1...300 {
                statuses[try await backend.admin("/v1/overview" + "?year=2026&month=3").status, default: 0] += 1
            }
            #expect(Set(statuses.keys) == [401, 429])
            let lines = try backend.audit.lines().count
            #expect(lines == statuses[401] && lines >= 100)
            #expect(try await backend.admin("/v1/overview" + "?year=2026&month=3", token: token).status == 200)
        }
    }
}

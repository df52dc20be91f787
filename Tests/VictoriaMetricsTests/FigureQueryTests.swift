// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import NIOCore
import Synchronization
import TelemetryModel
import TelemetryTesting
import Testing

@testable import VictoriaMetrics

@Suite("Asking VictoriaMetrics for figures", .timeLimit(.minutes(2)))
struct FigureQueryTests {
    private let stores: ForwardingStores
    private let window = Window(.month, endingWith: CalendarMonth(year: 2026, month: 3))

    init() throws { stores = try ForwardingStores() }

    /// An answer of one series.
    private static func answer(_ value: String, partial: Bool = false) -> String {
        #"{"status":"success","isPartial":\#(partial),"data":{"result":[{"metric":{"figure":"clusters","value":"x"},"value":[1774999999.999,"\#(value)"]}]}}"#
    }

    private static let nothing = #"{"status":"success","data":{"result":[]}}"#

    /// Runs a body with figures from a stand-in; the clock stands at an instant.
    private func with(
        _ answer: @escaping @Sendable (_ body: String, _ number: Int) -> StandIn.Answer,
        at instant: UTCInstant = UTCInstant(startOf: CalendarMonth(year: 2026, month: 6).firstDay),
        limit: TimeAmount = .seconds(30),
        running: Duration = .seconds(120),
        _ body: (VictoriaMetricsFigures, StandIn) async throws -> Void
    ) async throws {
        var lifetimes = VictoriaMetricsFigures.Lifetimes()
        lifetimes.running = running
        try await StandIn.answering(answer) { server in
            try await HTTPClient.withHTTPClient { http in
                let figures = stores.figures(server.base, http, limit: limit, lifetimes: lifetimes) { instant }
                try await body(figures, server)
            }
        }
    }

    @Test(
        "a query that fails is an error and never a zero, is not kept, and is said once until it succeeds",
        arguments: [
            (503, ""), (422, #"{"status":"error","error":"too many series"}"#), (200, "<html>"), (200, answer("NaN")),
            (200, answer("+Inf")), (200, answer("7", partial: true)), (200, #"{"status":"error"}"#),
        ]
    )
    func failure(status: Int, answer: String) async throws {
        let isWell = Mutex(false)
        try await with { _, _ in
            isWell.withLock { $0 } ? (200, Self.answer("7")) : (status, answer)
        } _: { figures, _ in
            for _ in 0..<2 {
                await #expect(throws: FiguresUnavailable.self) { try await figures.totals(of: [window]) }
                await #expect(throws: FiguresUnavailable.self) {
                    try await figures.breakdowns(by: .kernel, in: [window])
                }
            }
            isWell.withLock { $0 = true }
            let totals = try await figures.totals(of: [window])
            #expect(totals[window]?.all == [.clusters: 7])
        }
        #expect(stores.log.recorded.count { $0.contains("cannot be read from VictoriaMetrics") } == 1)
        #expect(stores.log.recorded.count { $0.contains("read from VictoriaMetrics again") } == 1)
    }

    @Test("a database that hangs or is not there is an error")
    func unreachable() async throws {
        try await with({ _, _ in nil }, limit: .milliseconds(200)) { figures, _ in
            await #expect(throws: FiguresUnavailable.self) { try await figures.totals(of: [window]) }
        }
        try await HTTPClient.withHTTPClient(configuration: ForwardingStores.impatient) { http in
            let figures = stores.figures("http://127.0.0.1:1", http)
            await #expect(throws: FiguresUnavailable.self) { try await figures.totals(of: [window]) }
        }
    }

    @Test("a window that is over for long is asked for once, one that runs again when its time is over, days likewise")
    func kept() async throws {
        try await with({ _, _ in (200, Self.answer("7")) }, running: .zero) { figures, server in
            for _ in 0..<3 { _ = try await figures.totals(of: [window]) }
            #expect(server.bodies.count == 3)
            for _ in 0..<3 { _ = try await figures.breakdowns(by: .kernel, in: [window]) }
            // Since when there is data is asked anew, as its time is over at once.
            #expect(server.bodies.count == 6)
            figures.forget()
            _ = try await figures.totals(of: [window])
            #expect(server.bodies.count == 9)
        }
        let late = UTCInstant(startOf: CalendarMonth(year: 2026, month: 4).firstDay).advanced(bySeconds: 7 * 86_400)
        try await with({ _, _ in (200, Self.answer("7")) }, at: late, running: .zero) { figures, server in
            for _ in 0..<3 { _ = try await figures.breakdowns(by: .kernel, in: [window]) }
            // Reports of the month may still wait to be sent on.
            #expect(server.bodies.count == 9)
            let days = late.day...late.day
            for _ in 0..<2 { _ = try await figures.totals(on: days) }
            #expect(server.bodies.count == 13)
        }
        try await with({ _, _ in (200, Self.answer("7")) }, at: late) { figures, server in
            for _ in 0..<3 { _ = try await figures.breakdowns(by: .kernel, in: [window]) }
            #expect(server.bodies.count == 3)
        }
        // Where there is nothing yet, a history may be brought; windows are not asked for until then.
        try await with({ _, _ in (200, Self.nothing) }, running: .zero) { figures, server in
            for _ in 0..<2 { _ = try await figures.totals(of: [window]) }
            for _ in 0..<2 { _ = try await figures.breakdowns(by: .kernel, in: [window]) }
            #expect(server.bodies.count == 4)
        }
    }

    @Test("equal requests in flight share their queries")
    func shared() async throws {
        let answer: @Sendable (String, Int) -> StandIn.Answer = { _, _ in (200, Self.answer("7")) }
        try await with(answer) { figures, server in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<50 {
                    group.addTask { _ = try await figures.breakdowns(by: .kernel, in: [window]) }
                }
                try await group.waitForAll()
            }
            #expect(server.bodies.count == 3)
        }
    }

    @Test("a window that begins before there is any data says since when there is")
    func dataSince() async throws {
        let first = UTCInstant(startOf: UTCDay(daysSinceEpoch: window.start.firstDay.daysSinceEpoch + 9))
        let answer: @Sendable (String, Int) -> StandIn.Answer = { body, _ in
            (200, Self.answer(body.contains("query=min%28tfirst") ? "\(first.secondsSinceEpoch + 5)" : "7"))
        }
        try await with(answer) { figures, server in
            let later = Window(.month, endingWith: window.end + 1)
            let totals = try await figures.totals(of: [window, later])
            #expect(totals[window]?.dataSince?.description == "2026-03-10")
            #expect(totals[later]?.dataSince == nil)
            #expect(server.bodies.count { $0.contains("query=min%28tfirst") } == 1)
        }
    }

    @Test("a peak is of the window alone, to the millisecond, and values that are large stay what they are")
    func edges() async throws {
        guard VictoriaMetricsProcess.isAvailable else { return }
        let start = UTCInstant(startOf: window.start.firstDay)
        let end = UTCInstant(startOf: (window.end + 1).firstDay)
        func report(_ nodes: Int64, at instant: UTCInstant, place: Int = 0) throws -> AcceptedReport {
            let samples = [
                Report.Sample(Series(.nodesCount, ["linux", "6.6"]), nodes),
                Report.Sample(Series(.clusterCapacity, ["memory"]), (1 << 53) - nodes),
            ]
            return AcceptedReport(
                cluster: try stores.pseudonym("a"),
                receivedAt: instant,
                place: place,
                report: Report(samples)
            )
        }
        try await VictoriaMetricsProcess.with { url in
            try await HTTPClient.withHTTPClient { http in
                let reports = [
                    try report(9, at: start.advanced(bySeconds: -1), place: 999), try report(2, at: start),
                    try report(3, at: end.advanced(bySeconds: -1), place: 5_000), try report(8, at: end),
                ]
                let client = ImportClient(url: url + "/api/v1/import/prometheus", http: http)
                #expect(await client.send(ImportBatch(reports)) == .imported)
                try await ImportTests.expectReports(4, url, http)
                let figures = stores.figures(url, http)
                let totals = try await figures.totals(of: [window])[window]
                #expect(totals?.all[.nodes] == 3)
                let largest: Int64 = 1 << 53
                #expect(totals?.all[.capacity(resource: "memory")] == largest - 2)
                #expect(totals?.established[.clusters] == 1)
                #expect(totals?.dataSince == nil)
                let days = (window.start - 1).lastDay...window.start.firstDay
                let series = try await figures.totals(on: days)
                #expect(series.map { $0.all[.nodes] } == [9, 2])
            }
        }
    }
}

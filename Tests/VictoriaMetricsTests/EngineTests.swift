// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import ReportStore
import TelemetryModel
import TelemetryTesting
import Testing

@testable import VictoriaMetrics

/// The distributed engine against the definitions, at a real VictoriaMetrics.
///
/// The histories are of both generations over fourteen months, see `SimulatedHistory`. The embedded engine passes the same
/// suite in `StoreFigureTests`.
@Suite(
    "The figures of VictoriaMetrics",
    .timeLimit(.minutes(10)),
    .enabled(if: VictoriaMetricsProcess.isAvailable, "install Debian's victoria-metrics")
)
struct EngineTests {
    private static let first = CalendarMonth(year: 2025, month: 2)
    private static let months = 14

    /// The paths before those of Prometheus: of a single node, and of a cluster's vminsert and vmselect.
    enum Form: String, CaseIterable, CustomTestStringConvertible {
        case single, cluster

        var testDescription: String { rawValue }
        var insert: String { self == .single ? "" : "/insert/0/prometheus" }
        var select: String { self == .single ? "" : "/select/0/prometheus" }
    }

    /// Runs a body with the figures of a history that was sent on, its store, and the suite.
    private func withHistory(
        clusters: Int,
        seed: UInt64,
        form: Form,
        _ body: (VictoriaMetricsFigures, ReportStore, FigureConformance) async throws -> Void
    ) async throws {
        let stores = try ForwardingStores()
        let store = try stores.open()
        var history = SimulatedHistory(
            clusters: clusters,
            from: Self.first,
            months: Self.months,
            seed: seed,
            stepsBack: false
        )
        let all = try history.accepted(stores.pseudonymizer)
        for report in all { _ = try await store.submit(report) }
        try await VictoriaMetricsProcess.withProcess { process in
            // One process is both of a cluster, one after the other.
            process.stop()
            try await process.start(prefix: form.insert)
            let count = store.outboxCount
            try await stores.forward(store, to: [process.url + form.insert + "/api/v1/import/prometheus"])
            process.stop()
            try await process.start(prefix: form.select)
            try await HTTPClient.withHTTPClient { http in
                try await ImportTests.expectReports(count, process.url + form.select, http)
                let figures = stores.figures(process.url + form.select, http)
                let reference = ReferenceFigures(all)
                try await body(
                    figures,
                    store,
                    FigureConformance(reference, from: Self.first, months: Self.months)
                )
            }
        }
        try store.close()
    }

    @Test("totals of windows and days equal the definitions, with both forms of URL", arguments: Form.allCases)
    func totals(_ form: Form) async throws {
        try await withHistory(clusters: 20, seed: 1, form: form) { figures, _, conformance in
            let totals = try await conformance.totals(of: figures)
            #expect(totals == [])
            let days = try await conformance.days(of: figures)
            #expect(days == [])
        }
    }

    @Test("breakdowns by every dimension equal the definitions", arguments: Form.allCases)
    func breakdowns(_ form: Form) async throws {
        try await withHistory(clusters: 8, seed: 2, form: form) { figures, _, conformance in
            let breakdowns = try await conformance.breakdowns(of: figures)
            #expect(breakdowns == [])
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import Benchmark
import Exposition
import Foundation
import Logging
import Metrics
import ReportStore
import TelemetryModel

/// A report of v0.22 as it travels, 1,036 bytes.
private let fixture: [UInt8] = {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
    guard let data = try? Data(contentsOf: root.appendingPathComponent("Tests/Fixtures/payload-v0.22.prom")) else {
        preconditionFailure("the fixture is in the repository")
    }
    return Array(data)
}()

private let pseudonymizer: Pseudonymizer = {
    guard let pseudonymizer = Pseudonymizer(key: Array(repeating: 1, count: Pseudonymizer.keyLength)) else {
        preconditionFailure("a key of the right length")
    }
    return pseudonymizer
}()

private func pseudonym(_ number: Int) -> Pseudonym {
    guard let cluster = ClusterID("cluster-\(number)") else { preconditionFailure("a legal id") }
    return pseudonymizer.pseudonym(of: cluster)
}

private func report() throws -> Report {
    try ReportDecoder(pseudonymizer: pseudonymizer).decode(fixture).report
}

/// A store in a directory of its own, and what removes it.
private func withStore(_ body: (ReportStore) async throws -> Void) async throws {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("telemetry-bench-\(UUID())").path
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let store = try ReportStore(
        directory: directory,
        keyCheck: pseudonymizer.checkValue,
        metrics: NOOPMetricsHandler.instance,
        logger: Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
    )
    try await body(store)
    try store.close()
}

/// Submits a report for each of many clusters, 64 at a time.
private func submit(_ report: Report, clusters: Range<Int>, at instant: UTCInstant, to store: ReportStore) async throws
{
    try await withThrowingTaskGroup(of: Void.self) { group in
        for (position, cluster) in clusters.enumerated() {
            if position >= 64 { try await group.next() }
            group.addTask {
                let accepted = AcceptedReport(cluster: pseudonym(cluster), receivedAt: instant, report: report)
                _ = try await store.submit(accepted)
            }
        }
        try await group.waitForAll()
    }
}

let benchmarks: @Sendable () -> Void = {
    let megabyte = (0..<1_000).flatMap { _ in fixture }
    let march = UTCInstant(startOf: CalendarMonth(year: 2026, month: 3).firstDay)
    Benchmark.defaultConfiguration = .init(
        metrics: [.wallClock, .cpuTotal, .throughput, .peakMemoryResident],
        maxDuration: .seconds(5)
    )

    Benchmark("parse 1 MB with labels") { benchmark in
        for _ in benchmark.scaledIterations {
            var parser = ExpositionParser()
            while let line = try parser.next(in: megabyte.span) { blackHole(line) }
        }
    }

    Benchmark("decode a report of 1 kB", configuration: .init(scalingFactor: .kilo)) { benchmark in
        let decoder = ReportDecoder(pseudonymizer: pseudonymizer)
        for _ in benchmark.scaledIterations { blackHole(try decoder.decode(fixture)) }
    }

    Benchmark("read and verify a signature of 1 kB", configuration: .init(scalingFactor: .kilo)) { benchmark in
        let key = ClusterKey()
        let fields = try key.signedHeaders(
            method: "POST",
            path: "/",
            body: fixture,
            at: march,
            nonce: Array(0..<16),
            tag: .report
        ).map(\.value)
        benchmark.startMeasurement()
        for _ in benchmark.scaledIterations {
            let signature = try MessageSignature(
                contentDigest: fields[1],
                signatureInput: fields[2],
                signature: fields[3]
            )
            try signature.verify(method: "POST", path: "/", body: fixture, cluster: key.clusterID, at: march)
        }
    }

    Benchmark("canonical text and digest", configuration: .init(scalingFactor: .kilo)) { benchmark in
        let report = try report()
        benchmark.startMeasurement()
        for _ in benchmark.scaledIterations { blackHole(report.digest) }
    }

    Benchmark("fingerprint of a body of 1 kB", configuration: .init(scalingFactor: .kilo)) { benchmark in
        guard let cluster = ClusterID("a") else { preconditionFailure("a legal id") }
        for _ in benchmark.scaledIterations { blackHole(Fingerprint(of: fixture.span, from: cluster)) }
    }

    Benchmark("commit the first report of 1,000 clusters") { benchmark in
        let report = try report()
        try await withStore { store in
            var next = 0
            for _ in benchmark.scaledIterations {
                try await submit(report, clusters: next..<next + 1_000, at: march, to: store)
                next += 1_000
            }
        }
    }

    Benchmark("commit an unchanged report of 1,000 clusters") { benchmark in
        let report = try report()
        try await withStore { store in
            try await submit(report, clusters: 0..<1_000, at: march, to: store)
            benchmark.startMeasurement()
            for _ in benchmark.scaledIterations {
                try await submit(report, clusters: 0..<1_000, at: march, to: store)
            }
            benchmark.stopMeasurement()
        }
    }

    Benchmark("commit an unchanged report of 1,000 clusters an hour later") { benchmark in
        let report = try report()
        try await withStore { store in
            try await submit(report, clusters: 0..<1_000, at: march, to: store)
            var instant = march
            benchmark.startMeasurement()
            for _ in benchmark.scaledIterations {
                instant = instant.advanced(bySeconds: 3_600)
                try await submit(report, clusters: 0..<1_000, at: instant, to: store)
            }
            benchmark.stopMeasurement()
        }
    }

    Benchmark("breakdown by kernel of a year of 1,000 clusters", configuration: .init(scalingFactor: .kilo)) {
        benchmark in
        let report = try report()
        try await withStore { store in
            try await submit(report, clusters: 0..<1_000, at: march, to: store)
            let window = Window(.year, endingWith: march.month)
            benchmark.startMeasurement()
            for _ in benchmark.scaledIterations { blackHole(try await store.breakdowns(by: .kernel, in: [window])) }
            benchmark.stopMeasurement()
        }
    }

    Benchmark("totals of month, quarter and year of 1,000 clusters", configuration: .init(scalingFactor: .kilo)) {
        benchmark in
        let report = try report()
        try await withStore { store in
            try await submit(report, clusters: 0..<1_000, at: march, to: store)
            let windows = Window.Length.allCases.map { Window($0, endingWith: march.month) }
            benchmark.startMeasurement()
            for _ in benchmark.scaledIterations { blackHole(try await store.totals(of: windows)) }
            benchmark.stopMeasurement()
        }
    }
}

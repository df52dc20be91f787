// SPDX-License-Identifier: Apache-2.0

import AllocationCounter
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

/// Allocations of all threads in one iteration, without a fraction, as the framework has some too.
///
/// `make bench` fails where there are more than a file of `Thresholds` has, or fewer.
private let allocations = BenchmarkMetric.custom("allocations", useScalingFactor: false)

extension Benchmark {
    /// Measures a body, and counts its allocations.
    fileprivate func measure(_ body: () throws -> Void) rethrows {
        startMeasurement()
        let before = allocation_count()
        try body()
        let after = allocation_count()
        stopMeasurement()
        measurement(allocations, Int(after - before) / scaledIterations.count)
    }

    /// Measures a body, and counts its allocations.
    fileprivate func measure(_ body: () async throws -> Void) async rethrows {
        startMeasurement()
        let before = allocation_count()
        try await body()
        let after = allocation_count()
        stopMeasurement()
        measurement(allocations, Int(after - before) / scaledIterations.count)
    }
}

let benchmarks: @Sendable () -> Void = {
    let megabyte = (0..<1_000).flatMap { _ in fixture }
    let march = UTCInstant(startOf: CalendarMonth(year: 2026, month: 3).firstDay)
    Benchmark.defaultConfiguration = .init(
        // Times say nothing on a busy machine, so the files of `Thresholds` are made of allocations alone.
        metrics: ProcessInfo.processInfo.environment["ALLOCATIONS_ALONE"] == nil
            ? [.wallClock, .cpuTotal, .throughput, .peakMemoryResident, allocations] : [allocations],
        maxDuration: .seconds(5),
        thresholds: [allocations: BenchmarkThresholds(relative: [.p90: 1])]
    )
    // Reports share commits as they come, now more and now fewer of them; so do rows of changes, which reading adds up.
    let whereTimeDecides = [allocations: BenchmarkThresholds(relative: [.p90: 10])]

    // Of thirteen thousand lines; what it has beside a few is the framework's.
    let few = [allocations: BenchmarkThresholds(absolute: [.p90: 20])]

    Benchmark("parse 1 MB with labels", configuration: .init(thresholds: few)) { benchmark in
        try benchmark.measure {
            for _ in benchmark.scaledIterations {
                var parser = ExpositionParser()
                while let line = try parser.next(in: megabyte.span) { blackHole(line) }
            }
        }
    }

    Benchmark("decode a report of 1 kB", configuration: .init(scalingFactor: .kilo)) { benchmark in
        let decoder = ReportDecoder(pseudonymizer: pseudonymizer)
        try benchmark.measure {
            for _ in benchmark.scaledIterations { blackHole(try decoder.decode(fixture)) }
        }
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
        try benchmark.measure {
            for _ in benchmark.scaledIterations {
                let signature = try MessageSignature(
                    contentDigest: fields[1],
                    signatureInput: fields[2],
                    signature: fields[3]
                )
                try signature.verify(method: "POST", path: "/", body: fixture, cluster: key.clusterID, at: march)
            }
        }
    }

    Benchmark("canonical text and digest", configuration: .init(scalingFactor: .kilo)) { benchmark in
        let report = try report()
        benchmark.measure {
            for _ in benchmark.scaledIterations { blackHole(report.digest) }
        }
    }

    Benchmark("fingerprint of a body of 1 kB", configuration: .init(scalingFactor: .kilo)) { benchmark in
        guard let cluster = ClusterID("a") else { preconditionFailure("a legal id") }
        benchmark.measure {
            for _ in benchmark.scaledIterations { blackHole(Fingerprint(of: fixture.span, from: cluster)) }
        }
    }

    Benchmark("commit the first report of 1,000 clusters", configuration: .init(thresholds: whereTimeDecides)) {
        benchmark in
        let report = try report()
        try await withStore { store in
            var next = 0
            try await benchmark.measure {
                for _ in benchmark.scaledIterations {
                    try await submit(report, clusters: next..<next + 1_000, at: march, to: store)
                    next += 1_000
                }
            }
        }
    }

    Benchmark("commit an unchanged report of 1,000 clusters", configuration: .init(thresholds: whereTimeDecides)) {
        benchmark in
        let report = try report()
        try await withStore { store in
            try await submit(report, clusters: 0..<1_000, at: march, to: store)
            try await benchmark.measure {
                for _ in benchmark.scaledIterations {
                    try await submit(report, clusters: 0..<1_000, at: march, to: store)
                }
            }
        }
    }

    Benchmark(
        "commit an unchanged report of 1,000 clusters an hour later",
        configuration: .init(thresholds: whereTimeDecides)
    ) { benchmark in
        let report = try report()
        try await withStore { store in
            try await submit(report, clusters: 0..<1_000, at: march, to: store)
            var instant = march
            try await benchmark.measure {
                for _ in benchmark.scaledIterations {
                    instant = instant.advanced(bySeconds: 3_600)
                    try await submit(report, clusters: 0..<1_000, at: instant, to: store)
                }
            }
        }
    }

    Benchmark(
        "breakdown by kernel of a year of 1,000 clusters",
        configuration: .init(scalingFactor: .kilo, thresholds: whereTimeDecides)
    ) {
        benchmark in
        let report = try report()
        try await withStore { store in
            try await submit(report, clusters: 0..<1_000, at: march, to: store)
            let window = Window(.year, endingWith: march.month)
            try await benchmark.measure {
                for _ in benchmark.scaledIterations { blackHole(try await store.breakdowns(by: .kernel, in: [window])) }
            }
        }
    }

    Benchmark(
        "totals of month, quarter and year of 1,000 clusters",
        configuration: .init(scalingFactor: .kilo, thresholds: whereTimeDecides)
    ) {
        benchmark in
        let report = try report()
        try await withStore { store in
            try await submit(report, clusters: 0..<1_000, at: march, to: store)
            let windows = Window.Length.allCases.map { Window($0, endingWith: march.month) }
            try await benchmark.measure {
                for _ in benchmark.scaledIterations { blackHole(try await store.totals(of: windows)) }
            }
        }
    }
}

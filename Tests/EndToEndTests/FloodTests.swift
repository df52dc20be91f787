// SPDX-License-Identifier: Apache-2.0

import Foundation
import TelemetryTesting
import Testing

/// Senders that mean no good, all at once, beside one that does.
///
/// `make flood` has more of them, and says how long reports took.
@Suite("Floods", .timeLimit(.minutes(5)))
struct FloodTests {
    /// So many connections that say nothing.
    private static let idle = ProcessInfo.processInfo.environment["FLOOD_CONNECTIONS"].flatMap(Int.init)

    private static let limits = [
        "--max-connections-per-address", "20000", "--header-timeout", "1", "--body-timeout", "1", "--idle-timeout",
        "600",
        "--max-bodies-in-flight-bytes", "\(32 << 20)",
    ]
    private static let head = "POST / HTTP/1.1\r\nHost: a\r\nX-Cluster-ID: a\r\n"

    @Test("idle, slow, broken-off and senseless senders keep no good report from being taken, and memory is bounded")
    func floods() async throws {
        let idle = Self.idle ?? 2_000
        try await Server.with(Self.limits) { server in
            let before = try await Self.report(to: server, from: "before")
            try await withThrowingTaskGroup(of: Void.self) { group in
                let crowd = try Crowd(url: server.url)
                for _ in 1...idle { try await crowd.open() }
                for _ in 1...100 { group.addTask { await crowd.drip(Self.head, "A: b\r\n") } }
                for _ in 1...100 {
                    group.addTask { await crowd.drip(Self.head + "Transfer-Encoding: chunked\r\n\r\n", "1\r\n#\r\n") }
                }
                let noise = (0..<65_536).map { _ in UInt8.random(in: 0...255) }
                let cut = Array((Self.head + "Content-Length: 9000000\r\n\r\n").utf8) + noise
                for _ in 1...2 {
                    group.addTask { await crowd.flood(noise) }
                    group.addTask { await crowd.flood(cut) }
                }
                // The flood has reached every limit that it is to reach.
                while try await Self.count(server, "telemetry_reports_refused_total{status=\"408\"}") < 200 {}
                let during = try await Self.report(to: server, from: "during")
                #expect(try await Self.count(server, "telemetry_connections") >= idle)
                group.cancelAll()
                let peak = try Self.peakBytes(of: server.program.processIdentifier)
                // What the process takes by itself, what bodies may take, and what there is for each connection.
                let isSanitized = ProcessInfo.processInfo.environment["SANITIZER"] != nil
                #expect(isSanitized || peak < 128 << 20 + idle * 48 << 10)
                if Self.idle != nil {
                    print("flood: \(idle) idle connections, peak \(peak >> 20) MiB")
                    print("flood: a report took \(Self.quantiles(before)) before, \(Self.quantiles(during)) during it")
                }
                try await crowd.close()
            }
            #expect(try await server.acceptedReports() == 600)
        }
    }

    /// Sends 300 reports, one after the other and each of a new cluster; all are taken.
    private static func report(to server: Server, from name: String) async throws -> [Duration] {
        var times: [Duration] = []
        for number in 1...300 {
            let begin = ContinuousClock.now
            #expect(try await server.post(cluster: "\(name)-\(number)").status == 200)
            times.append(.now - begin)
        }
        return times.sorted()
    }

    private static func quantiles(_ times: [Duration]) -> String {
        "\(times[times.count / 2]) (99 of 100: \(times[times.count * 99 / 100]))"
    }

    /// What a series of the server's metrics shows.
    private static func count(_ server: Server, _ series: String) async throws -> Int {
        let line = try await server.metrics().split(separator: "\n").first { $0.hasPrefix(series + " ") }
        return line?.split(separator: " ").last.flatMap { Int($0) } ?? 0
    }

    /// The most memory that a process has had, in bytes.
    private static func peakBytes(of process: Int32) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
        return try #require(line.split(separator: " ").compactMap { Int($0) }.first) * 1_024
    }
}

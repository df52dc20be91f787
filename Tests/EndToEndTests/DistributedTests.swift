// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import ReportStore
import Synchronization
import TelemetryModel
import TelemetryTesting
import Testing

/// Backends that hold nothing that matters, before a real VictoriaMetrics that fails: whatever was answered 200 is counted
/// once at the end.
@Suite(
    "Backends side by side, and VictoriaMetrics on a bad day",
    .enabled(if: VictoriaMetricsProcess.isAvailable, "install Debian's victoria-metrics"),
    .timeLimit(.minutes(5))
)
struct DistributedTests {
    private let directories: [TemporaryDirectory]
    private let key: String

    init() throws {
        directories = try (0..<4).map { _ in try TemporaryDirectory() }
        key = directories[3].path + "/key"
        #expect(FileManager.default.createFile(atPath: key, contents: Data(repeating: 7, count: 32)))
    }

    /// A backend of the ingest tier; all have the same key.
    private func ingest(_ number: Int, _ database: String, addresses: (String, String)? = nil) async throws -> Server {
        let (listen, admin) = addresses ?? ("127.0.0.1:0", "127.0.0.1:0")
        return try await Server.start(
            [
                "--mode", "forward-only", "--forward-url", database + "/api/v1/import/prometheus",
                "--pseudonym-key-file", key, "--listen-addr", listen, "--admin-addr", admin,
            ],
            directory: directories[number]
        )
    }

    /// Runs a body with a backend that has nothing and reads the figures of a database.
    private func withFigures(_ database: String, _ body: (Server) async throws -> Void) async throws {
        let arguments = ["--vmselect-url", database, "--pseudonym-key-file", key]
        try await Server.with(arguments, directory: directories[3], body)
    }

    /// Expects so many clusters and nodes in the figures of a database, once all is there, or the test to go on for too long.
    private func expect(clusters: Int64, nodes: Int64, at database: String) async throws {
        try await flush(database)
        try await withFigures(database) { server in
            while true {
                let month = try await Self.month(server)
                #expect((month?.clusters ?? 0) <= clusters && (month?.totalNodes ?? 0) <= nodes)
                if month?.clusters == clusters, month?.totalNodes == nodes { return }
                // It is not told when what was imported shows.
                try await Task.sleep(for: .milliseconds(200))
            }
        }
    }

    private static func month(_ server: Server) async throws -> Overview.Period? {
        // A month may end while the test runs.
        let month = UTCInstant.now().month
        let url = "\(server.url)/api/overview?year=\(month.year)&month=\(month.month)"
        let answer = try await HTTPClient.shared.execute(HTTPClientRequest(url: url), timeout: .seconds(60))
        let body = try await answer.body.collect(upTo: 1 << 20)
        guard answer.status == .ok else { return nil }
        return try JSONDecoder().decode(Overview.self, from: Data(body.readableBytesView)).periods.year
    }

    private func flush(_ database: String) async throws {
        let request = HTTPClientRequest(url: database + "/internal/force_flush")
        _ = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
    }

    /// Reports of clusters, each with a number of nodes of its own, to whichever server answers.
    private struct Load {
        /// How many clusters report.
        let clusters: Int

        var nodes: Int64 { (1...clusters).reduce(0) { $0 + Int64($1 % 7 + 1) } }

        /// Sends them, each until it is answered 200; calls for something after so many.
        func run(
            to urls: @escaping @Sendable () -> [String],
            at count: Int,
            _ event: @escaping @Sendable () async throws -> Void
        ) async throws {
            let (next, answered) = (Counter(), Counter())
            let clusters = clusters
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        while case let number = next.up(), number <= clusters {
                            await Self.deliver(number, urls)
                            if answered.up() == count { try await event() }
                        }
                    }
                }
                try await group.waitForAll()
            }
        }

        private static func deliver(_ number: Int, _ urls: @Sendable () -> [String]) async {
            var attempt = number
            while true {
                let urls = urls()
                var request = HTTPClientRequest(url: urls[attempt % urls.count])
                request.method = .POST
                request.headers = ["X-Cluster-ID": "cluster-\(number)"]
                request.body = .bytes(
                    ByteBuffer(string: "cozy_nodes_count{os=\"linux\",kernel=\"6.6\"} \(number % 7 + 1)\n")
                )
                let answer = try? await HTTPClient.shared.execute(request, timeout: .seconds(10))
                if answer?.status == .ok { return }
                attempt += 1
                // A server that is being started does not say when to try again.
                try? await Task.sleep(for: .milliseconds(20))
            }
        }
    }

    private final class Counter: Sendable {
        private let count = Mutex(0)

        /// The next number, from 1.
        func up() -> Int {
            count.withLock { count in
                count += 1
                return count
            }
        }
    }

    private func waitUntilSent(_ numbers: Range<Int>) async throws {
        for number in numbers {
            // Another process does it, which says nothing.
            while try await waiting(number) > 0 { try await Task.sleep(for: .milliseconds(200)) }
        }
    }

    private func waiting(_ number: Int) async throws -> Int {
        try await StoreMaintenance(directory: directories[number].path).outboxStatistics().waiting
    }

    @Test("VictoriaMetrics is killed under load, right after it took reports, and started again")
    func killed() async throws {
        try await VictoriaMetricsProcess.withProcess { database in
            let server = try await ingest(0, database.url)
            let load = Load(clusters: 3_000)
            try await load.run(to: { [server.url] }, at: 1_500) {
                database.end()
                // Reports go on coming meanwhile.
                try await Task.sleep(for: .milliseconds(500))
                try await database.start()
            }
            // The second time while nothing comes any more, so that no attempt fails.
            // The last batch has been taken by then, and is not written yet.
            try await Task.sleep(for: .seconds(1))
            database.end()
            try await database.start()
            try await waitUntilSent(0..<1)
            try await expect(clusters: 3_000, nodes: load.nodes, at: database.url)
            server.program.signal(SIGTERM)
            #expect(await server.program.ending().status == 0)
        }
    }

    @Test(
        "VictoriaMetrics hangs, and then has no room; reports are taken meanwhile, and the figures are 503 and not zero"
    )
    func hangsAndIsFull() async throws {
        try await VictoriaMetricsProcess.withProcess { database in
            let server = try await ingest(0, database.url)
            let load = Load(clusters: 600)
            try await load.run(to: { [server.url] }, at: 200) { database.signal(SIGSTOP) }
            #expect(try await waiting(0) >= 300)
            database.signal(SIGCONT)
            database.stop()
            try await database.start(["-storage.minFreeDiskSpaceBytes=1000000GB"])
            #expect(await server.program.line(containing: "cannot be sent on, and wait") != nil)
            try await withFigures(database.url) { figures in
                let month = try await Self.month(figures)
                #expect(month != nil)
            }
            database.stop()
            // One that knows nothing yet, as what was answered is kept for a while.
            try await withFigures(database.url) { figures in
                let month = UTCInstant.now().month
                let url = "\(figures.url)/api/overview?year=\(month.year)&month=\(month.month)"
                let answer = try await HTTPClient.shared.execute(HTTPClientRequest(url: url), timeout: .seconds(60))
                #expect(answer.status == .serviceUnavailable)
                #expect(answer.headers.first(name: "Retry-After") != nil)
            }
            try await database.start()
            try await waitUntilSent(0..<1)
            try await expect(clusters: 600, nodes: load.nodes, at: database.url)
            server.program.signal(SIGTERM)
            #expect(await server.program.ending().status == 0)
        }
    }

    @Test("a backend beside a database that hangs ends within ten seconds, and says nothing of figures that it cut off")
    func endsBesideHanging() async throws {
        try await VictoriaMetricsProcess.withProcess { database in
            database.signal(SIGSTOP)
            let arguments = ["--vmselect-url", database.url, "--pseudonym-key-file", key]
            let server = try await Server.start(arguments, directory: directories[3])
            async let overview = Self.month(server)
            let begin = ContinuousClock.now
            server.program.signal(SIGTERM)
            let ending = await server.program.ending()
            #expect(ending.status == 0 && !ending.errors.contains("cannot be read"), "\(ending.errors)")
            // What the command promises, and not a measure of the machine.
            #expect(.now - begin < .seconds(15))
            _ = try? await overview
            database.signal(SIGCONT)
        }
    }

    @Test("of three backends one is killed under load, then all are replaced one after the other")
    func rolling() async throws {
        try await VictoriaMetricsProcess.withProcess { database in
            let servers = Mutex<[Server]>([])
            for number in 0..<3 {
                let server = try await ingest(number, database.url)
                servers.withLock { $0.append(server) }
            }
            let urls: @Sendable () -> [String] = { servers.withLock { $0.map(\.url) } }
            let replace: @Sendable (Int, Int32) async throws -> Void = { number, signal in
                let old = servers.withLock { $0[number] }
                old.program.signal(signal)
                let ending = await old.program.ending()
                if signal == SIGTERM { #expect(ending.status == 0, "\(ending.errors)") }
                let new = try await ingest(number, database.url)
                servers.withLock { $0[number] = new }
            }
            let load = Load(clusters: 3_000)
            try await load.run(to: urls, at: 1_000) {
                try await replace(1, SIGKILL)
                for number in 0..<3 { try await replace(number, SIGTERM) }
            }
            try await waitUntilSent(0..<3)
            try await expect(clusters: 3_000, nodes: load.nodes, at: database.url)
            for server in servers.withLock({ $0 }) {
                let answer = try await HTTPClient.shared.execute(
                    HTTPClientRequest(url: server.url + "/api/overview?year=2026&month=1"),
                    timeout: .seconds(30)
                )
                #expect(answer.status == .notFound)
                server.program.signal(SIGTERM)
                #expect(await server.program.ending().status == 0)
            }
        }
    }
}

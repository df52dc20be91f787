// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// A real VictoriaMetrics on the loopback interface, with a store of its own, that can be stopped, killed and started again.
package final class VictoriaMetricsProcess: Sendable {
    private static let paths = ["/usr/bin/victoria-metrics", "/usr/local/bin/victoria-metrics"]
    private static var path: String? { paths.first(where: FileManager.default.isExecutableFile(atPath:)) }

    /// Whether one can be started here.
    package static var isAvailable: Bool { path != nil }

    /// Where it is served; the same after a restart.
    package let url: String
    private let directory: String
    private let port: Int
    private let running = Mutex<Running?>(nil)

    /// A process that runs, and the one that ends it when the tests end.
    private struct Running {
        let guardian: Process
        let input: Pipe
        let identifier: Int32
    }

    private init(directory: String, port: Int) {
        self.directory = directory
        self.port = port
        url = "http://127.0.0.1:\(port)"
    }

    /// Runs a body with the URL of a database.
    package static func with(
        isolation: isolated (any Actor)? = #isolation,
        _ body: (String) async throws -> Void
    ) async throws {
        try await withProcess { try await body($0.url) }
    }

    /// Runs a body with a database.
    ///
    /// - Parameters:
    ///   - flags: More flags than it has anyhow.
    ///   - isolation: Where the body runs.
    ///   - body: Gets the database.
    /// - Throws: What the body throws, or where it cannot be started.
    package static func withProcess(
        _ flags: [String] = [],
        isolation: isolated (any Actor)? = #isolation,
        _ body: (VictoriaMetricsProcess) async throws -> Void
    ) async throws {
        let directory = try TemporaryDirectory()
        let process = VictoriaMetricsProcess(directory: directory.path + "/data", port: try ControlPlanePorts().server)
        defer { process.end() }
        try await process.start(flags)
        try await body(process)
    }

    /// Starts it again, once it has ended.
    package func start(_ flags: [String] = [], prefix: String = "") async throws {
        let (guardian, input, output) = (Process(), Pipe(), Pipe())
        // Not sh, whose wait needs signals that threads of the tests have blocked.
        guardian.executableURL = URL(fileURLWithPath: "/bin/bash")
        guardian.arguments =
            [
                "-c", Self.script, Self.path ?? "", "-storageDataPath=\(directory)",
                "-httpListenAddr=127.0.0.1:\(port)", "-http.pathPrefix=\(prefix)",
                "-search.latencyOffset=0s", "-retentionPeriod=3y",
            ] + flags
        guardian.standardInput = input
        guardian.standardOutput = output
        guardian.standardError = FileHandle.nullDevice
        try guardian.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        try? output.fileHandleForReading.close()
        guard let identifier = Int32(line.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw CocoaError(.executableLoad)
        }
        running.withLock { $0 = Running(guardian: guardian, input: input, identifier: identifier) }
        try await waitUntilReady(url + prefix)
    }

    /// Sends a signal.
    package func signal(_ signal: Int32) {
        if let running = running.withLock({ $0 }) { kill(running.identifier, signal) }
    }

    /// Kills it as a power failure would.
    package func end() {
        guard let running = running.withLock({ $0.take() }) else { return }
        try? running.input.fileHandleForWriting.close()
        running.guardian.waitUntilExit()
    }

    /// Stops it and lets it write everything.
    package func stop() {
        guard let running = running.withLock({ $0.take() }) else { return }
        try? running.input.fileHandleForWriting.write(contentsOf: Data("stop\n".utf8))
        running.guardian.waitUntilExit()
    }

    /// Starts it, says its number, waits for a line, which stops it, or the end of its input, which kills it; so it ends with
    /// the test process, however that ends.
    ///
    /// It is named by its place among the jobs, as its number may be another one's once it has been killed.
    private static let script = """
        "$0" "$@" </dev/null >/dev/null 2>&1 &
        database=$!
        echo "$database"
        if read -r line; then kill -TERM %1; else kill -KILL %1; fi 2>/dev/null
        wait "$database"
        """

    /// Polls, because a starting database gives no sign that could be waited for.
    private func waitUntilReady(_ url: String) async throws {
        let deadline = ContinuousClock.now + .seconds(30)
        while true {
            do {
                _ = try await Command(executable: "/usr/bin/curl", arguments: ["-sf", url + "/health"])
                    .run(in: FileManager.default.temporaryDirectory)
                return
            } catch {
                guard ContinuousClock.now < deadline else { throw error }
                try await Task.sleep(for: .milliseconds(100))
            }
        }
    }
}

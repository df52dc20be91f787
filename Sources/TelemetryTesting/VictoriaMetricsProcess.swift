// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A real VictoriaMetrics on the loopback interface, with a store of its own.
package enum VictoriaMetricsProcess {
    private static let paths = ["/usr/bin/victoria-metrics", "/usr/local/bin/victoria-metrics"]
    private static var path: String? { paths.first(where: FileManager.default.isExecutableFile(atPath:)) }

    /// Whether one can be started here.
    package static var isAvailable: Bool { path != nil }

    /// Runs a body with the URL of a database.
    package static func with(
        isolation: isolated (any Actor)? = #isolation,
        _ body: (String) async throws -> Void
    ) async throws {
        let directory = try TemporaryDirectory()
        let port = try ControlPlanePorts().server
        let (process, input) = (Process(), Pipe())
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = [
            "-c", Self.script, path ?? "", "-storageDataPath=\(directory.path)/data",
            "-httpListenAddr=127.0.0.1:\(port)",
            "-search.latencyOffset=0s", "-retentionPeriod=3y",
        ]
        process.standardInput = input
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        defer {
            try? input.fileHandleForWriting.close()
            process.waitUntilExit()
        }
        let url = "http://127.0.0.1:\(port)"
        try await waitUntilReady(url)
        try await body(url)
    }

    /// Starts it, waits for the end of its input, ends it; so it ends with the test process, however that ends.
    private static let script = """
        "$0" "$@" </dev/null >/dev/null 2>&1 &
        database=$!
        read -r line
        kill -KILL "$database" 2>/dev/null
        """

    /// Polls, because a starting database gives no sign that could be waited for.
    private static func waitUntilReady(_ url: String) async throws {
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

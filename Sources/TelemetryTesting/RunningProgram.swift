// SPDX-License-Identifier: Apache-2.0

package import Foundation
import Synchronization

/// The built `cozy-telemetry` as a process of its own, or another program.
package final class RunningProgram: Sendable {
    /// How a program ended and what it printed.
    package struct Ending: Sendable {
        package let status: Int32
        package let output: String
        package let errors: String
    }

    private let process: Process
    private let output = Collector()
    private let errors = Collector()
    private let end: AsyncStream<Int32>

    /// Starts the program.
    ///
    /// - Parameters:
    ///   - arguments: Its arguments.
    ///   - environment: What is added to the environment, of which only `PATH` and `LD_PRELOAD` are inherited.
    ///   - wrapper: A command that runs the command line which follows it, as `env` does.
    ///   - input: What it reads; nil for nothing.
    /// - Throws: Where the executable cannot be started.
    package convenience init(
        _ arguments: [String],
        environment: [String: String] = [:],
        within wrapper: [String] = [],
        input: Pipe? = nil
    ) throws {
        let command = wrapper + [Self.executable.path] + arguments
        try self.init(command: command, environment: environment, input: input)
    }

    /// Starts any program, found like a shell finds it.
    ///
    /// - Parameters:
    ///   - command: The program and its arguments.
    ///   - environment: What is added to the environment, of which only `PATH` and `LD_PRELOAD` are inherited.
    ///   - input: What it reads; nil for nothing.
    /// - Throws: Where the executable cannot be started.
    package init(command: [String], environment: [String: String] = [:], input: Pipe? = nil) throws {
        process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = command
        // What the sanitizers need, `make sanitize` has loaded before everything else.
        let inherited = ProcessInfo.processInfo.environment.filter { ["PATH", "LD_PRELOAD"].contains($0.key) }
        process.environment = ["PATH": "/usr/bin:/bin"].merging(inherited) { $1 }.merging(environment) { $1 }
        process.standardInput = input ?? FileHandle.nullDevice
        process.standardOutput = output.pipe
        process.standardError = errors.pipe
        let (end, ended) = AsyncStream.makeStream(of: Int32.self)
        self.end = end
        process.terminationHandler = { process in
            ended.yield(process.terminationStatus)
            ended.finish()
        }
        try process.run()
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }

    /// Runs the program to its end.
    package static func run(_ arguments: [String], environment: [String: String] = [:]) async throws -> Ending {
        try await RunningProgram(arguments, environment: environment).ending()
    }

    /// The first line on standard error, of those not yet read, that has a text in it; nil where the program ended first.
    package func line(containing text: String) async -> String? {
        for await line in errors.lines where line.contains(text) { return line }
        return nil
    }

    /// The first line on standard output, of those not yet read, that has a text in it; nil where the program ended first.
    package func outputLine(containing text: String) async -> String? {
        for await line in output.lines where line.contains(text) { return line }
        return nil
    }

    /// The process id; a wrapper that replaces itself by the program leaves it the same.
    package var processIdentifier: Int32 { process.processIdentifier }

    /// Sends a signal, unless the program has ended: its number may be another one's by then.
    package func signal(_ signal: Int32) {
        if process.isRunning { kill(process.processIdentifier, signal) }
    }

    /// Waits for the end.
    package func ending() async -> Ending {
        var status: Int32 = -1
        for await ended in end { status = ended }
        return Ending(status: status, output: await output.whole(), errors: await errors.whole())
    }

    /// The executable beside the test bundle.
    package static var executable: URL {
        let tests = URL(fileURLWithPath: ProcessInfo.processInfo.arguments[0]).resolvingSymlinksInPath()
        return tests.deletingLastPathComponent().appendingPathComponent("cozy-telemetry")
    }

    /// A text that a thread writes.
    private final class Shared: Sendable {
        private let text = Mutex("")

        func withLock<Result: Sendable>(_ body: (inout sending String) -> sending Result) -> Result {
            text.withLock(body)
        }
    }

    /// Reads a pipe to its end, line by line.
    private final class Collector: Sendable {
        let pipe = Pipe()
        let lines: AsyncStream<String>
        private let text = Shared()
        private let closed: AsyncStream<Void>

        init() {
            let (lines, line) = AsyncStream.makeStream(of: String.self)
            let (closed, close) = AsyncStream.makeStream(of: Void.self)
            (self.lines, self.closed) = (lines, closed)
            // A thread of its own blocks on the pipe, as nothing that waits for it may block.
            Thread.detachNewThread { [pipe, text] in
                var rest = ""
                while case let bytes = pipe.fileHandleForReading.availableData, !bytes.isEmpty {
                    let part = String(decoding: bytes, as: UTF8.self)
                    text.withLock { $0 += part }
                    // Terminals end lines with two bytes, which are one letter to Swift.
                    var complete = (rest + part).split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
                    rest = complete.popLast().map(String.init) ?? ""
                    for text in complete { line.yield(String(text)) }
                }
                // Foundation keeps the pipes of programs that have ended, and their files would add up.
                try? pipe.fileHandleForReading.close()
                line.finish()
                close.finish()
            }
        }

        /// Everything, once the other end is closed.
        func whole() async -> String {
            for await _ in closed {}
            return text.withLock { $0 }
        }
    }
}

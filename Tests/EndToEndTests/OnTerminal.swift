// SPDX-License-Identifier: Apache-2.0

import Foundation
import TelemetryTesting

extension RunningProgram {
    /// Starts the program on a terminal of a size; what it prints, and what the terminal echoes, is its output.
    static func onTerminal(
        _ arguments: [String],
        columns: Int = 100,
        rows: Int = 30,
        environment: [String: String] = [:],
        input: Pipe? = nil
    ) throws -> RunningProgram {
        try RunningProgram(
            arguments,
            environment: ["TERM": "xterm"].merging(environment) { $1 },
            within: ["python3", "-c", terminal, "\(columns)", "\(rows)"],
            input: input
        )
    }

    /// Runs the program on a terminal to its end.
    static func runOnTerminal(
        _ arguments: [String],
        columns: Int = 100,
        environment: [String: String] = [:]
    ) async throws -> Ending {
        let keyboard = Pipe()
        defer { try? keyboard.fileHandleForWriting.close() }
        return try await onTerminal(arguments, columns: columns, environment: environment, input: keyboard).ending()
    }

    /// Runs a command on a new terminal, with this process's input as its keyboard.
    private static let terminal = """
        import os, pty, sys
        shell = 'stty cols $0 rows $1; shift; exec "$@"'
        status = pty.spawn(["sh", "-c", shell, sys.argv[1], sys.argv[2], *sys.argv[3:]])
        sys.exit(os.waitstatus_to_exitcode(status))
        """
}

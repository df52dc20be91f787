// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Where people read: standard error for what is said, standard output for what was asked.
enum Terminal {
    /// Whether somebody watches standard error.
    static var isWatched: Bool { isatty(STDERR_FILENO) == 1 }

    /// Whether somebody looks at standard output.
    static var isShown: Bool { isatty(STDOUT_FILENO) == 1 }

    /// How large the terminal is that standard output goes to; the usual size where it is none.
    static var size: (columns: Int, rows: Int) {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
            return (80, 24)
        }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    /// Says a line on standard error.
    static func say(_ line: String) {
        // Where nobody reads any more, there is nobody to tell.
        try? FileHandle.standardError.write(contentsOf: Data((line + "\n").utf8))
    }

    /// Writes bytes to standard output as they are; the program ends where that fails, without a word where nobody reads
    /// them any more.
    static func write(_ bytes: [UInt8]) {
        do {
            try FileHandle.standardOutput.write(contentsOf: Data(bytes))
        } catch {
            let cause = SystemError(behind: error)
            if cause.number != EPIPE {
                endProgress()
                say("cozy-telemetry: standard output: \(cause.words)")
            }
            exit(1)
        }
    }

    /// Writes a line to standard output.
    static func write(line: String) {
        write(Array((line + "\n").utf8))
    }

    /// Says how far something is, on one line that the next call overwrites; only where somebody watches.
    static func progress(_ text: String, isLast: Bool = false) {
        guard isWatched else { return }
        try? FileHandle.standardError.write(contentsOf: Data("\r\u{1B}[K\(text)\(isLast ? "\n" : "")".utf8))
    }

    /// Takes the line of `progress` away.
    static func endProgress() {
        guard isWatched else { return }
        try? FileHandle.standardError.write(contentsOf: Data("\r\u{1B}[K".utf8))
    }

    /// Writes a value as JSON for programs: sorted keys, two blanks of indentation or none of it.
    static func writeJSON(_ value: some Encodable, onOneLine: Bool = false) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if !onOneLine { encoder.outputFormatting.insert(.prettyPrinted) }
        write(line: String(decoding: try encoder.encode(value), as: UTF8.self))
    }
}

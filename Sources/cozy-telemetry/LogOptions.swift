// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Logging

/// How much is logged; the log goes to standard error.
struct LogOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Log this and worse: \(Self.levels). (default: info)", valueName: "level"),
        transform: { text throws in
            guard let level = Logger.Level(rawValue: text) else {
                throw ValidationError("there is no level '\(text)'; there are \(Self.levels)")
            }
            return level
        }
    )
    var logLevel: Logger.Level = .info

    private static let levels = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")

    /// A logger of that level.
    func logger(_ label: String) -> Logger { Self.logger(label, level: logLevel) }

    /// A logger of a level.
    static func logger(_ label: String, level: Logger.Level) -> Logger {
        var logger = Logger(label: label) { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = level
        return logger
    }
}

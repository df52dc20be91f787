// SPDX-License-Identifier: Apache-2.0

package import Logging
import Synchronization

/// Keeps everything that is logged, at any level, and tells of it as it happens.
package final class LogRecorder: Sendable {
    /// Lines as they come: the level, the message and its metadata.
    package let lines: AsyncStream<String>

    private let continuation: AsyncStream<String>.Continuation
    private let past = Mutex<[String]>([])

    package init() {
        (lines, continuation) = AsyncStream.makeStream(of: String.self)
    }

    /// The lines so far.
    package var recorded: [String] { past.withLock { $0 } }

    /// A logger that writes here.
    package var logger: Logger {
        var logger = Logger(label: "test") { _ in Handler(recorder: self) }
        logger.logLevel = .trace
        return logger
    }

    /// Says that nothing more is logged.
    package func finish() { continuation.finish() }

    private struct Handler: LogHandler {
        let recorder: LogRecorder
        var logLevel = Logger.Level.trace
        var metadata: Logger.Metadata = [:]

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let all = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
            let line = "\(event.level) \(event.message)" + all.map { " \($0.key)=\($0.value)" }.joined()
            recorder.past.withLock { $0.append(line) }
            recorder.continuation.yield(line)
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import Logging
import Synchronization
import TelemetryModel

/// Says in the log how much of the reports was dropped because the data dictionary does not have it: numbers only, and
/// one line a minute at the most.
final class DroppingsLog: Sendable {
    private let logger: Logger
    private let now: @Sendable () -> UTCInstant
    private let state = Mutex(State())

    private struct State {
        var reports = 0
        var samples = 0
        var labels = 0
        var values = 0
        var lastLine: UTCInstant?
    }

    init(logger: Logger, now: @escaping @Sendable () -> UTCInstant) {
        self.logger = logger
        self.now = now
    }

    /// Counts a report, and writes a line where one is due.
    func add(_ decoded: DecodedReport) {
        guard decoded.droppedSamples + decoded.droppedLabels + decoded.replacedValues > 0 else { return }
        let instant = now()
        let due = state.withLock { state -> State? in
            state.reports += 1
            state.samples += decoded.droppedSamples
            state.labels += decoded.droppedLabels
            state.values += decoded.replacedValues
            if let last = state.lastLine, instant < last.advanced(bySeconds: 60), instant >= last { return nil }
            defer { state = State(lastLine: instant) }
            return state
        }
        guard let due else { return }
        logger.info(
            "reports held what the data dictionary does not have",
            metadata: [
                "reports": "\(due.reports)", "dropped_samples": "\(due.samples)", "dropped_labels": "\(due.labels)",
                "replaced_values": "\(due.values)",
            ]
        )
    }
}

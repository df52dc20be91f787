// SPDX-License-Identifier: Apache-2.0

import Logging
import Synchronization

/// What a candidate said in its log, so that it says what changed and does not repeat itself.
final class ElectionJournal: Sendable {
    /// What there is to say.
    enum State: Equatable {
        case waiting
        case leading
        case lost
        case released
        case failing(String)
    }

    private let logger: Logger
    private let state = Mutex<State?>(nil)

    init(_ logger: Logger) {
        self.logger = logger
    }

    /// Says what is the case now, where it is something else than before.
    func note(_ new: State) {
        let former = state.withLock { state in
            defer { state = new }
            return state
        }
        guard former != new else { return }
        switch new {
        case .waiting: logger.info("Another one leads; this one waits")
        case .leading: logger.info("This one leads")
        case .lost:
            logger.warning("This one does not lead any more: its lease could not be renewed in time, or was taken")
        case .released: logger.info("This one does not lead any more")
        case .failing(let reason): logger.warning("The lease cannot be used", metadata: ["reason": "\(reason)"])
        }
    }

    /// Says why a call failed, unless the task was cancelled.
    func note(_ error: any Error) {
        if let error = error as? KubernetesError { note(.failing(error.summary)) }
    }
}

// SPDX-License-Identifier: Apache-2.0

import Kubernetes
import Logging
import Synchronization
import TelemetryModel

/// What the agent said in its log, so that it says what changed and does not repeat itself.
final class AgentJournal: Sendable {
    private struct State {
        var omissions: [ReportPart: Omission] = [:]
        var cannotWrite = false
        var cannotWatch = false
        var cannotGiveNotice = false
        /// What fails: the delivery of a collector's reports, or, as nil, what comes before it.
        var failing: Set<Collector?> = []
        var consent: Consent?
    }

    private let logger: Logger
    private let state = Mutex(State())

    init(_ logger: Logger) {
        self.logger = logger
    }

    /// The answer that was last said; nil where there was none yet.
    var consent: Consent? { state.withLock { $0.consent } }

    /// Forgets the answer, so that the next one is said again.
    func forgetConsent() { state.withLock { $0.consent = nil } }

    /// Says which parts are left out, each once, until it is there again.
    func note(_ omissions: [ReportPart: Omission]) {
        let former = state.withLock { state in
            defer { state.omissions = omissions }
            return state.omissions
        }
        for part in ReportPart.allCases where former[part] != omissions[part] {
            if let omission = omissions[part] {
                logger.warning(
                    "A part of the report is left out",
                    metadata: ["part": "\(part.rawValue)", "reason": "\(omission.rawValue)"]
                )
            } else {
                logger.info("A part of the report is there again", metadata: ["part": "\(part.rawValue)"])
            }
        }
    }

    /// Says the answer where it is another than before.
    func note(_ consent: Consent) {
        let former = state.withLock { state in
            defer { state.consent = consent }
            return state.consent
        }
        guard former != consent else { return }
        // During an outage another place may be the first that cannot be read, or for another reason.
        if case .unknown = former, case .unknown = consent { return }
        switch consent {
        case .yes:
            logger.info("Telemetry is on")
        case .unknown(let place, let reason):
            logger.warning(
                "Nothing is sent: whether the owner said no could not be read",
                metadata: ["place": "\(place)", "reason": "\(reason)"]
            )
        case .no(let place, let reason):
            let level: Logger.Level = reason == ConsentFacts.strange ? .warning : .notice
            logger.log(level: level, "Telemetry is off", metadata: ["place": "\(place)", "reason": "\(reason)"])
        }
    }

    /// Says that the ConfigMap of the agent cannot be written, once until it can.
    func noteWriting(_ failure: (any Error)?) {
        // Whoever is cancelled could not even try.
        if failure is CancellationError { return }
        let former = state.withLock { state in
            defer { state.cannotWrite = failure != nil }
            return state.cannotWrite
        }
        if let failure, !former {
            logger.warning(
                "The agent's status cannot be kept in its ConfigMap",
                metadata: ["reason": "\(Omission(failure).rawValue)"]
            )
        } else if failure == nil, former {
            logger.info("The agent's status is kept in its ConfigMap again")
        }
    }

    /// Says once where a watch is not allowed; other failures pass, and consent is read again after them.
    func noteWatching(_ failure: any Error) {
        guard case KubernetesError.forbidden = failure else { return }
        let former = state.withLock { state in
            defer { state.cannotWatch = true }
            return state.cannotWatch
        }
        guard !former else { return }
        logger.warning(
            "A no may be noticed late: not every place where it may be said can be watched",
            metadata: ["reason": "\(Omission(failure).rawValue)"]
        )
    }

    /// Says when the first report may be sent.
    func noteNotice(remaining: Duration) {
        state.withLock { $0.cannotGiveNotice = false }
        logger.notice(
            "Notice was given in the cluster; nothing is sent before its period is over",
            metadata: ["seconds": "\(remaining.components.seconds)", "configmap": "\(StatusStore.name)"]
        )
    }

    /// Says once that notice cannot be given.
    @Sendable func noteNotice(failure: any Error) {
        let former = state.withLock { state in
            defer { state.cannotGiveNotice = true }
            return state.cannotGiveNotice
        }
        guard !former else { return }
        logger.warning(
            "Nothing is sent: notice could not be given in the cluster",
            metadata: ["reason": "\(Omission(failure).rawValue)"]
        )
    }

    /// Says that sending fails, once until nothing fails any more.
    ///
    /// - Parameters:
    ///   - error: What went wrong.
    ///   - collector: Whose report could not be delivered; nil where there is none yet.
    ///   - isFinal: Whether that report is dropped, and only the next one tried.
    func noteFailure(_ error: any Error, of collector: Collector? = nil, isFinal: Bool = false) {
        let began = state.withLock { state in
            defer { state.failing.insert(collector) }
            return state.failing.isEmpty
        }
        guard began else { return }
        let reason =
            switch error {
            case AgentError.cluster(.unreachable): "the API server cannot be reached"
            default: "\(error)"
            }
        let next = isFinal ? "this report is dropped" : "it is tried again"
        logger.warning("Telemetry cannot be sent; \(next)", metadata: ["reason": "\(reason)"])
    }

    /// Says that sending works again, where nothing that failed still does.
    func noteSuccess(of collector: Collector? = nil) {
        let ended = state.withLock { state in
            let former = state.failing
            state.failing = former.filter { failing in
                guard let failing, let collector else { return failing != collector }
                return !collector.speaks(for: failing)
            }
            return !former.isEmpty && state.failing.isEmpty
        }
        if ended { logger.info("Telemetry is sent again") }
    }
}

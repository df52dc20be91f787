// SPDX-License-Identifier: Apache-2.0

import Kubernetes
import Synchronization
import TelemetryModel

/// Asks every place where somebody can say no, and remembers which of them did.
///
/// Nothing is written while somebody waits for the answer: `keep` does that afterwards.
final class ConsentReader: Sendable {
    private let settings: AgentSettings
    private let reader: ClusterReader
    private let status: StatusStore
    private let journal: AgentJournal
    private let metrics: AgentMetrics
    private let now: @Sendable () -> UTCInstant
    private let memory = Mutex(Memory())

    /// Refusals as they were last known, for when the ConfigMap that keeps them is gone or does not take them.
    private struct Memory {
        var refusals = Refusals()
        /// Whether the ConfigMap has them, too.
        var isKept = true
        /// What the ConfigMap is to say else; nothing where it could not be read.
        var changes: [String: String?] = [:]
    }

    /// How long each place may take to be read before it counts as unreadable.
    private static let limit = Duration.seconds(5)

    init(
        settings: AgentSettings,
        reader: ClusterReader,
        status: StatusStore,
        journal: AgentJournal,
        metrics: AgentMetrics,
        now: @escaping @Sendable () -> UTCInstant
    ) {
        self.settings = settings
        self.reader = reader
        self.status = status
        self.journal = journal
        self.metrics = metrics
        self.now = now
    }

    /// The answer of this moment, and what it was read from; who said no is remembered.
    ///
    /// - Throws: `CancellationError` where the task was cancelled; what cannot be read is an answer.
    func read() async throws -> (Consent, PlatformObjects) {
        let (consent, facts, former) = try await ask()
        let current = former.updated(by: facts)
        memory.withLock { memory in
            memory.isKept = memory.isKept && memory.refusals == current
            memory.refusals = current
            memory.changes = [:]
            if case .unreadable = facts.objects.statusConfigMap { return }
            let data = facts.objects.statusConfigMap.object?.data ?? [:]
            let changes = current.changes(from: Refusals(data))
            memory.isKept = changes.isEmpty
            memory.changes = StatusRecord(data: data).changes(recording: consent, at: now())
            memory.changes.merge(changes) { $1 }
        }
        journal.note(consent)
        metrics.read(consent)
        return (consent, facts.objects)
    }

    /// The answer of this moment, and what it was read from; nothing is remembered.
    func look() async throws -> (Consent, PlatformObjects) {
        let (consent, facts, _) = try await ask(within: .seconds(30))
        return (consent, facts.objects)
    }

    /// A no as soon as any place says it, or else the answer of all.
    ///
    /// - Throws: `CancellationError` where the task was cancelled.
    func glance() async throws -> Consent {
        try await ask(until: \.sayNo).0
    }

    /// Writes what was last read where it outlives the agent, and where everybody in the cluster can read it.
    func keep() async {
        let changes = memory.withLock { $0.changes }
        guard !changes.isEmpty, await status.tryWriting(changes, journal) else { return }
        memory.withLock { memory in
            // Another answer may have been read meanwhile.
            guard memory.changes == changes else { return }
            memory.changes = [:]
            memory.isKept = true
        }
    }

    private func ask(
        within limit: Duration = limit,
        until isEnough: (ConsentFacts) -> Bool = { _ in false }
    ) async throws -> (Consent, ConsentFacts, Refusals) {
        let objects = await reader.platformObjects(statusIn: status.namespace, within: limit) { isEnough(facts($0)) }
        // What a cancelled task could not read is nobody's no.
        try Task.checkCancellation()
        let former = remembered(objects.statusConfigMap)
        return (Consent(facts(objects), remembering: former), facts(objects), former)
    }

    private func facts(_ objects: PlatformObjects) -> ConsentFacts {
        ConsentFacts(isDisabledByFlag: settings.isDisabled, doNotTrack: settings.doNotTrack, objects: objects)
    }

    /// The refusals that the ConfigMap holds, with those that it did not take; those in memory where it cannot be asked.
    private func remembered(_ reading: Reading<ConfigMap>) -> Refusals {
        let memory = memory.withLock { $0 }
        guard let data = reading.object?.data else { return memory.refusals }
        return memory.isKept ? Refusals(data) : Refusals(data).union(memory.refusals)
    }
}

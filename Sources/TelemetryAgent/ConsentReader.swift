// SPDX-License-Identifier: Apache-2.0

import Kubernetes
import Synchronization

/// Asks every place where somebody can say no, and remembers which of them did.
final class ConsentReader: Sendable {
    private let settings: AgentSettings
    private let reader: ClusterReader
    private let status: StatusStore
    private let journal: AgentJournal
    private let memory = Mutex(Memory())

    /// Refusals as they were last known, for when the ConfigMap that keeps them is gone or does not take them.
    private struct Memory {
        var refusals = Refusals()
        var isKept = true
    }

    init(settings: AgentSettings, reader: ClusterReader, status: StatusStore, journal: AgentJournal) {
        self.settings = settings
        self.reader = reader
        self.status = status
        self.journal = journal
    }

    /// The answer of this moment, and what it was read from; who said no is remembered.
    ///
    /// - Throws: `CancellationError` where the task was cancelled; what cannot be read is an answer.
    func read() async throws -> (Consent, PlatformObjects) {
        let (consent, facts, former) = try await ask()
        let current = former.updated(by: facts)
        memory.withLock { $0.refusals = current }
        journal.note(consent)
        await keep(current, insteadOf: facts.objects.statusConfigMap)
        return (consent, facts.objects)
    }

    /// The answer of this moment, and what it was read from; nothing is written.
    func look() async throws -> (Consent, PlatformObjects) {
        let (consent, facts, _) = try await ask()
        return (consent, facts.objects)
    }

    private func ask() async throws -> (Consent, ConsentFacts, Refusals) {
        let objects = await reader.platformObjects(statusIn: status.namespace)
        // What a cancelled task could not read is nobody's no.
        try Task.checkCancellation()
        let facts = ConsentFacts(
            isDisabledByFlag: settings.isDisabled,
            doNotTrack: settings.doNotTrack,
            objects: objects
        )
        let former = remembered(objects.statusConfigMap)
        return (Consent(facts, remembering: former), facts, former)
    }

    /// The refusals that the ConfigMap holds, with those that it did not take; those in memory where it cannot be asked.
    private func remembered(_ reading: Reading<ConfigMap>) -> Refusals {
        let memory = memory.withLock { $0 }
        guard let data = reading.object?.data else { return memory.refusals }
        return memory.isKept ? Refusals(data) : Refusals(data).union(memory.refusals)
    }

    /// Writes refusals where they outlive the agent.
    private func keep(_ current: Refusals, insteadOf reading: Reading<ConfigMap>) async {
        if case .unreadable = reading { return }
        let changes = current.changes(from: Refusals(reading.object?.data ?? [:]))
        let isKept = await status.tryWriting(changes, journal)
        memory.withLock { $0.isKept = isKept }
    }
}

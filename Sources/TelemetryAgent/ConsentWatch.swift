// SPDX-License-Identifier: Apache-2.0

import Kubernetes

/// Tells at once when a place where somebody can say no may have changed.
struct ConsentWatch: Sendable {
    let client: KubernetesClient
    let consent: ConsentReader
    /// The agent's namespace.
    let namespace: String
    let journal: AgentJournal

    /// Has the answer asked for again, now.
    typealias AskAgain = @Sendable () -> Void

    /// Runs something whenever the answer is yes, and cancels it as soon as it is not.
    ///
    /// A no waits for nothing: what is written about it is written afterwards.
    ///
    /// - Parameters:
    ///   - refused: What to do where it is no, before it is waited for another.
    ///   - body: What is done meanwhile; it goes on until it is cancelled. A watch may be down, or dead without a word, so
    ///     it has the answer asked for again where that matters.
    /// - Throws: What the body throws, and `CancellationError`.
    func whileConsented(
        refused: @escaping @Sendable () async -> Void,
        _ body: @escaping @Sendable (_ askAgain: @escaping AskAgain) async throws -> Void
    ) async throws {
        let (changes, change) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for watch in watches(change) { group.addTask(operation: watch) }
            group.addTask {
                var pause = WatchPause()
                while true {
                    try Task.checkCancellation()
                    switch try await consent.read().0 {
                    case .yes:
                        pause = WatchPause()
                        // It is a no also where somebody said yes again right after it.
                        if case .no = try await run({ try await body { change.yield() } }, until: changes) {
                            await refused()
                        }
                    case .no:
                        pause = WatchPause()
                        await refused()
                        await consent.keep()
                        for await _ in changes { break }
                    case .unknown:
                        await consent.keep()
                        // What makes it readable again, a permission or a network, changes no object and tells nobody.
                        try await Task.sleep(for: pause.afterFailure(nil))
                    }
                }
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    /// Runs a body until a change after which the answer is not yes; returns that answer.
    private func run(
        _ body: @escaping @Sendable () async throws -> Void,
        until changes: AsyncStream<Void>
    ) async throws -> Consent? {
        try await withThrowingTaskGroup(of: Consent?.self) { group in
            group.addTask {
                await consent.keep()
                try await body()
                return nil
            }
            group.addTask {
                for await _ in changes {
                    let answer = try await consent.glance()
                    if answer != .yes { return answer }
                }
                return nil
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
    }

    /// A task for each object; every one goes on until it is cancelled.
    private func watches(_ change: AsyncStream<Void>.Continuation) -> [@Sendable () async throws -> Void] {
        let system = "cozy-system"
        return [
            watch(.configMaps, namespace, StatusStore.name, change),
            watch(.configMaps, system, "cozystack", change),
            watch(.packages, nil, "cozystack.cozystack-platform", change),
            watch(.packages, nil, "cozystack.cozystack-engine", change),
            watch(.deployments, system, "cozystack-operator", change),
            watch(.deployments, system, "cozystack-controller", change),
        ]
    }

    private func watch<Object>(
        _ resource: Resource<Object>,
        _ namespace: String?,
        _ name: String,
        _ change: AsyncStream<Void>.Continuation
    ) -> @Sendable () async throws -> Void {
        let selection = Selection(namespace: namespace, fields: "metadata.name=\(name)")
        return {
            var pause = WatchPause()
            var isMissing = false
            while true {
                let begin = ContinuousClock.now
                var failure: (any Error)?
                do {
                    for try await event in client.watch(resource, selection) {
                        isMissing = false
                        if case .bookmark = event { continue }
                        change.yield()
                    }
                } catch {
                    try Task.checkCancellation()
                    journal.noteWatching(error)
                    failure = error
                }
                // Something may change until the next watch is there. A resource that goes on not being served says nothing
                // new; when it is served, its objects are told of.
                let wasMissing = isMissing
                if case KubernetesError.notFound? = failure { isMissing = true } else { isMissing = false }
                if !(wasMissing && isMissing) { change.yield() }
                pause.note(ContinuousClock.now - begin)
                // A server that is down, and a resource that is not served yet, tell nobody when they are there.
                try await Task.sleep(for: failure.map { pause.afterFailure($0) } ?? pause.afterEnd())
            }
        }
    }
}

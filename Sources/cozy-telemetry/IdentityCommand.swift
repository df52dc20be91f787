// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import Kubernetes
import TelemetryAgent
import TelemetryModel

/// `cozy-telemetry identity`: the id that a cluster reports under, and a new one.
struct IdentityCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "identity",
        abstract: "Show the id that a cluster reports under, or give it a new one.",
        subcommands: [IdentityShowCommand.self, IdentityResetCommand.self],
        defaultSubcommand: IdentityShowCommand.self
    )
}

/// `cozy-telemetry identity show`: the id; it makes none.
struct IdentityShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Print the id that the cluster reports under. Nothing is changed.",
        discussion: "What is said of an agent is said of one that runs without --identity uid."
    )

    @OptionGroup var cluster: ClusterOptions

    @Flag(help: "Print the id, whether reports are signed, and why not, as JSON.")
    var json = false

    func run() async throws {
        try await cluster.withClient { client, namespace in
            let source = IdentitySource(mode: .key, client: client, namespace: namespace)
            let identity = try await source.existing()
            let secret = KeyStore(client: client, namespace: namespace).name
            if json { return try Terminal.writeJSON(Document(identity)) }
            guard let identity else {
                Terminal.say(
                    "There is no id yet: the agent makes a key in the Secret \(secret) before its first report."
                )
                return
            }
            Terminal.write(line: identity.clusterID.text)
            switch identity {
            case .key: Terminal.say("Reports are signed with the key in the Secret \(secret).")
            case .uid(_, let reason):
                Terminal.say(
                    "This is the UID of the namespace kube-system, and you cannot see the key: \(reason ?? "")."
                )
            }
        }
    }

    /// The identity for programs.
    private struct Document: Encodable {
        let clusterID: String?
        let signed: Bool
        let reason: String?

        private enum CodingKeys: String, CodingKey {
            case clusterID = "cluster_id"
            case signed, reason
        }

        init(_ identity: AgentIdentity?) {
            clusterID = identity?.clusterID.text
            switch identity {
            case .key: (signed, reason) = (true, nil)
            case .uid(_, let reason): (signed, self.reason) = (false, reason)
            case nil: (signed, reason) = (false, "there is no key yet")
            }
        }
    }
}

/// `cozy-telemetry identity reset`: another id from now on.
struct IdentityResetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reset",
        abstract: "Make a new key, and with it a new id.",
        discussion: """
            The agent uses the new key from its next report on. What was reported under the old id stays until it is \
            erased, and only the old key can sign for that: where it is to go, run `cozy-telemetry opt-out --forget` \
            before.
            """
    )

    @OptionGroup var cluster: ClusterOptions

    @Flag(help: "Do not ask.")
    var yes = false

    @Flag(help: "Print both ids as JSON.")
    var json = false

    func run() async throws {
        try confirm()
        try await cluster.withClient { client, namespace in
            let store = KeyStore(client: client, namespace: namespace)
            let reset = try await store.reset()
            if json { return try Terminal.writeJSON(Document(reset)) }
            Terminal.write(line: "old id  \(reset.former?.text ?? "(none)")")
            Terminal.write(line: "new id  \(reset.current.text)")
            Terminal.say("The agent uses the new key from its next report on.")
            if reset.former != nil {
                Terminal.say(
                    """
                    The figures of the old id stay until they are erased, which its key alone could ask for, by \
                    `cozy-telemetry opt-out --forget` before the reset; now whoever runs the backend can.
                    """
                )
            }
        }
    }

    /// Asks whether the old key is to go.
    ///
    /// - Throws: `CommandFailure` unless the answer is yes.
    private func confirm() throws {
        guard !yes else { return }
        guard isatty(STDIN_FILENO) == 1 else {
            throw CommandFailure.usage("the old key is gone after this; say --yes, or run it in a terminal")
        }
        Terminal.say(
            "The old key is gone after this, and with it the way to erase what was reported. Type yes to go on:"
        )
        guard readLine() == "yes" else { throw CommandFailure.failed("nothing was changed") }
    }

    /// Both ids for programs.
    private struct Document: Encodable {
        let former: String?
        let current: String

        init(_ reset: KeyStore.Reset) {
            (former, current) = (reset.former?.text, reset.current.text)
        }
    }
}

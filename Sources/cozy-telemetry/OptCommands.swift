// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import AsyncHTTPClient
import Kubernetes
import TelemetryAgent
import TelemetryModel

/// `cozy-telemetry opt-out`: says no for a cluster.
struct OptOutCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "opt-out",
        abstract: "Say no for a cluster: nothing is sent any more.",
        discussion: """
            Changes the place that the cluster's generation of Cozystack has for it: telemetry.disabled in the Package \
            cozystack.cozystack-platform, or telemetry-enabled in the ConfigMap cozy-system/cozystack, or else the \
            agent's own ConfigMap. A running agent stops within a second. Saying it twice changes nothing.
            """
    )

    @OptionGroup var cluster: ClusterOptions

    @Flag(help: "Ask the backend first to erase what it has of this cluster; that is the only request.")
    var forget = false

    @Option(
        help: ArgumentHelp("The backend to ask; where the last report went, unless given.", valueName: "url")
    )
    var telemetryEndpoint: String?

    @OptionGroup var transport: TransportOptions

    func run() async throws {
        var failure: CommandFailure?
        try await cluster.withClient { client, namespace in
            if forget {
                do {
                    failure = try await askToForget(client, namespace)
                } catch let error as CommandFailure {
                    failure = error
                } catch {
                    try Task.checkCancellation()
                    failure = .unavailable("the backend was not asked to erase anything: \(error)")
                }
            }
            let outcome = try await OwnersChoice(client: client, namespace: namespace).optOut()
            for place in outcome.changed { Terminal.write(line: "Changed: \(place) now says no.") }
            if outcome.changed.isEmpty { Terminal.write(line: "Unchanged: \(outcome.place) said no already.") }
            Terminal.write(line: "Telemetry is off.")
            if outcome.place == .statusConfigMap, !outcome.hasAgent {
                Terminal.write(
                    line:
                        "No agent has run in the namespace \(namespace) yet; if it is in another one, give --namespace."
                )
            }
        }
        // The no is what matters most; it does not depend on the backend.
        if let failure { throw failure }
    }

    /// Asks, and says what was answered.
    private func askToForget(_ client: KubernetesClient, _ namespace: String) async throws -> CommandFailure? {
        let last = try await AgentStatus.read(client: client, namespace: namespace).deliveries.first?.to
        let endpoint = telemetryEndpoint ?? last ?? AgentSettings.defaultEndpoint
        let way = try transport.transport(to: endpoint)
        let outcome = try await HTTPClient.withHTTPClient(configuration: way.httpClientConfiguration) { http in
            try await Forgetting(client: client, namespace: namespace, httpClient: http).ask(endpoint)
        }
        switch outcome {
        case .erased(let id):
            Terminal.write(line: "Erased: \(endpoint) has removed what it had of \(id.text).")
        case .unknown:
            Terminal.write(line: "Nothing to erase: no report was sent from this cluster.")
        case .unprovable(let id):
            return .failed(
                "\(id.text) cannot be proven to be this cluster's id; ask whoever runs \(endpoint) to erase it"
            )
        case .unsupported(let id, let status):
            return .failed(
                "what \(endpoint) has was not erased: it cannot be asked for that (\(status)); "
                    + "ask whoever runs it to erase \(id.text)"
            )
        case .failed(_, let reason):
            return .unavailable("what \(endpoint) has was not erased: \(reason); opt-out --forget asks again")
        }
        return nil
    }
}

/// `cozy-telemetry opt-in`: says yes for a cluster.
struct OptInCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "opt-in",
        abstract: "Say yes for a cluster.",
        discussion: """
            Changes the place that the cluster's generation of Cozystack has for it, and every other one that says no \
            and can be changed from here; a no that is remembered although its object is gone is forgotten. Where \
            something says no that has to be changed by hand, it is named, and the exit status is 1.
            """
    )

    @OptionGroup var cluster: ClusterOptions

    func run() async throws {
        let outcome = try await cluster.withClient {
            try await OwnersChoice(client: $0, namespace: $1).optIn()
        }
        for place in outcome.changed { Terminal.write(line: "Changed: \(place) now says yes.") }
        for place in outcome.forgotten { Terminal.write(line: "Forgotten: \(place) said no before.") }
        if outcome.changed.isEmpty { Terminal.write(line: "Unchanged: \(outcome.place) said yes already.") }
        guard outcome.remaining.isEmpty else {
            let places = ConsentPlace.allCases.compactMap { place in
                outcome.remaining[place].map { "\(place): \($0)" }
            }
            throw CommandFailure.failed(
                "telemetry is still off; to be changed by hand: \(places.joined(separator: "; "))"
            )
        }
        Terminal.write(
            line: "Telemetry is on, unless the agent itself was started with --disable-telemetry or DO_NOT_TRACK."
        )
    }
}

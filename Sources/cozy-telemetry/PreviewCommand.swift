// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Logging
import TelemetryAgent

/// `cozy-telemetry preview`: the exact bytes that would be sent, and to whom; it sends nothing.
struct PreviewCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "preview",
        abstract: "Print exactly what the agent would send, and to whom. Nothing is sent.",
        discussion: """
            Standard output gets the bytes of the reports and nothing else; where they would go, and whether they \
            would, is said on standard error.
            """
    )

    @OptionGroup var options: AgentOptions

    @Flag(help: "Print consent and requests as JSON.")
    var json = false

    func run() async throws {
        // What cannot be read is said by the agent in its log.
        let logger = LogOptions.logger("preview", level: .warning)
        try await options.withAgent(logger: logger) { agent in
            let preview = try await agent.preview()
            if json { try Terminal.writeJSON(Document(preview)) } else { show(preview) }
        }
    }

    private func show(_ preview: TelemetryAgent.Preview) {
        switch preview.consent {
        case .yes: Terminal.say("Telemetry is on: the agent would send this.")
        case .unknown(let place, let reason):
            Terminal.say("The agent would not send this: whether \(place) says no could not be read: \(reason).")
        case .no(let place, let reason):
            Terminal.say("Telemetry is off: the agent would not send this, because of \(place): \(reason).")
        }
        if preview.requests.isEmpty { Terminal.say("There is nothing to report.") }
        for (number, request) in preview.requests.enumerated() {
            Terminal.say("Report \(number + 1) of \(preview.requests.count), \(request.body.count) bytes:")
            Terminal.say("POST \(request.endpoint)")
            for header in request.headers { Terminal.say("\(header.name): \(header.value)") }
            Terminal.say("")
            Terminal.write(request.body)
        }
    }

    /// The preview for programs.
    private struct Document: Encodable {
        struct Request: Encodable {
            let url: String
            let headers: [String: String]
            let body: String
        }

        let enabled: Bool
        let place: String?
        let reason: String?
        let requests: [Request]

        init(_ preview: TelemetryAgent.Preview) {
            switch preview.consent {
            case .yes: (enabled, place, reason) = (true, nil, nil)
            case .no(let place, let reason), .unknown(let place, let reason):
                (enabled, self.place, self.reason) = (false, place.description, reason)
            }
            requests = preview.requests.map { request in
                Request(
                    url: request.endpoint,
                    headers: Dictionary(request.headers.map { ($0.name, $0.value) }) { first, _ in first },
                    body: String(decoding: request.body, as: UTF8.self)
                )
            }
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import Logging
import TelemetryAgent

/// `cozy-telemetry preview`: the exact bytes that would be sent, and to whom; it sends nothing.
struct PreviewCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "preview",
        abstract: "Print exactly what the agent would send, and to whom. Nothing is sent.",
        discussion: """
            Standard output gets the bytes of the reports and nothing else; where they would go, and whether they \
            would, is said on standard error. The date, the nonce and the signature differ from one request to the next.
            """
    )

    @OptionGroup var options: AgentOptions

    @Flag(help: "Print consent and requests as JSON.")
    var json = false

    @Option(
        help: ArgumentHelp(
            "Write the reports to a file that `cozy-telemetry send` takes for 30 days, from any machine.",
            valueName: "file"
        ),
        completion: .file()
    )
    var bundle: String?

    func run() async throws {
        // What cannot be read is said by the agent in its log.
        let logger = LogOptions.logger("preview", level: .warning)
        try await options.withAgent(logger: logger) { agent in
            if let bundle { return try write(try await agent.bundle(), to: bundle) }
            let preview = try await agent.preview()
            if json { try Terminal.writeJSON(Document(preview)) } else { show(preview) }
        }
    }

    private func write(_ reports: ReportBundle, to file: String) throws {
        do {
            try Data(try reports.file).write(to: URL(filePath: file), options: .atomic)
        } catch {
            throw CommandFailure.failed("\(file) cannot be written: \(error.localizedDescription)")
        }
        let count = reports.requests.count
        Terminal.say(
            "\(count) \(count == 1 ? "report" : "reports") for \(reports.endpoint) in \(file); send them within 30 days:"
        )
        Terminal.say("cozy-telemetry send \(file)")
    }

    private func show(_ preview: TelemetryAgent.Preview) {
        switch preview.consent {
        case .yes: Terminal.say("Telemetry is on: the agent would send this.")
        case .unknown(let place, let reason):
            Terminal.say("The agent would not send this: whether \(place) says no could not be read: \(reason).")
        case .no(let place, let reason):
            Terminal.say("Telemetry is off: the agent would not send this, because of \(place): \(reason).")
        }
        if preview.isExampleIdentity {
            Terminal.say("The id is an example: the cluster's own key is made before its first report.")
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
        let exampleIdentity: Bool
        let place: String?
        let reason: String?
        let requests: [Request]

        init(_ preview: TelemetryAgent.Preview) {
            switch preview.consent {
            case .yes: (enabled, place, reason) = (true, nil, nil)
            case .no(let place, let reason), .unknown(let place, let reason):
                (enabled, self.place, self.reason) = (false, place.description, reason)
            }
            exampleIdentity = preview.isExampleIdentity
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

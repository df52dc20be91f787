// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import AsyncHTTPClient
import Foundation
import TelemetryAgent
import TelemetryModel

/// `cozy-telemetry send`: carries the reports of a cluster that cannot reach the backend.
struct SendCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "send",
        abstract: "Send the reports in a bundle, from any machine.",
        discussion: """
            A bundle is what a cluster would have sent, signed by it and taken for 30 days. It is text: read it first. It \
            is sent exactly as it is, and what was answered is said. Nothing but the file is looked at: neither a \
            cluster nor DO_NOT_TRACK, as whoever made the bundle and whoever sends it want that.
            """
    )

    @Argument(help: ArgumentHelp("The bundle; - for standard input.", valueName: "file"), completion: .file())
    var file: String

    @Option(help: ArgumentHelp("Where the reports are sent, if not where the bundle says.", valueName: "url"))
    var telemetryEndpoint: String?

    @OptionGroup var transport: TransportOptions

    func run() async throws {
        let bundle = try bundle()
        let way = try transport.transport(to: bundle.endpoint)
        let answers = try await HTTPClient.withHTTPClient(configuration: way.httpClientConfiguration) { http in
            try await bundle.send(over: http)
        }
        for (number, answer) in answers.enumerated() {
            let outcome = answer.answer.failure.map { "not taken: \($0)" } ?? "taken"
            let explanation = answer.explanation.map { ": \($0)" } ?? ""
            Terminal.say("report \(number + 1) of \(answers.count): \(outcome)\(explanation)")
        }
        let taken = answers.count { $0.answer == .accepted }
        let sum = "sent \(taken) of \(answers.count) \(answers.count == 1 ? "report" : "reports") to \(bundle.endpoint)"
        guard taken == answers.count else { throw CommandFailure.unavailable(sum) }
        Terminal.say(sum)
    }

    /// The bundle, found to be one that is taken.
    private func bundle() throws -> ReportBundle {
        let bytes = try bytes()
        do {
            var bundle = try ReportBundle(reading: bytes)
            if let telemetryEndpoint {
                _ = try AgentSettings(endpoint: telemetryEndpoint, environment: [:])
                bundle = try bundle.redirected(to: telemetryEndpoint)
            }
            try bundle.verify(at: .now())
            return bundle
        } catch BundleError.malformed(let line, let column, let reason) {
            throw CommandFailure.failed("\(file):\(line):\(column): \(reason)")
        } catch let error as BundleError {
            throw CommandFailure.failed("\(file): \(error)")
        } catch {
            throw CommandFailure.usage("\(error)")
        }
    }

    private func bytes() throws -> [UInt8] {
        do {
            let handle = file == "-" ? FileHandle.standardInput : try FileHandle(forReadingFrom: URL(filePath: file))
            // One byte more than a bundle may have, so that a larger file is not taken for a whole one.
            return Array(try handle.read(upToCount: ReportBundle.largestFile + 1) ?? Data())
        } catch {
            throw CommandFailure.failed("\(file) cannot be read: \(error.localizedDescription)")
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation

/// The command line: one executable for the agent, the backend and the people who look.
@main
struct CozyTelemetry: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cozy-telemetry",
        abstract: "Non-personal usage figures of Kubernetes clusters: the agent, the backend and the tools.",
        discussion: """
            EXIT STATUS
              0   it did what was asked
              1   it failed; the message says why and what to do
              64  the command line or a setting is wrong
              69  a server did not answer, or answered with an error
            """,
        version: "0.1.0",
        subcommands: [
            AgentCommand.self, PreviewCommand.self, SendCommand.self, StatusCommand.self, OptInCommand.self,
            OptOutCommand.self, IdentityCommand.self, ServerCommand.self, OverviewCommand.self, SeriesCommand.self,
            BreakdownCommand.self, ExportCommand.self, SimulateCommand.self, DemoCommand.self, StoreCommand.self,
            AdminCommand.self,
        ]
    )

    /// Runs the command; an error of ours becomes one line and a status.
    static func main() async {
        do {
            var command = try parseAsRoot(GoArguments.normalized(Array(CommandLine.arguments.dropFirst())))
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let failure as CommandFailure {
            end(failure)
        } catch let failure as BackendFailure {
            end(failure.command)
        } catch {
            exit(withError: error)
        }
    }

    private static func end(_ failure: CommandFailure) -> Never {
        Terminal.say("cozy-telemetry: \(failure.message)")
        Foundation.exit(failure.status.rawValue)
    }
}

/// Why a command ends without having done what was asked.
struct CommandFailure: Error {
    let status: ExitCode
    let message: String

    /// Something went wrong.
    static func failed(_ message: String) -> Self { Self(status: .failure, message: message) }
    /// The command line or a setting is wrong.
    static func usage(_ message: String) -> Self { Self(status: ExitCode(64), message: message) }
    /// A server did not answer, or answered with an error.
    static func unavailable(_ message: String) -> Self { Self(status: ExitCode(69), message: message) }
}

// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import Logging
import TelemetryAgent

/// How the endpoint is reached.
struct TransportOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Trust the certificate authorities in this PEM file, in place of the system's.",
            valueName: "file"
        ),
        completion: .file()
    )
    var caFile: String?

    @Option(
        help: ArgumentHelp("Show the certificate in this PEM file to an endpoint that asks.", valueName: "file"),
        completion: .file()
    )
    var clientCert: String?

    @Option(
        help: ArgumentHelp("The certificate's private key, PEM; in the same file unless given.", valueName: "file"),
        completion: .file()
    )
    var clientKey: String?

    /// The way to an endpoint, with the proxy that the environment names.
    ///
    /// - Throws: `CommandFailure`.
    func transport(to endpoint: String) throws -> DeliveryTransport {
        do {
            return try DeliveryTransport(
                to: endpoint,
                environment: ProcessInfo.processInfo.environment,
                authorities: caFile,
                certificate: clientCert,
                key: clientKey
            )
        } catch {
            throw CommandFailure.usage(error.description)
        }
    }
}

/// How reports are delivered.
struct DeliveryOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Keep what waits to be sent in this directory, over a restart too.", valueName: "directory"),
        completion: .directory
    )
    var spoolDir: String?

    @OptionGroup var transport: TransportOptions

    /// What waits to be sent, with what waited when the agent ended.
    ///
    /// - Throws: `CommandFailure`.
    func outbox(logger: Logger) throws -> Outbox {
        do {
            return try Outbox(spoolDirectory: spoolDir, logger: logger)
        } catch {
            throw CommandFailure.usage(error.description)
        }
    }
}

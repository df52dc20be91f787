// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import ReportStore
import TelemetryAgent
import TelemetryModel
import TelemetryServer

/// `cozy-telemetry admin erase`: nothing about one cluster any more.
struct AdminEraseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "erase",
        abstract: "Remove everything about one cluster, on a stopped backend's store or through a running one.",
        discussion: """
            Without --url it works on the store of the data directory, whose backend has to be stopped. With --url a \
            running backend does it, for a token of an admin. Totals of windows whose rows were deleted before are \
            anonymous and stay. Backups, and stores that were moved aside, are not touched.
            """
    )

    @Option(
        help: ArgumentHelp(
            "The UID of the cluster's namespace kube-system, or whatever it sends as X-Cluster-ID; - reads it from standard input, as other users can see a command line.",
            valueName: "uid"
        )
    )
    var clusterUid: String

    @Option(help: ArgumentHelp("The private listener of a running backend.", valueName: "url"))
    var url: String?

    @Option(
        help: ArgumentHelp(
            "A file with the token for --url; otherwise COZY_TELEMETRY_TOKEN has it.",
            valueName: "file"
        )
    )
    var tokenFile: String?

    @OptionGroup var transport: TransportOptions
    @OptionGroup var options: StoreOptions

    @Flag(help: "Print what was removed as JSON.")
    var json = false

    func run() async throws {
        let text = clusterUid == "-" ? try Self.standardInput() : clusterUid
        guard let cluster = ClusterID(text) else {
            throw CommandFailure.usage("--cluster-uid must be of the form [A-Za-z0-9._-]{1,253}")
        }
        guard let url else { return try ErasureReport.write(try await options.erase(cluster), asJSON: json) }
        let client = AdminClient(
            url: url,
            token: try token(),
            configuration: try transport.transport(to: url).httpClientConfiguration
        )
        let erasure = try await client.erase(cluster)
        try ErasureReport.write(erasure == .nothing ? nil : erasure, asJSON: json)
    }

    private static func standardInput() throws -> String {
        let bytes = (try? FileHandle.standardInput.readToEnd()) ?? Data()
        return String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private func token() throws -> String {
        guard let tokenFile else {
            guard let token = ProcessInfo.processInfo.environment["COZY_TELEMETRY_TOKEN"] else {
                throw CommandFailure.usage("--url takes a token: --token-file, or COZY_TELEMETRY_TOKEN")
            }
            return token
        }
        do {
            return try String(contentsOfFile: tokenFile, encoding: .utf8).trimmingCharacters(
                in: .whitespacesAndNewlines
            )
        } catch {
            throw CommandFailure.usage("--token-file: cannot read \(tokenFile): \(error.localizedDescription)")
        }
    }
}

/// The private listener of a running backend, for an admin.
struct AdminClient {
    let url: String
    let token: String
    /// How it is reached.
    let configuration: HTTPClient.Configuration

    /// Removes everything about a cluster.
    ///
    /// - Throws: `CommandFailure` with the backend's own words where it refuses.
    func erase(_ cluster: ClusterID) async throws -> Erasure {
        let base = url.hasSuffix("/") ? String(url.dropLast()) : url
        var request = HTTPClientRequest(url: base + "/v1/erasures")
        request.method = .POST
        request.headers = ["Authorization": "Bearer \(token)", "Content-Type": "application/json"]
        request.body = .bytes(try JSONEncoder().encode(["cluster_uid": cluster.text]))
        let bytes = Data((try await OverviewCommand.answer(to: request, from: base, configuration)).readableBytesView)
        guard let erasure = try? JSONDecoder().decode(Erasure.self, from: bytes) else {
            throw CommandFailure.unavailable("\(base) answered with something that is no erasure")
        }
        return erasure
    }
}

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

    @OptionGroup var access: TokenOptions
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
        let address = try transport.address(url, setting: "--url", token: try access.token(for: "--url"))
        let erasure = try await address.withConnection { try await $0.erase(cluster) }
        try ErasureReport.write(erasure == .nothing ? nil : erasure, asJSON: json)
    }

    private static func standardInput() throws -> String {
        let bytes = (try? FileHandle.standardInput.readToEnd()) ?? Data()
        return String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

extension BackendConnection {
    /// Removes everything about a cluster, for an admin.
    ///
    /// - Throws: `BackendFailure`.
    fileprivate func erase(_ cluster: ClusterID) async throws -> Erasure {
        let path = "/v1/erasures"
        var request = HTTPClientRequest(url: address.base + path)
        request.method = .POST
        request.headers = ["Content-Type": "application/json"]
        request.body = .bytes(try JSONEncoder().encode(["cluster_uid": cluster.text]))
        return try await answer(to: request, path)
    }
}

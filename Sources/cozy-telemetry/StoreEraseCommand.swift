// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import ReportStore
import TelemetryModel
import TelemetryServer

/// `cozy-telemetry store erase`: nothing about one cluster any more.
struct StoreEraseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "erase",
        abstract: "Remove everything about one cluster; the backend has to be stopped.",
        discussion: """
            The id is what the cluster sends as X-Cluster-ID, the UID of its namespace kube-system. It is read from \
            standard input or a file, as other users can see a command line. Totals of windows whose rows were deleted \
            before are anonymous and stay. Backups, and stores that were moved aside, are not touched.
            """
    )

    @Option(
        help: ArgumentHelp("A file with the id; otherwise it is read from standard input.", valueName: "file"),
        completion: .file()
    )
    var clusterIdFile: String?

    @OptionGroup var options: StoreOptions

    @Flag(help: "Print what was removed as JSON.")
    var json = false

    func run() async throws {
        let cluster = try readID()
        try ErasureReport.write(try await options.erase(cluster), asJSON: json)
    }

    /// Reads the id.
    ///
    /// - Throws: `CommandFailure`, which does not say what was read.
    private func readID() throws -> ClusterID {
        let bytes: Data
        if let path = clusterIdFile {
            do {
                bytes = try Data(contentsOf: URL(fileURLWithPath: path))
            } catch {
                throw CommandFailure.usage("--cluster-id-file: cannot read \(path): \(error.localizedDescription)")
            }
        } else {
            if isatty(STDIN_FILENO) == 1 { Terminal.say("The id of the cluster, then Control-D:") }
            bytes = (try? FileHandle.standardInput.readToEnd()) ?? Data()
        }
        let text = String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        guard let cluster = ClusterID(text) else {
            let source = clusterIdFile ?? "standard input"
            throw CommandFailure.usage("\(source) must hold one cluster id, of the form [A-Za-z0-9._-]{1,253}")
        }
        return cluster
    }
}

extension StoreOptions {
    /// Removes everything about a cluster from the store, with a line in the audit log before.
    ///
    /// - Throws: `CommandFailure`.
    func erase(_ cluster: ClusterID) async throws -> Erasure? {
        try await withStore { store in
            let pseudonymizer = try store.key.existing()
            if let pseudonym = pseudonymizer?.pseudonym(of: cluster) {
                try AuditLog(directory: store.directory).append(
                    .ofCommand("cluster.erase", on: "\(pseudonym)"),
                    at: .now()
                )
            }
            do {
                return try await store.erase(cluster)
            } catch let error as StoreError {
                guard case .inUse = error else { throw error }
                throw CommandFailure.failed("\(error); or let the backend do it: cozy-telemetry admin erase --url URL")
            }
        }
    }
}

/// What is said of an erasure.
enum ErasureReport {
    /// Writes it; nil is a cluster that nothing was known about.
    static func write(_ erasure: Erasure?, asJSON: Bool) throws {
        if asJSON { return try Terminal.writeJSON(erasure ?? .nothing) }
        guard let erasure else {
            Terminal.write(line: "the store knows nothing about this cluster")
            return
        }
        Terminal.write(line: "removed \(erasure.sightings) sightings in \(erasure.months) months")
        if erasure.isCountedInFinishedWindows {
            Terminal.write(line: "it is still counted in windows whose rows were deleted before; those are sums alone")
        }
        Terminal.say("Backups and stores that were moved aside still have it: delete those, or erase it there too.")
    }
}

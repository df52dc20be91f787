// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import TelemetryModel

/// Gives the store of a directory a second name, so that another file can be moved into its place.
///
/// A log or journal that stayed beside the other file would be played into it. So it is brought into the old file first,
/// and where that cannot be done, as with a damaged one, it goes with the old file.
enum SetAside {
    /// What SQLite may have to play into a file when it opens it.
    private static let logs = ["-wal", "-journal"]

    /// Gives a store its second name.
    ///
    /// - Parameters:
    ///   - path: The path of the store; it still stands there afterwards, without a log.
    ///   - instant: The time that goes into the name.
    ///   - calls: What is done with files.
    /// - Returns: The second path; nil where there is no store.
    /// - Throws: `StoreError`.
    static func store(at path: String, _ instant: UTCInstant, _ calls: FileCalls) throws(StoreError) -> String? {
        guard let size = DurableFile.size(of: path) else {
            for log in logs + ["-shm"] where DurableFile.size(of: path + log) == 0 { _ = calls.unlink(path + log) }
            guard let log = logs.first(where: { DurableFile.size(of: path + $0) != nil }) else { return nil }
            throw .unusable(path: path + log, reason: "it is the log of a store that is not there; move it away")
        }
        if size > 0, isReadable(path) {
            emptyLog(of: path)
            guard DurableFile.size(of: path + "-wal") ?? 0 == 0 else {
                throw .unusable(
                    path: path + "-wal",
                    reason: "somebody reads the store, so that its log cannot be emptied"
                )
            }
        }
        let name = freeName(path, instant)
        for log in logs where DurableFile.size(of: path + log) ?? 0 > 0 { try link(path + log, name + log, calls) }
        try link(path, name, calls)
        let directory = DurableFile.directory(of: path)
        try DurableFile.sync(directory, calls)
        for log in logs + ["-shm"] { _ = calls.unlink(path + log) }
        // Before another file stands there: with the power the log could come back, and would be played into that one.
        try DurableFile.sync(directory, calls)
        return name
    }

    /// Whether a file is one of SQLite's with the tables of a store; of any other, SQLite may throw the log away.
    private static func isReadable(_ path: String) -> Bool {
        var configuration = GRDB.Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(5)
        let file = try? DatabaseQueue(path: path, configuration: configuration)
        defer { try? file?.close() }
        return (try? file?.read { try $0.tableExists("meta") }) ?? false
    }

    /// Brings what waits in the log into the file.
    private static func emptyLog(of path: String) {
        var configuration = GRDB.Configuration()
        configuration.busyMode = .timeout(5)
        guard let file = try? DatabaseQueue(path: path, configuration: configuration) else { return }
        // Where it fails, the log goes with the file.
        try? file.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
        try? file.close()
    }

    /// A name with a time that nothing has.
    private static func freeName(_ path: String, _ instant: UTCInstant) -> String {
        let time = instant.rfc3339.replacingOccurrences(of: ":", with: "-")
        var (name, number) = ("\(path).\(time)", 1)
        while ([""] + logs).contains(where: { FileManager.default.fileExists(atPath: name + $0) }) {
            number += 1
            name = "\(path).\(time)-\(number)"
        }
        return name
    }

    /// Gives a file a second name; on a file system that cannot, its only one.
    private static func link(_ path: String, _ name: String, _ calls: FileCalls) throws(StoreError) {
        guard calls.link(path, name) || calls.rename(path, name) else { throw DurableFile.failure(name) }
    }
}

// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import TelemetryModel

/// The directory that keeps what waits over a restart: a file for each of a cluster's reports, with a line before the text
/// that says when it was collected and what its SHA-256 is.
struct Spool: Sendable {
    /// Why a file cannot be changed, in the words of the operating system.
    struct Failure: Error, CustomStringConvertible {
        let description: String

        /// The failure of the last system call.
        init() { description = String(cString: strerror(errno)) }
    }

    private let directory: String

    /// A directory, made with mode 0700 where it is missing.
    init(directory: String) throws(DeliveryConfigurationError) {
        self.directory = directory
        do {
            try FileManager.default.createDirectory(
                atPath: directory,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
        } catch {
            throw .unusableSpool(directory: directory, reason: Failure().description)
        }
    }

    /// What is kept; files that are damaged, stale or over a limit in bytes are removed.
    func load(limit: Int, now: UTCInstant) -> [WaitingReport] {
        Collector.allCases.compactMap { collector in
            unlink(temporaryPath(collector))
            guard let bytes = read(path(collector), limit: limit + Self.longestHead),
                let report = Self.report(bytes, of: collector), !report.isStale(at: now)
            else {
                unlink(path(collector))
                return nil
            }
            return report
        }
    }

    /// Keeps a report in the place of its collector's former one, so that one of the two is there whole at any time.
    func write(_ report: WaitingReport) throws(Failure) {
        let temporary = temporaryPath(report.collector)
        unlink(temporary)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Failure() }
        do throws(Failure) {
            defer { close(descriptor) }
            try Self.write(Self.head(report) + report.text, to: descriptor)
            guard fsync(descriptor) == 0, rename(temporary, path(report.collector)) == 0 else { throw Failure() }
            try sync()
        } catch {
            unlink(temporary)
            throw error
        }
    }

    /// Removes the report of a collector.
    func remove(_ collector: Collector) throws(Failure) {
        guard unlink(path(collector)) == 0 || errno == ENOENT else { throw Failure() }
        try sync()
    }

    /// Removes everything.
    func clear() throws(Failure) {
        for collector in Collector.allCases {
            unlink(temporaryPath(collector))
            try remove(collector)
        }
    }

    private func path(_ collector: Collector) -> String { "\(directory)/\(collector).report" }

    private func temporaryPath(_ collector: Collector) -> String { path(collector) + ".new" }

    /// Waits until what was renamed or removed is on disk.
    private func sync() throws(Failure) {
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { close(descriptor) }
        guard descriptor >= 0, fsync(descriptor) == 0 else { throw Failure() }
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) throws(Failure) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard written >= 0 || errno == EINTR else { throw Failure() }
            rest = rest.dropFirst(max(written, 0))
        }
    }

    /// The whole of a plain file; nil where there is none, or it is too large.
    private func read(_ path: String, limit: Int) -> [UInt8]? {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        guard let size = attributes?[.size] as? Int ?? (attributes?[.size] as? UInt64).map(Int.init), size <= limit,
            attributes?[.type] as? FileAttributeType == .typeRegular
        else { return nil }
        return FileManager.default.contents(atPath: path).map(Array.init)
    }
}

// The form of a file.
extension Spool {
    private static let signature = "cozy-telemetry report 1"
    /// More than any first line has.
    private static let longestHead = 160

    private static func head(_ report: WaitingReport) -> [UInt8] {
        let digest = hexadecimal(sha256(report.text))
        return Array("\(signature) \(report.collectedAt.secondsSinceEpoch) \(digest)\n".utf8)
    }

    private static func report(_ bytes: [UInt8], of collector: Collector) -> WaitingReport? {
        guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")), end < longestHead else { return nil }
        let words = String(decoding: bytes[..<end], as: UTF8.self).split(separator: " ")
        guard words.count == 5, let seconds = Int64(words[3]) else { return nil }
        let instant = UTCInstant(secondsSinceEpoch: seconds)
        let report = WaitingReport(collector, Array(bytes[(end + 1)...]), collectedAt: instant)
        return head(report).elementsEqual(bytes[...end]) ? report : nil
    }
}

// SPDX-License-Identifier: Apache-2.0

import Foundation
public import TelemetryModel

/// The audit log of a data directory: a file that is only ever added to, one line for each decision.
///
/// The backend and commands write the same file, each line under a lock, synced before what was decided is done.
public struct AuditLog: Sendable {
    /// The name of the file in the data directory.
    public static let fileName = "audit.log"

    /// The path of the file.
    public let path: String

    /// No line is longer, in bytes.
    private static let longestLine = 16 * 1024
    private static let newline = UInt8(ascii: "\n")

    /// The log of a data directory.
    public init(directory: String) {
        path = directory + "/" + Self.fileName
    }

    /// Adds an entry and waits until it is on disk.
    ///
    /// A part of a line at the end is what was being written when the power failed. Nothing was done upon it; it is
    /// overwritten.
    ///
    /// - Throws: `AccessError`; then nothing was added.
    public func append(_ entry: AuditEntry, at instant: UTCInstant) throws(AccessError) {
        let isNew = !FileManager.default.fileExists(atPath: path)
        let file = try AccessFile(path, .write)
        let size = try file.size
        let start = max(0, size - Self.longestLine)
        let tail = try file.read(from: start, count: size - start)
        let whole: ArraySlice<UInt8> = tail.lastIndex(of: Self.newline).map { tail[..<$0] } ?? []
        if whole.isEmpty, start > 0 { throw .brokenAudit(path: path) }
        let line = whole.lastIndex(of: Self.newline).map { whole[($0 + 1)...] } ?? whole
        var chain = AuditChain()
        if !line.isEmpty {
            do throws(AuditChain.Break) {
                chain = try AuditChain(behind: Array(line))
            } catch {
                throw .brokenAudit(path: path)
            }
        }
        let end = whole.isEmpty ? start : start + whole.count + 1
        try file.write(chain.append(entry, at: instant) + [Self.newline], at: end)
        if isNew { try AccessFile.syncDirectory(of: path) }
    }

    /// What a look through the whole log found.
    public struct Verification: Equatable, Sendable {
        /// How many lines follow each other, from the first on.
        public var entries = 0
        /// The hash of the last of them; noted elsewhere, it shows later that none was taken off the end.
        public var last = AuditChain.start
        /// The first line that does not follow, from 1 on, and why.
        public var broken: (line: Int, reason: String)?
        /// Whether a hash that was asked for is that of one of these lines.
        public var hasHash = false

        /// Whether all are equal.
        public static func == (left: Self, right: Self) -> Bool {
            left.entries == right.entries && left.last == right.last && left.hasHash == right.hasHash
                && left.broken?.line == right.broken?.line && left.broken?.reason == right.broken?.reason
        }
    }

    /// Looks through the whole log.
    ///
    /// - Parameter hash: A hash to look for.
    /// - Returns: What it found; a log that is not there has no entries.
    /// - Throws: `AccessError`.
    public func verify(lookingFor hash: String? = nil) throws(AccessError) -> Verification {
        var verification = Verification()
        var chain = AuditChain()
        try forEachLine { line, isWhole in
            do throws(AuditChain.Break) {
                guard isWhole else { throw .notALine }
                let read = try chain.take(line)
                if read.hash == hash { verification.hasHash = true }
                return true
            } catch {
                verification.broken = (chain.count + 1, "\(error)")
                return false
            }
        }
        (verification.entries, verification.last) = (chain.count, chain.last)
        return verification
    }

    /// Lines as they stand in the file, in order.
    ///
    /// - Parameters:
    ///   - sequence: Only those with a higher number.
    ///   - limit: So many at the most.
    /// - Returns: The lines.
    /// - Throws: `AccessError`.
    public func lines(after sequence: Int = 0, limit: Int = .max) throws(AccessError) -> [String] {
        var lines: [String] = []
        guard let file = try reader() else { return lines }
        var (offset, number) = try place(before: sequence, in: file)
        try forEachLine(of: file, from: &offset) { line, isWhole in
            number += 1
            guard isWhole, lines.count < limit else { return false }
            if number > sequence { lines.append(String(decoding: line, as: UTF8.self)) }
            return true
        }
        return lines
    }

    /// Reads the file line by line until the body has enough; the last one may be without its newline.
    private func forEachLine(_ body: ([UInt8], _ isWhole: Bool) -> Bool) throws(AccessError) {
        guard let file = try reader() else { return }
        var offset = 0
        try forEachLine(of: file, from: &offset, body)
    }

    /// The file, if there is one, while others may write.
    private func reader() throws(AccessError) -> AccessFile? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        let file = try AccessFile(path, .read)
        // What is there stays; only what comes behind it changes.
        file.unlock()
        return file
    }

    /// Reads lines from the beginning of one on.
    private func forEachLine(
        of file: borrowing AccessFile,
        from offset: inout Int,
        _ body: ([UInt8], _ isWhole: Bool) -> Bool
    ) throws(AccessError) {
        let size = try file.size
        var rest: [UInt8] = []
        while offset < size {
            let part = try file.read(from: offset, count: min(1 << 20, size - offset))
            guard !part.isEmpty else { break }
            offset += part.count
            var lines = (rest + part).split(separator: Self.newline, omittingEmptySubsequences: false)
            rest = lines.popLast().map(Array.init) ?? []
            for line in lines where !body(Array(line), true) { return }
        }
        if !rest.isEmpty { _ = body(rest, false) }
    }

    /// A place not far before a line: where a line begins, and how many stand before it.
    ///
    /// Numbers rise by one from line to line, so that halves of the file are left out without being read. Where a line has no
    /// number, it is the beginning of the file.
    private func place(
        before sequence: Int,
        in file: borrowing AccessFile
    ) throws(AccessError) -> (offset: Int, count: Int) {
        var (low, high) = ((offset: 0, count: 0), try file.size)
        while high - low.offset > 4 * Self.longestLine {
            let middle = low.offset + (high - low.offset) / 2
            let part = try file.read(from: middle, count: 2 * Self.longestLine)
            guard let newline = part.firstIndex(of: Self.newline),
                let number = AuditChain.number(of: part[(newline + 1)...])
            else { return (0, 0) }
            if number <= sequence { low = (middle + newline + 1, number - 1) } else { high = middle }
        }
        return low
    }
}

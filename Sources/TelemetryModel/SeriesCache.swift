// SPDX-License-Identifier: Apache-2.0

import Exposition
import Synchronization

/// Series by the bytes that they were read from, so that a line that many clusters send is understood once.
///
/// Only lines are remembered of which everything was kept as it was sent. An identifier is not part of what is remembered,
/// as it is the same in no two clusters.
final class SeriesCache: Sendable {
    /// A name and its labels as they stand in a body, up to the value, and the identifier in them.
    struct Line {
        let whole: Range<Int>
        let identifier: Range<Int>?

        /// The bytes before the identifier; all of them where there is none.
        fileprivate var before: Range<Int> { whole.lowerBound..<(identifier?.lowerBound ?? whole.upperBound) }
        /// The bytes after the identifier.
        fileprivate var after: Range<Int> { (identifier?.upperBound ?? whole.upperBound)..<whole.upperBound }
    }

    private struct Entry {
        let before: [UInt8]
        let after: [UInt8]
        let series: Series
    }

    /// The most lines remembered, so that hostile ones do not fill the memory.
    private static let capacity = 10_000
    /// The longest line that is remembered, in bytes.
    private static let longestLine = 1_024

    private let entries = Mutex<[Int: Entry]>([:])

    /// The series of a line; its identifier is nil.
    func series(of line: Line, in bytes: Span<UInt8>) -> Series? {
        let hash = Self.hash(line, in: bytes)
        guard let entry = entries.withLock({ $0[hash] }), bytes.holds(entry.before, at: line.before),
            bytes.holds(entry.after, at: line.after)
        else { return nil }
        return entry.series
    }

    /// Remembers what a line was understood as; its identifier has to be nil.
    func remember(_ series: Series, for line: Line, in bytes: Span<UInt8>) {
        guard line.whole.count <= Self.longestLine else { return }
        let entry = Entry(before: bytes.bytes(line.before), after: bytes.bytes(line.after), series: series)
        let hash = Self.hash(line, in: bytes)
        entries.withLock { entries in
            if entries.count >= Self.capacity { entries.removeAll(keepingCapacity: true) }
            entries[hash] = entry
        }
    }

    private static func hash(_ line: Line, in bytes: Span<UInt8>) -> Int {
        var hasher = Hasher()
        // The pointers live within the closures only.
        bytes.extracting(line.before).withUnsafeBytes { hasher.combine(bytes: $0) }
        bytes.extracting(line.after).withUnsafeBytes { hasher.combine(bytes: $0) }
        return hasher.finalize()
    }
}

extension Span<UInt8> {
    /// Whether a range holds exactly these bytes.
    fileprivate func holds(_ expected: [UInt8], at range: Range<Int>) -> Bool {
        guard expected.count == range.count else { return false }
        for offset in 0..<expected.count where expected[offset] != self[range.lowerBound + offset] { return false }
        return true
    }

    /// The bytes of a range.
    fileprivate func bytes(_ range: Range<Int>) -> [UInt8] { range.map { self[$0] } }
}

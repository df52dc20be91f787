// SPDX-License-Identifier: Apache-2.0

import Foundation

/// How long tests with random faults go on: for a few seeds that are always the same, or, with `SOAK_SECONDS` in the
/// environment as `make soak` sets it, for so long, from a new seed or from that of `SOAK_SEED`.
package struct Effort: Sendable {
    /// One for the whole process, so that tests that run in turn do not add up.
    private static let end: ContinuousClock.Instant? = ProcessInfo.processInfo.environment["SOAK_SECONDS"]
        .flatMap(Int.init).map { ContinuousClock.now + .seconds($0) }

    private let first: UInt64
    private let count: Int
    private let subject: String
    private var done = 0

    /// An effort that ends after so many seeds, or later with the time that was given.
    ///
    /// - Parameters:
    ///   - subject: What is tried, for the protocol of a long run.
    ///   - count: So many seeds at least.
    package init(_ subject: String, seeds count: Int) {
        let fresh = Self.end == nil ? 1 : UInt64.random(in: 1...1_000_000_000)
        first = ProcessInfo.processInfo.environment["SOAK_SEED"].flatMap(UInt64.init) ?? fresh
        self.subject = subject
        self.count = count
    }

    /// Whether this is a long run.
    package var isSoak: Bool { Self.end != nil }

    /// The next seed; nil when it is enough.
    package mutating func next() -> UInt64? {
        guard done < count || Self.end.map({ ContinuousClock.now < $0 }) == true else {
            say("\(done) seeds from \(first), done")
            return nil
        }
        defer { done += 1 }
        if done % 20 == 0 { say("seed \(first + UInt64(done))") }
        return first + UInt64(done)
    }

    /// Says what is done, in a long run.
    package func say(_ text: String) {
        if isSoak { print("soak: \(subject): \(text)") }
    }
}

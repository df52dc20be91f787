// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Where reports go and of what they are made: the first line of standard input.
struct Target: Decodable {
    /// The server's IPv4 address.
    let host: String
    /// The server's port.
    let port: UInt16
    /// The method of every request.
    let method: String
    /// The path and query of every request, in which `{id}` stands for the cluster's identifier.
    let path: String
    /// The header lines beside Host and Content-Length; `{id}` stands for the cluster's identifier here too.
    let headers: [String]
    /// The statuses that mean that a report was taken; any other ends the run.
    let statuses: [Int]
    /// The file with the report of which every cluster sends its own variant.
    let body: String
    /// What the clusters' identifiers and counts derive from.
    let seed: UInt64
    /// How many connections there are, each with at most one request under way.
    let connections: Int
}

/// A stretch of load: every further line of standard input.
struct Phase: Decodable {
    /// The number of the first cluster that reports.
    let first: Int
    /// How many clusters report, in turn.
    let clusters: Int
    /// The phase ends after so many reports.
    let requests: Int
    /// The phase ends after so many seconds; what is under way is waited for.
    let seconds: Double
    /// Reports that begin each second, whether or not earlier ones were answered; nil sends as soon as one is answered.
    let rate: Double?
    /// Whether the lines of a report come in another order each time.
    let shuffled: Bool
    /// The share of reports in which one count differs from the cluster's report before.
    let changed: Double
    /// Whether each report is signed with its cluster's key, which the cluster's identifier then derives from.
    ///
    /// All reports of the phase are written and signed before it begins, so that signing does not slow the load down.
    let signed: Bool

    /// No more reports than these begin.
    var limit: Int { min(requests, rate.map { Int(seconds * $0) } ?? .max) }
}

/// What a phase came to, a line of standard output.
struct PhaseResult: Encodable {
    /// The reports that were sent and answered.
    let requests: Int
    /// The reports of an open loop that were due and never sent, as the server was too far behind.
    let unsent: Int
    /// How often each status came.
    let statuses: [String: Int]
    /// The bytes of all bodies.
    let bodyBytes: Int
    /// From the first request to the last answer.
    let seconds: Double
    /// Answered reports each second.
    let perSecond: Double
    /// The median latency in milliseconds: of an open loop, from when the report was due.
    let p50: Double
    /// The latency in milliseconds that one of a hundred reports exceeds.
    let p99: Double
}

/// Why a run ended early.
struct LoadError: Error, CustomStringConvertible {
    /// The reason, for the one who reads the terminal.
    let description: String

    /// An error with its reason.
    init(_ description: String) { self.description = description }

    /// The error of a system call that has just failed.
    static func system(_ call: String) -> LoadError { LoadError("\(call): \(String(cString: strerror(errno)))") }
}

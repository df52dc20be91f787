// SPDX-License-Identifier: Apache-2.0

public import TelemetryModel

/// A report that waits to be sent.
public struct WaitingReport: Equatable, Sendable {
    /// Which of the round's reports it is: a cluster of v1 has two, any other one.
    public let collector: Collector
    /// The canonical text.
    public let text: [UInt8]
    /// When the cluster was as it says.
    public let collectedAt: UTCInstant

    /// A report that was just made.
    public init(_ report: Report, collectedAt: UTCInstant) {
        self.init(report.collector, report.text, collectedAt: collectedAt)
    }

    /// A report that waited before.
    init(_ collector: Collector, _ text: [UInt8], collectedAt: UTCInstant) {
        self.collector = collector
        self.text = text
        self.collectedAt = collectedAt
    }

    /// Whether an earlier report must not be sent once there is this one.
    ///
    /// A report is a state, stamped when it arrives: an older one that arrives later would undo the newer.
    func supersedes(_ earlier: WaitingReport) -> Bool { collector.speaks(for: earlier.collector) }

    /// Whether it is too old to be sent, by a day, or of a time that has yet to come.
    func isStale(at now: UTCInstant) -> Bool {
        abs(now.secondsSinceEpoch - collectedAt.secondsSinceEpoch) > Self.longestWait
    }

    private static let longestWait: Int64 = 86_400
}

extension Collector {
    /// Whether this collector's reports have what those of another one have: v0 has what both of v1 have.
    func speaks(for other: Collector) -> Bool { self == other || self == .v0 || other == .v0 }
}

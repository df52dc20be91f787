// SPDX-License-Identifier: Apache-2.0

public import TelemetryModel

/// One report of a simulated fleet.
public struct FleetReport: Sendable {
    /// Who sends it.
    public let cluster: ClusterID
    /// What it says, identifiers as they are in the cluster.
    public let report: Report
    /// The bytes that travel: the report's lines in the random order that deployed clients send them in.
    public let body: [UInt8]
}

/// Clusters of both generations that live, grow, upgrade, are away for a while, and vanish; all from a seed.
public struct Fleet: Sendable {
    /// How much happens from one round to the next.
    public struct Pace: Sendable {
        /// The probability that a cluster changes.
        public var change = 0.05
        /// The probability that a cluster that reports stays away from now on, and that one that is away comes back.
        public var comeAndGo = 0.01
        /// The probability that a cluster vanishes for good and a new one takes its place.
        public var replacement = 0.002

        /// The pace of a fleet that reports a few times a day.
        public init() {}
    }

    private var random: SeededGenerator
    private var members: [Member] = []
    private let pace: Pace

    private struct Member {
        var cluster: SimulatedCluster
        var isAway = false
    }

    /// A fleet of that many clusters.
    public init(clusters: Int, seed: UInt64, pace: Pace = Pace()) {
        random = SeededGenerator(seed: seed)
        self.pace = pace
        while members.count < clusters { addMember() }
    }

    /// What the fleet reports now; then time goes on.
    public mutating func nextRound() -> [FleetReport] {
        var reports: [FleetReport] = []
        for member in members where !member.isAway {
            for report in member.cluster.reports {
                let body = Self.shuffled(report.text, using: &random)
                reports.append(FleetReport(cluster: member.cluster.id, report: report, body: body))
            }
        }
        goOn()
        return reports
    }

    private mutating func goOn() {
        for index in members.indices {
            if random.happens(pace.comeAndGo) { members[index].isAway.toggle() }
            if random.happens(pace.change) { members[index].cluster.change(using: &random) }
            if random.happens(pace.replacement) {
                addMember()
                members.swapAt(index, members.count - 1)
                members.removeLast()
            }
        }
    }

    private mutating func addMember() {
        guard let cluster = SimulatedCluster(using: &random) else {
            preconditionFailure("a UUID is a cluster id")
        }
        members.append(Member(cluster: cluster))
    }

    /// The same lines in another order.
    private static func shuffled(_ text: [UInt8], using random: inout SeededGenerator) -> [UInt8] {
        let lines = text.split(separator: UInt8(ascii: "\n")).shuffled(using: &random)
        return Array(lines.joined(separator: [UInt8(ascii: "\n")])) + [UInt8(ascii: "\n")]
    }
}

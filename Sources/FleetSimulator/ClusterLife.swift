// SPDX-License-Identifier: Apache-2.0

public import ReportStore
public import TelemetryModel

/// What each cluster of a fleet reports over many months, every 15 minutes, in simulated time.
///
/// A cluster's life comes from the seed and its number alone, so that a fleet of any size takes no memory.
public struct FleetHistory: Sendable {
    /// What clusters look like.
    public enum Shape: String, CaseIterable, Sendable {
        /// Clusters of both generations and all sizes.
        case mixed
        /// Each cluster sends what is typical of v0.22: twelve samples, five of them workloads.
        case v022 = "v0.22"
    }

    /// How long, and how much happens.
    public struct Plan: Sendable {
        /// The first moment of the first month.
        public var start: UTCInstant
        /// The moment that all histories end before.
        public var end: UTCInstant
        /// How often a cluster changes in thirty days, on average; 0 for never.
        public var changesPerMonth = 2.0
        /// What clusters look like.
        public var shape = Shape.mixed
        /// The seed.
        public var seed: UInt64 = 1

        /// The last months before a moment, the month of that moment among them.
        public init(months: Int, before end: UTCInstant) {
            self.end = end
            start = UTCInstant(startOf: (end.month - (months - 1)).firstDay)
        }
    }

    private let plan: Plan
    private let pseudonymizer: Pseudonymizer
    /// Seconds from one report to the next.
    private static let cadence: Int64 = 900

    /// The histories of a fleet, as a backend with that key would store them.
    public init(plan: Plan, pseudonymizer: Pseudonymizer) {
        self.plan = plan
        self.pseudonymizer = pseudonymizer
    }

    /// The life of a cluster; nil where it would not have reported yet.
    public func history(of number: Int) -> ReportHistory? {
        var seeds = SeededGenerator(seed: plan.seed)
        var random = SeededGenerator(seed: seeds.next() &+ UInt64(number) &* 0x9e37_79b9_7f4a_7c15)
        guard let cluster = LivingCluster(plan.shape, using: &random) else { return nil }
        var life = Life(cluster: cluster, pseudonymizer: pseudonymizer)
        let (birth, death) = span(using: &random)
        var instant = birth
        while instant < death {
            let next = min(death, nextChange(after: instant, using: &random))
            // A cluster that changes is at times away until it changes again.
            if plan.shape == .v022 || !random.happens(0.03) { life.report(from: instant, before: next, Self.cadence) }
            life.cluster.change(using: &random)
            instant = next
        }
        return life.stays.isEmpty ? nil : ReportHistory(cluster: life.pseudonym, stays: life.stays)
    }

    /// When a cluster begins and ends to report: most from the start to the end.
    private func span(using random: inout SeededGenerator) -> (birth: UTCInstant, death: UTCInstant) {
        let phase = Int64.random(in: 0..<Self.cadence, using: &random)
        var (birth, death) = (plan.start.advanced(bySeconds: phase), plan.end)
        guard plan.shape == .mixed else { return (birth, death) }
        let seconds = plan.end.secondsSinceEpoch - plan.start.secondsSinceEpoch
        if random.happens(0.2) {
            birth = birth.advanced(bySeconds: Int64.random(in: 0..<max(1, seconds), using: &random))
        }
        if random.happens(0.1) {
            death = birth.advanced(bySeconds: Int64.random(in: 1...max(1, seconds), using: &random))
        }
        return (birth, min(death, plan.end))
    }

    /// The next of changes that are spread evenly over time.
    private func nextChange(after instant: UTCInstant, using random: inout SeededGenerator) -> UTCInstant {
        guard plan.changesPerMonth > 0 else { return plan.end }
        let mean = 30 * 86_400 / plan.changesPerMonth
        let seconds = Double.random(in: 0.5...1.5, using: &random) * mean
        return instant.advanced(bySeconds: max(Self.cadence, Int64(seconds)))
    }
}

/// A cluster of either shape.
private enum LivingCluster {
    case mixed(SimulatedCluster)
    case v022(TypicalCluster)

    init?(_ shape: FleetHistory.Shape, using random: inout SeededGenerator) {
        switch shape {
        case .mixed:
            guard let cluster = SimulatedCluster(using: &random) else { return nil }
            self = .mixed(cluster)
        case .v022:
            guard let cluster = TypicalCluster(using: &random) else { return nil }
            self = .v022(cluster)
        }
    }

    var id: ClusterID {
        switch self {
        case .mixed(let cluster): cluster.id
        case .v022(let cluster): cluster.id
        }
    }

    var reports: [Report] {
        switch self {
        case .mixed(let cluster): cluster.reports
        case .v022(let cluster): [cluster.report]
        }
    }

    mutating func change(using random: inout SeededGenerator) {
        switch self {
        case .mixed(var cluster):
            cluster.change(using: &random)
            self = .mixed(cluster)
        case .v022(var cluster):
            cluster.change(using: &random)
            self = .v022(cluster)
        }
    }
}

/// A cluster and what it has reported so far, as a backend stores it.
private struct Life {
    var cluster: LivingCluster
    let pseudonymizer: Pseudonymizer
    private(set) var stays: [ReportHistory.Stay] = []
    private var replacements: [String: String] = [:]

    init(cluster: LivingCluster, pseudonymizer: Pseudonymizer) {
        self.cluster = cluster
        self.pseudonymizer = pseudonymizer
    }

    var pseudonym: Pseudonym { pseudonymizer.pseudonym(of: cluster.id) }

    /// Lets the cluster report until something changes.
    mutating func report(from first: UTCInstant, before end: UTCInstant, _ cadence: Int64) {
        let seconds = end.secondsSinceEpoch - first.secondsSinceEpoch - 1
        let last = first.advanced(bySeconds: seconds / cadence * cadence)
        for report in cluster.reports { stays.append(.init(withoutIdentifiers(report), received: first...last)) }
    }

    /// The report with its identifiers replaced.
    private mutating func withoutIdentifiers(_ report: Report) -> Report {
        Report(
            report.samples.map { sample in
                guard let label = sample.series.metric.identifierLabel, let text = sample.series[label] else {
                    return sample
                }
                let replacement = replacements[text] ?? pseudonymizer.replacement(for: text)
                replacements[text] = replacement
                return Report.Sample(sample.series.replacing(label, replacement), sample.value)
            }
        )
    }
}

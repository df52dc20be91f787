// SPDX-License-Identifier: Apache-2.0

import FleetSimulator
import TelemetryModel
import Testing

@Suite("Simulated fleets")
struct FleetTests {
    /// A pace at which everything happens within some dozens of rounds.
    private static var fast: Fleet.Pace {
        var pace = Fleet.Pace()
        pace.change = 0.5
        pace.comeAndGo = 0.1
        pace.replacement = 0.02
        return pace
    }

    /// What a fleet reports over so many rounds.
    private func rounds(_ count: Int, clusters: Int = 30, seed: UInt64, pace: Fleet.Pace = fast) -> [[FleetReport]] {
        var fleet = Fleet(clusters: clusters, seed: seed, pace: pace)
        return (0..<count).map { _ in fleet.nextRound() }
    }

    @Test("the same seed gives the same clusters and bodies, another seed others")
    func determinism() {
        let (one, again, other) = (rounds(20, seed: 1), rounds(20, seed: 1), rounds(20, seed: 2))
        #expect(one.map { $0.map(\.body) } == again.map { $0.map(\.body) })
        #expect(one.map { $0.map(\.cluster) } == again.map { $0.map(\.cluster) })
        #expect(Set(one.joined().map(\.cluster)).isDisjoint(with: other.joined().map(\.cluster)))
    }

    @Test("every body decodes, whole, to the report that it was made from", arguments: 1...3)
    func bodies(seed: UInt64) throws {
        let decoder = ReportDecoder(pseudonymizer: nil)
        for delivery in rounds(40, seed: seed).joined() {
            let decoded = try decoder.decode(delivery.body)
            #expect(decoded.report == delivery.report, "seed \(seed)")
            #expect(decoded.droppedSamples + decoded.droppedLabels + decoded.replacedValues == 0, "seed \(seed)")
        }
    }

    @Test("lines are shuffled anew for each report")
    func shuffling() throws {
        var pace = Fleet.Pace()
        (pace.change, pace.comeAndGo, pace.replacement) = (0, 0, 0)
        let rounds = rounds(2, seed: 7, pace: pace)
        #expect(rounds[0].map(\.report) == rounds[1].map(\.report))
        #expect(zip(rounds[0], rounds[1]).contains { $0.body != $1.body })
    }

    @Test("a cluster of v0 sends one report, one of v1 two, each from its collector", arguments: 1...3)
    func generations(seed: UInt64) {
        for round in rounds(40, seed: seed) {
            for reports in Dictionary(grouping: round, by: \.cluster).values {
                let collectors = reports.map(\.report.collector)
                #expect([[.v0], [.v1Operator, .v1Controller]].contains(collectors), "seed \(seed): \(collectors)")
            }
        }
        let all = Set(rounds(1, seed: seed)[0].map(\.report.collector))
        #expect(all == Set(Collector.allCases), "seed \(seed)")
    }

    @Test("clusters go away, come back, vanish for good and are replaced; the fleet keeps its size", arguments: 1...3)
    func comingAndGoing(seed: UInt64) {
        let present = rounds(60, seed: seed).map { Set($0.map(\.cluster)) }
        #expect(present.allSatisfy { $0.count <= 30 }, "seed \(seed)")
        let everyone = present.reduce(into: Set()) { $0.formUnion($1) }
        #expect(everyone.count > 30, "seed \(seed): nobody was replaced")
        #expect(!everyone.subtracting(present[59]).isEmpty, "seed \(seed): nobody left")
        let returned = everyone.contains { cluster in
            let rounds = present.indices.filter { present[$0].contains(cluster) }
            guard let first = rounds.first, let last = rounds.last else { return false }
            return last - first >= rounds.count
        }
        #expect(returned, "seed \(seed): nobody came back")
    }

    @Test("clusters upgrade from v0 to v1 and never back; nodes, kernels and counts change", arguments: 1...3)
    func change(seed: UInt64) {
        var wasV1: Set<ClusterID> = []
        var wasV0: Set<ClusterID> = []
        var upgraded: Set<ClusterID> = []
        for delivery in rounds(80, seed: seed).joined() {
            if delivery.report.collector == .v0 {
                #expect(!wasV1.contains(delivery.cluster), "seed \(seed): downgraded")
                wasV0.insert(delivery.cluster)
            } else {
                if wasV0.contains(delivery.cluster) { upgraded.insert(delivery.cluster) }
                wasV1.insert(delivery.cluster)
            }
        }
        #expect(!upgraded.isEmpty, "seed \(seed)")
    }

    @Test("nodes grow and get new kernels, and a cluster has two kernels at a time", arguments: 1...3)
    func nodes(seed: UInt64) {
        let reports = rounds(80, seed: seed).joined().filter { $0.report.collector != .v1Controller }
        let perCluster = Dictionary(grouping: reports, by: \.cluster).values
        #expect(perCluster.contains { Set($0.map { $0.report.figures[.nodes] ?? 0 }).count > 1 }, "seed \(seed)")
        #expect(
            perCluster.contains { Set($0.flatMap { Dimension.kernel.values(in: $0.report) }).count > 1 },
            "seed \(seed)"
        )
        #expect(reports.contains { Dimension.kernel.values(in: $0.report).count > 1 }, "seed \(seed)")
        #expect(reports.allSatisfy { ($0.report.figures[.nodes] ?? 0) >= 1 }, "seed \(seed)")
    }

    @Test("there are kinds in the public vocabulary and one that is not")
    func kinds() {
        let figures = rounds(1, clusters: 200, seed: 1)[0].flatMap(\.report.figures.keys)
        #expect(figures.contains(.application(kind: "Postgres")))
        #expect(figures.contains(.application(kind: "postgres")))
        #expect(figures.contains(.clustersWithApplication(kind: "InHouseApp")))
    }

    @Test("an empty fleet reports nothing")
    func empty() {
        #expect(rounds(3, clusters: 0, seed: 1).map(\.count) == [0, 0, 0])
    }

    @Test("the generator is SplitMix64")
    func generator() {
        // The reference implementation's first numbers for the seed 1234567.
        var random = SeededGenerator(seed: 1_234_567)
        let numbers = (0..<5).map { _ in random.next() }
        let expected: [UInt64] = [
            6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423, 4_593_380_528_125_082_431,
            16_408_922_859_458_223_821,
        ]
        #expect(numbers == expected)
    }
}

// SPDX-License-Identifier: Apache-2.0

import Kubernetes
import TelemetryTesting
import Testing

@Suite(
    "Elections by a lease of a real API server",
    .enabled(if: ControlPlane.isAvailable, Comment(rawValue: ControlPlane.requirements)),
    .timeLimit(.minutes(3))
)
struct LeaderElectionTests {
    /// An eighth of the real ones.
    private let short = LeaseTimes(
        duration: .milliseconds(2_500),
        renewal: .milliseconds(625),
        surrender: .milliseconds(1_875),
        retry: .milliseconds(625)
    )

    @Test("of three candidates one leads at a time, over many that stop and many that are cut off")
    func changes() async throws {
        let plane = try await ControlPlane.shared()
        try await Candidates.with(plane, namespace: "election-changes", times: short) { candidates in
            for number in 0..<3 { try candidates.start(number) }
            var leader = try await candidates.nextLeader()
            for round in 0..<10 {
                let isCutOff = round % 2 == 1
                if isCutOff { try await candidates.cutOff(leader) } else { await candidates.stop(leader) }
                let next = try await candidates.nextLeader()
                #expect(next != leader)
                if isCutOff { await candidates.stop(leader) }
                try candidates.start(round + 3)
                leader = next
            }
        }
    }

    @Test("with the real times a leader that stops is replaced within a second, one that is cut off within 30")
    func realTimes() async throws {
        let plane = try await ControlPlane.shared()
        try await Candidates.with(plane, namespace: "election-times", times: LeaseTimes()) { candidates in
            for number in 0..<3 { try candidates.start(number) }
            let first = try await candidates.nextLeader()

            let stopped = ContinuousClock.now
            await candidates.stop(first)
            let second = try await candidates.nextLeader()
            #expect(ContinuousClock.now - stopped < .seconds(1))

            let cutOff = ContinuousClock.now
            try await candidates.cutOff(second)
            #expect(try await candidates.next() == .ended(second))
            #expect(ContinuousClock.now - cutOff < .seconds(16))
            _ = try await candidates.nextLeader()
            // The last renewal was up to 5 s before.
            #expect((.seconds(15) ... .seconds(30)).contains(ContinuousClock.now - cutOff))
        }
    }

    @Test("a leader whose API server is down stops in time, and leads again when that is back")
    func outage() async throws {
        try await ControlPlane.with { plane in
            let recorder = LogRecorder()
            try await Candidates.with(plane, namespace: "outage", times: short, logger: recorder.logger) { candidates in
                try candidates.start(0)
                #expect(try await candidates.next() == .began(0))
                try await plane.restartServer()
                let down = ContinuousClock.now
                #expect(try await candidates.next() == .ended(0))
                #expect(ContinuousClock.now - down < short.surrender + .milliseconds(500))
                try await plane.waitUntilReady()
                #expect(try await candidates.next() == .began(0))
            }
            let lines = recorder.recorded
            #expect(lines.count { $0 == "info This one leads" } >= 2)
            #expect(lines.contains("warning The lease cannot be used reason=the API server cannot be reached"))
            #expect(lines.contains { $0.hasPrefix("warning This one does not lead any more") })
            #expect(lines.last == "info This one does not lead any more")
            #expect(!lines.contains { $0.contains("127.0.0.1") || $0.contains("candidate-") })
        }
    }

    @Test("a lease that is deleted, or taken by force, ends the leader's time at once or at its next renewal")
    func interference() async throws {
        let plane = try await ControlPlane.shared()
        try await Candidates.with(plane, namespace: "election-force", times: short) { candidates in
            try candidates.start(0)
            #expect(try await candidates.next() == .began(0))
            try await plane.kubectl("label", "lease", "leader", "a=b", "-n", "election-force")
            try await plane.kubectl("delete", "lease", "leader", "-n", "election-force")
            #expect(try await candidates.next() == .ended(0))
            #expect(try await candidates.next() == .began(0))
            let thief = #"{"spec":{"holderIdentity":"thief","leaseDurationSeconds":1}}"#
            try await plane.kubectl("patch", "lease", "leader", "--type=merge", "-p", thief, "-n", "election-force")
            #expect(try await candidates.next() == .ended(0))
            // The thief does not renew.
            #expect(try await candidates.next() == .began(0))
        }
    }

    @Test("what the body returns or throws ends the election, and the lease is nobody's then")
    func ending() async throws {
        struct Failure: Error, Equatable {}
        try await ControlPlane.withSharedClient { client, plane in
            let namespace = try await plane.namespace("election-ending")
            let election = LeaderElection(
                client: client,
                namespace: namespace,
                lease: "leader",
                candidate: "pod",
                times: short,
                logger: LogRecorder().logger
            )
            try await election.whileLeading {}
            let first = try await client.get(.leases, namespace: namespace, name: "leader")
            #expect(first.claim.holder == "" && first.claim.transitions == 0)
            await #expect(throws: Failure()) { try await election.whileLeading { throw Failure() } }
            let second = try await client.get(.leases, namespace: namespace, name: "leader")
            #expect(second.claim.holder == "" && second.claim.transitions == 1)
        }
    }
}

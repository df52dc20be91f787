// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kubernetes

@Suite("When a lease is taken, renewed and given up")
struct LeaseDecisionTests {
    private let times = LeaseTimes()
    private let start = ContinuousClock.now

    private func lease(
        _ holder: String,
        renewed: String = "2026-03-01T00:00:00.000000Z",
        seconds: Int = 20,
        uid: String = "1",
        labels: [String: String] = [:]
    ) -> Lease {
        let claim = Lease.Claim(
            holder: holder,
            seconds: seconds,
            acquired: "2026-03-01T00:00:00.000000Z",
            renewed: renewed,
            transitions: 3
        )
        let metadata = ObjectMeta(name: "l", namespace: "n", uid: uid, resourceVersion: "7", labels: labels)
        return Lease(metadata: metadata, claim: claim)
    }

    private func decision(_ observation: LeaseObservation, at second: Double) -> LeaseObservation.Decision {
        observation.decision(of: "me", at: start + .seconds(second), times)
    }

    @Test("a lease that does not exist is created; nobody's and the own are taken at once")
    func free() {
        #expect(decision(LeaseObservation(nil, at: start), at: 0) == .create)
        #expect(decision(LeaseObservation(lease(""), at: start), at: 0) == .take(lease("")))
        #expect(decision(LeaseObservation(lease("me"), at: start), at: 0) == .take(lease("me")))
    }

    @Test(
        "somebody else's is taken when it did not change for as long as it lasts, whatever its times say",
        arguments: ["1970-01-01T00:00:00.000000Z", "2999-01-01T00:00:00.000000Z", ""]
    )
    func expiry(renewed: String) {
        let lease = lease("other", renewed: renewed)
        let observation = LeaseObservation(lease, at: start)
        #expect(decision(observation, at: 0) == .wait(until: start + .seconds(20)))
        #expect(decision(observation, at: 19.999) == .wait(until: start + .seconds(20)))
        #expect(decision(observation, at: 20) == .take(lease))
    }

    @Test("what begins the wait anew is a change of the claim or another lease, and nothing else")
    func changes() {
        let first = lease("other")
        let same = [first, lease("other", labels: ["a": "b"])]
        let changed = [
            lease("other", renewed: "2020-01-01T00:00:00.000000Z"), lease("third"), lease("other", uid: "2"),
        ]
        for (leases, end) in [(same, 20), (changed, 35)] {
            for next in leases {
                var observation = LeaseObservation(first, at: start)
                observation.note(next, at: start + .seconds(15))
                #expect(decision(observation, at: 19) == .wait(until: start + .seconds(end)))
            }
        }
        var observation = LeaseObservation(first, at: start)
        observation.note(nil, at: start + .seconds(1))
        #expect(decision(observation, at: 1) == .create)
    }

    @Test("a holder whose lease lasts longer has its time; one without a time has that of the candidate")
    func duration() {
        let ends = [(60, 60), (20, 20), (1, 20), (0, 20), (-5, 20)]
        for (seconds, end) in ends {
            let observation = LeaseObservation(lease("other", seconds: seconds), at: start)
            #expect(decision(observation, at: 0) == .wait(until: start + .seconds(end)))
        }
    }

    @Test("a holder renews every 5 s, again a second after a failure, and gives up 15 s after the last success")
    func tenure() {
        func at(_ second: Double) -> ContinuousClock.Instant { start + .seconds(second) }
        var tenure = LeaseTenure(lease("me"), begun: start, times)
        #expect(tenure.decision(at: at(0.1), times) == .renew(at: at(5), by: at(10)))
        // A process that stood still is late.
        #expect(tenure.decision(at: at(12), times) == .renew(at: at(12), by: at(15)))
        #expect(tenure.decision(at: at(15), times) == .surrender)
        tenure.noteFailure(at: at(6), times)
        #expect(tenure.decision(at: at(6), times) == .renew(at: at(7), by: at(12)))
        tenure.noteFailure(at: at(12), times)
        #expect(tenure.decision(at: at(12), times) == .renew(at: at(13), by: at(15)))
        tenure.noteFailure(at: at(14), times)
        #expect(tenure.decision(at: at(14), times) == .surrender)
    }

    @Test("no attempt of a holder outlives the time after which another one takes the lease")
    func safety() throws {
        let seed = UInt64.random(in: .min ... .max)
        var random = SplitMix(state: seed)
        for _ in 0..<1_000 {
            var tenure = LeaseTenure(lease("other"), begun: start, times)
            // The others see the claim only after the holder began to make it.
            let seen = start + .seconds(Double.random(in: 0...3, using: &random))
            let observation = LeaseObservation(lease("other"), at: seen)
            let waiting = LeaseObservation.Decision.wait(until: seen + .seconds(20))
            var now = start
            while case .renew(let begin, let end) = tenure.decision(at: now, times) {
                try #require(observation.decision(of: "me", at: end, times) == waiting, "seed \(seed)")
                now = min(begin + .seconds(Double.random(in: 0...6, using: &random)), end)
                tenure.noteFailure(at: now, times)
            }
            try #require(observation.decision(of: "me", at: now, times) == waiting, "seed \(seed)")
        }
    }

    @Test("taking a lease counts a transition and begins anew, renewing does neither, leaving it names nobody")
    func claims() {
        let time = "2026-03-02T00:00:00.000000Z"
        let taken = lease("other").claim.taken(by: "me", at: time, times)
        let expected = Lease.Claim(holder: "me", seconds: 20, acquired: time, renewed: time, transitions: 4)
        #expect(taken == expected)
        let later = "2026-03-03T00:00:00.000000Z"
        let renewed = taken.taken(by: "me", at: later, times)
        #expect(renewed == Lease.Claim(holder: "me", seconds: 20, acquired: time, renewed: later, transitions: 4))
        let released = renewed.released(at: later)
        #expect(released == Lease.Claim(holder: "", seconds: 1, acquired: time, renewed: later, transitions: 4))
        #expect(LeaseTimes(duration: .milliseconds(2_100), renewal: .seconds(1), surrender: .seconds(2)).seconds == 3)
    }
}

/// Random numbers that a seed repeats (SplitMix64).
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

// SPDX-License-Identifier: Apache-2.0

import FleetSimulator
import NIOCore
import TelemetryModel
import Testing

@testable import TelemetryServer

@Suite("Limits on the rate of reports")
struct RateLimiterTests {
    /// An instant so many milliseconds after another.
    private func at(_ milliseconds: Int64) -> NIODeadline { .uptimeNanoseconds(1 << 40) + .milliseconds(milliseconds) }

    @Test("a burst is taken at once, then one whenever a token has come back, and the wait is said")
    func burst() {
        var buckets = TokenBuckets(interval: .seconds(30), burst: 3, size: 8)
        for _ in 1...3 { #expect(buckets.take(5, at: at(0)) == nil) }
        #expect(buckets.take(5, at: at(0)) == .seconds(30))
        #expect(buckets.take(5, at: at(29_999)) == .milliseconds(1))
        #expect(buckets.take(5, at: at(30_000)) == nil)
        #expect(buckets.take(5, at: at(30_000)) == .seconds(30))
        for _ in 1...3 { #expect(buckets.take(5, at: at(200_000)) == nil) }
        #expect(buckets.take(5, at: at(200_000)) == .seconds(30))
    }

    @Test("who is refused loses nothing by asking again, and others are not touched by it")
    func refusalsCostNothing() {
        var buckets = TokenBuckets(interval: .seconds(1), burst: 1, size: 8)
        #expect(buckets.take(1, at: at(0)) == nil)
        for time in 1..<1_000 { #expect(buckets.take(1, at: at(Int64(time))) != nil) }
        #expect(buckets.take(2, at: at(999)) == nil)
        #expect(buckets.take(1, at: at(1_000)) == nil)
    }

    @Test(
        "in any time no key is given more than the burst and what came back, whatever it asks; seeds 1 to 5",
        arguments: 1...5
    )
    func neverMore(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var buckets = TokenBuckets(interval: .milliseconds(100), burst: 7, size: 64)
        var taken: [UInt64: [Int64]] = [:]
        var time: Int64 = 0
        for _ in 1...5_000 {
            time += Int64.random(in: 0...40, using: &generator)
            let key = UInt64.random(in: 0...3, using: &generator) * 8
            if buckets.take(key, at: at(time)) == nil { taken[key, default: []].append(time) }
        }
        for times in taken.values {
            #expect(times.count > 100)
            for (index, start) in times.enumerated() where index + 8 <= times.count {
                // The eighth after a moment needs at least one token that came back since.
                #expect(times[index + 7] - start >= 100)
            }
        }
    }

    @Test("where there is no room, the fullest bucket makes way and the emptiest stays")
    func eviction() {
        var buckets = TokenBuckets(interval: .seconds(1), burst: 10, size: 8)
        for _ in 1...10 { #expect(buckets.take(1, at: at(0)) == nil) }
        // A flood of others, all of which fall into the same eight places.
        for key in UInt64(2)...1_000 { #expect(buckets.take(key, at: at(0)) == nil) }
        #expect(buckets.take(1, at: at(0)) == .seconds(1))
    }

    @Test("each limit has its own rate and burst, and its own keys")
    func limits() {
        var limits = RateLimits()
        limits.burstPerCluster = 2
        limits.burstPerNetwork = 3
        limits.newClusterBurstPerNetwork = 1
        var limiter = RateLimiter(limits, size: 8)
        for (limit, burst, wait) in [
            (.cluster, 2, .seconds(30)), (.network, 3, .milliseconds(100)), (.newCluster, 1, .seconds(30)),
        ] as [(RateLimiter.Limit, Int, TimeAmount)] {
            for _ in 1...burst { #expect(limiter.take(limit, 9, at: at(0)) == nil) }
            #expect(limiter.take(limit, 9, at: at(0)) == wait, "\(limit)")
            #expect(limiter.take(limit, 10, at: at(0)) == nil)
        }
    }

    @Test("many new clusters from one network are said once a day, and each network and day counts for itself")
    func watch() {
        var watch = NewClusterWatch(threshold: 3, size: 64)
        let today = UTCDay(daysSinceEpoch: 20_000)
        let said = (1...9).map { _ in watch.note(7, on: today) }
        #expect(said == [false, false, true, false, false, false, false, false, false])
        let other = watch.note(8, on: today)
        #expect(!other)
        let tomorrow = (1...3).map { _ in watch.note(7, on: UTCDay(daysSinceEpoch: 20_001)) }
        #expect(tomorrow == [false, false, true])
        var silent = NewClusterWatch(threshold: 0)
        let silence = (1...1_000).map { _ in silent.note(7, on: today) }
        #expect(!silence.contains(true))
    }

    @Test("a flood of networks with one new cluster each does not hide one that brings many")
    func watchIsBounded() {
        var watch = NewClusterWatch(threshold: 100, size: 64)
        let today = UTCDay(daysSinceEpoch: 20_000)
        for _ in 1...10 { _ = watch.note(7, on: today) }
        var said = 0
        for key in UInt64(1_000)..<10_000 {
            _ = watch.note(key, on: today)
            if key % 100 == 0, watch.note(7, on: today) { said += 1 }
        }
        #expect(said == 1)
    }
}

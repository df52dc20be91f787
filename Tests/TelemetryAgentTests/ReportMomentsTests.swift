// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TelemetryModel
import Testing

@testable import TelemetryAgent

@Suite("When a cluster reports")
struct ReportMomentsTests {
    private let interval = Duration.seconds(900)

    private func moments(_ number: Int) throws -> ReportMoments {
        ReportMoments(every: interval, of: try #require(ClusterID("cluster-\(number)")))
    }

    @Test("the moments of many clusters are spread evenly over the interval")
    func spread() throws {
        var buckets = Array(repeating: 0, count: 90)
        let start = Duration.seconds(1_800_000_000)
        for number in 0..<18_000 {
            let wait = try moments(number).next(after: start) - start
            #expect(wait > .zero && wait <= interval)
            buckets[min(Int(wait / .seconds(10)), 89)] += 1
        }
        // 200 are expected in each, with a deviation of 14.
        #expect(buckets.allSatisfy { (130...270).contains($0) }, "\(buckets)")
    }

    @Test("a cluster keeps its moment, whenever it starts and however often")
    func restarts() throws {
        let moments = try moments(7)
        let first = moments.next(after: .seconds(1_800_000_000))
        for second in stride(from: 0.0, to: 900, by: 7.3) {
            #expect(moments.next(after: first - .seconds(second + 0.001)) == first)
            #expect(moments.next(after: first + .seconds(second)) == first + interval)
            #expect(try self.moments(7).next(after: first + .seconds(second)) == first + interval)
        }
    }

    @Test("the moment is not told from the id by whoever does not know it: another id has another one")
    func others() throws {
        let start = Duration.seconds(1_800_000_000)
        let all = try (0..<100).map { try moments($0).next(after: start) }
        #expect(Set(all).count == all.count)
    }

    @Test("there is one tick a moment, also where the clock is set back or jumps ahead between them")
    func ticks() async throws {
        let moments = try moments(1)
        let first = moments.next(after: .seconds(1_800_000_000))
        // What the clock shows at each tick, and the moment that is then waited for.
        let steps: [(Duration, Duration)] = [
            (first - .seconds(400), first),
            (first - .seconds(1), first + interval),
            (first + interval + .seconds(5), first + interval * 2),
            (first + interval * 7 + .seconds(5), first + interval * 8),
            (first - interval * 20, moments.next(after: first - interval * 20)),
        ]
        let shown = Mutex(0)
        let waits = Mutex<[Duration]>([])
        let ticks = SpreadTicks(
            moments: moments,
            now: {
                shown.withLock {
                    $0 += 1; return steps[$0 - 1].0
                }
            },
            pause: { wait in waits.withLock { $0.append(wait) } }
        )
        var iterator = ticks.makeAsyncIterator()
        for _ in steps { _ = try await iterator.next() }
        #expect(waits.withLock { $0 } == steps.map { $0.1 - $0.0 })
    }
}

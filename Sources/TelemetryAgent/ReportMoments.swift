// SPDX-License-Identifier: Apache-2.0

import Glibc
import TelemetryModel

/// When a cluster reports: once an interval, at a moment of the wall clock's intervals that its id chooses.
///
/// So the clusters of a fleet are spread evenly over the interval, and each keeps its moment over restarts, changes of the
/// leader and upgrades.
struct ReportMoments: Equatable, Sendable {
    /// Nanoseconds, as all here.
    private let interval: Int64
    /// The time from the beginning of an interval to the moment.
    private let phase: Int64

    /// The moments of a cluster.
    ///
    /// The phase is a hash of the id, so that the time at which a report arrives does not give the id away.
    init(every interval: Duration, of cluster: ClusterID) {
        let word = sha256(Array("report phase \(cluster.text)".utf8)).prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
        self.interval = max(interval.nanoseconds, 1)
        phase = Int64(word % UInt64(self.interval))
    }

    /// The first moment after another time, to the second.
    func next(after instant: UTCInstant) -> UTCInstant {
        UTCInstant(secondsSinceEpoch: next(after: .seconds(instant.secondsSinceEpoch)).components.seconds)
    }

    /// The first moment after another time, both since the epoch.
    func next(after time: Duration) -> Duration {
        let (rounds, rest) = (time.nanoseconds - phase).quotientAndRemainder(dividingBy: interval)
        return .nanoseconds((rounds + (rest < 0 ? 0 : 1)) * interval + phase)
    }
}

/// Ticks at a cluster's moments, until the task is cancelled.
struct SpreadTicks: AsyncSequence, Sendable {
    let moments: ReportMoments
    /// The time of the wall clock since the epoch.
    var now: @Sendable () -> Duration = wallClock
    /// Waits for the next moment of the wall clock.
    var pause: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }

    func makeAsyncIterator() -> Iterator { Iterator(ticks: self) }

    struct Iterator: AsyncIteratorProtocol {
        fileprivate let ticks: SpreadTicks
        private var last: Duration?

        fileprivate init(ticks: SpreadTicks) {
            self.ticks = ticks
        }

        /// Waits for the next moment; those that went by meanwhile are left out.
        mutating func next() async throws -> Void? {
            let now = ticks.now()
            var moment = ticks.moments.next(after: now)
            // A clock that was set back a little since the last tick does not bring its moment a second time.
            if moment == last { moment = ticks.moments.next(after: moment) }
            try await ticks.pause(moment - now)
            last = moment
            return ()
        }
    }
}

/// The time of the machine's clock since the epoch.
@Sendable private func wallClock() -> Duration {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
}

extension Duration {
    /// Whole nanoseconds, for durations of less than 292 years.
    fileprivate var nanoseconds: Int64 {
        components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000
    }
}

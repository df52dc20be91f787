// SPDX-License-Identifier: Apache-2.0

import CEpoll
import Foundation

/// Tells which connections can go on.
struct Poller {
    private let descriptor: Int32
    private var events: [epoll_event]

    /// A poller for some connections; they are known by their places.
    init(_ connections: [Connection]) throws {
        descriptor = epoll_create1(0)
        guard descriptor >= 0 else { throw LoadError.system("epoll_create1") }
        events = Array(repeating: epoll_event(), count: connections.count)
        let interest = EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLET.rawValue
        for (place, connection) in connections.enumerated() {
            var event = epoll_event(events: interest, data: epoll_data(u64: UInt64(place)))
            guard epoll_ctl(descriptor, EPOLL_CTL_ADD, connection.descriptor, &event) == 0 else {
                throw LoadError.system("epoll_ctl")
            }
        }
    }

    /// The places of the connections on which something happened, after at most so many nanoseconds.
    mutating func wait(nanoseconds: UInt64) throws -> [Int] {
        // epoll_wait takes whole milliseconds, too coarse for reports that are due each millisecond.
        var limit = timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        let count = epoll_pwait2(descriptor, &events, Int32(events.count), &limit, nil)
        guard count >= 0 || errno == EINTR else { throw LoadError.system("epoll_pwait2") }
        return events.prefix(max(0, Int(count))).map { Int($0.data.u64) }
    }
}

/// The monotonic clock in nanoseconds.
func monotonicNow() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

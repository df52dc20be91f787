// SPDX-License-Identifier: Apache-2.0

/// When the requests of a phase begin.
struct Schedule {
    /// How many requests have begun.
    private(set) var begun = 0
    private let start: UInt64
    private let end: UInt64
    private let limit: Int
    /// The nanoseconds from one request to the next; nil for a closed loop.
    private let interval: Double?

    /// The schedule of a phase that begins now.
    init(_ phase: Phase, start: UInt64) {
        self.start = start
        interval = phase.rate.map { 1_000_000_000 / $0 }
        limit = phase.limit
        // A server that has fallen behind an open loop gets half a second to catch up.
        end = start + UInt64((phase.seconds + (phase.rate == nil ? 0 : 0.5)) * 1_000_000_000)
    }

    /// Begins the next request, if it is due: since when, for a closed loop now.
    mutating func begin(now: UInt64) -> UInt64? {
        let due = nextDue ?? now
        guard due <= now, !isOver(now: now) else { return nil }
        begun += 1
        return due
    }

    /// Whether no request begins any more.
    func isOver(now: UInt64) -> Bool { begun == limit || now >= end }

    /// How long until the next request is due; nil where that does not matter, as no connection is free or none is due.
    func wait(now: UInt64, isConnectionFree: Bool) -> UInt64? {
        guard isConnectionFree, !isOver(now: now), let nextDue else { return nil }
        return nextDue > now ? nextDue - now : 0
    }

    /// How late each request is that was due in an open loop and never began.
    func unsent(now: UInt64) -> [UInt64] {
        guard let interval else { return [] }
        return (begun..<limit).map { now - min(now, start + UInt64(Double($0) * interval)) }
    }

    private var nextDue: UInt64? { interval.map { start + UInt64(Double(begun) * $0) } }
}

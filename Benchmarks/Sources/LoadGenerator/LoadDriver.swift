// SPDX-License-Identifier: Apache-2.0

/// Keeps the connections busy with a phase's requests and measures the answers.
struct LoadDriver {
    /// How long an answer may take before the server counts as lost, in nanoseconds.
    private static let patience: UInt64 = 30_000_000_000

    private let statuses: Set<Int>
    private var fleet: Fleet
    private var connections: [Connection]
    private var poller: Poller
    /// The connections without a request, the one that has waited longest first.
    private var free: [Int]
    private var phases: UInt64 = 0
    /// The requests of a signed phase, all of them written before it begins.
    private var ahead: [(request: [UInt8], bodyBytes: Int)] = []

    /// The most requests that are written ahead, which takes memory.
    private static let mostAhead = 100_000

    /// Connects to a target.
    init(target: Target) throws {
        statuses = Set(target.statuses)
        fleet = try Fleet(target: target)
        connections = try (0..<target.connections).map { _ in try Connection(host: target.host, port: target.port) }
        poller = try Poller(connections)
        free = Array(connections.indices)
    }

    /// Runs a phase to its end.
    ///
    /// - Throws: `LoadError` for a status that is not expected, a lost connection, and a server that does not answer.
    mutating func run(_ phase: Phase) throws -> PhaseResult {
        phases += 1
        if phase.signed { try writeAhead(phase) }
        let start = monotonicNow()
        var schedule = Schedule(phase, start: start)
        var tally = Tally()
        while true {
            try begin(phase, schedule: &schedule, tally: &tally)
            let now = monotonicNow()
            if free.count == connections.count && schedule.isOver(now: now) { break }
            let wait = schedule.wait(now: now, isConnectionFree: !free.isEmpty)
            let places = try poller.wait(nanoseconds: wait ?? Self.patience)
            if places.isEmpty && wait == nil { throw LoadError("no answer for 30 seconds") }
            for place in places {
                try proceed(place, tally: &tally)
            }
        }
        let end = monotonicNow()
        return tally.result(seconds: Double(end - start) / 1_000_000_000, unsent: schedule.unsent(now: end))
    }

    /// Writes and signs all requests of a phase.
    private mutating func writeAhead(_ phase: Phase) throws {
        guard phase.limit <= Self.mostAhead else {
            throw LoadError("a signed phase of more than \(Self.mostAhead) reports; give it fewer requests")
        }
        ahead.removeAll()
        for number in 0..<phase.limit {
            var request: [UInt8] = []
            let bodyBytes = try fleet.write(request: number, of: phase, salt: phases, to: &request)
            ahead.append((request, bodyBytes))
        }
    }

    /// Writes the next request of a connection, or takes the one that is written; returns the length of its body.
    private mutating func prepare(_ place: Int, request number: Int, of phase: Phase) throws -> Int {
        guard phase.signed else {
            return try fleet.write(request: number, of: phase, salt: phases, to: &connections[place].request)
        }
        connections[place].request = ahead[number].request
        return ahead[number].bodyBytes
    }

    /// Begins the requests that are due, as far as connections are free.
    private mutating func begin(_ phase: Phase, schedule: inout Schedule, tally: inout Tally) throws {
        while !free.isEmpty {
            let number = schedule.begun
            guard let due = schedule.begin(now: monotonicNow()) else { return }
            let place = free.removeFirst()
            tally.bodyBytes += try prepare(place, request: number, of: phase)
            // A closed loop measures the server alone, without the time that it took to write the request.
            try connections[place].start(since: phase.rate == nil ? monotonicNow() : due)
        }
    }

    /// Goes on with a connection on which something happened.
    private mutating func proceed(_ place: Int, tally: inout Tally) throws {
        try connections[place].flush()
        guard let (head, response) = try connections[place].receive() else { return }
        guard statuses.contains(head.status) else {
            let text = String(decoding: response.prefix(1_000), as: UTF8.self)
            throw LoadError("status \(head.status) after \(tally.requests) reports of a phase: \(text)")
        }
        tally.count(status: head.status, nanoseconds: monotonicNow() - connections[place].since)
        free.append(place)
    }
}

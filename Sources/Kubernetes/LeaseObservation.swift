// SPDX-License-Identifier: Apache-2.0

/// What a candidate saw of a lease, and since when it looks like that.
///
/// Times in the lease are those of other clocks and are not compared with the own one: a lease is over when it did not
/// change for as long as it lasts.
struct LeaseObservation {
    typealias Instant = ContinuousClock.Instant

    /// What to do about it.
    enum Decision: Equatable {
        /// It does not exist: create it.
        case create
        /// It is nobody's, or its time is over: take this version of it.
        case take(Lease)
        /// It is somebody else's, until this instant if it does not change.
        case wait(until: Instant)
    }

    private var lease: Lease?
    /// When the claim was first seen as it is.
    private var since: Instant

    init(_ lease: Lease?, at now: Instant) {
        self.lease = lease
        since = now
    }

    /// Notes how the lease looks now; nil where it does not exist.
    mutating func note(_ lease: Lease?, at now: Instant) {
        // Other changes, such as those of a label, say nothing of its holder.
        let isUnchanged = lease?.claim == self.lease?.claim && lease?.metadata.uid == self.lease?.metadata.uid
        if !isUnchanged { since = now }
        self.lease = lease
    }

    /// What a candidate with a name has to do.
    func decision(of candidate: String, at now: Instant, _ times: LeaseTimes) -> Decision {
        guard let lease else { return .create }
        // The own name is there where the lease was lost without that anybody took it.
        if lease.claim.holder.isEmpty || lease.claim.holder == candidate { return .take(lease) }
        let end = since + max(times.duration, .seconds(lease.claim.seconds))
        return now < end ? .wait(until: end) : .take(lease)
    }
}

/// A lease that is held, and when it was last renewed.
struct LeaseTenure {
    typealias Instant = ContinuousClock.Instant

    /// What to do next.
    enum Decision: Equatable {
        /// Renew it at an instant; the attempt has to end by another.
        case renew(at: Instant, by: Instant)
        /// Stop to lead: somebody else may take it soon.
        case surrender
    }

    private(set) var lease: Lease
    /// When the renewal that the server confirmed was begun: nobody has waited longer than since then.
    private var renewed: Instant
    /// When the next attempt is due.
    private var due: Instant

    /// A lease that was taken by a call that began at an instant.
    init(_ lease: Lease, begun: Instant, _ times: LeaseTimes) {
        self.lease = lease
        renewed = begun
        due = begun + times.renewal
    }

    /// Notes that an attempt failed, so that another is made soon.
    mutating func noteFailure(at now: Instant, _ times: LeaseTimes) {
        due = now + times.renewal / 5
    }

    /// What the holder has to do.
    func decision(at now: Instant, _ times: LeaseTimes) -> Decision {
        let end = renewed + times.surrender
        guard now < end, due < end else { return .surrender }
        let begin = max(due, now)
        return .renew(at: begin, by: min(begin + times.renewal, end))
    }
}

extension Lease.Claim {
    /// A first claim.
    init(of candidate: String, at time: String, _ times: LeaseTimes) {
        self.init(holder: candidate, seconds: times.seconds, acquired: time, renewed: time, transitions: 0)
    }

    /// The claim as a candidate takes or renews it.
    func taken(by candidate: String, at time: String, _ times: LeaseTimes) -> Self {
        var claim = self
        if holder != candidate {
            claim.acquired = time
            // The API has 32 bits for it.
            claim.transitions = min(max(transitions, 0) + 1, Int(Int32.max))
        }
        (claim.holder, claim.seconds, claim.renewed) = (candidate, times.seconds, time)
        return claim
    }

    /// The claim as its holder leaves it.
    func released(at time: String) -> Self {
        var claim = self
        (claim.holder, claim.seconds, claim.renewed) = ("", 1, time)
        return claim
    }
}

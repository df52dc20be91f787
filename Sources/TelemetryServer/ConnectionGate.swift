// SPDX-License-Identifier: Apache-2.0

import Metrics
import Synchronization

/// Takes connections of the public listener, or does not.
final class ConnectionGate: Sendable {
    /// A connection that was taken, until it is given back.
    final class Ticket: Sendable {
        private let gate: ConnectionGate
        private let address = Mutex<UInt64?>(nil)

        fileprivate init(_ gate: ConnectionGate) {
            self.gate = gate
        }

        /// Counts the connection as one of an address; false where that has too many, or it already is one of another.
        func assign(to hash: UInt64) -> Bool {
            address.withLock { address in
                guard address == nil, gate.assign(to: hash) else { return false }
                address = hash
                return true
            }
        }

        deinit { gate.close(address.withLock { $0 }) }
    }

    private let table: Mutex<ConnectionTable>
    private let refused: [ConnectionTable.Refusal: Counter]
    private let open: Meter

    /// A gate with no connections yet.
    init(_ limits: ConnectionLimits, factory: any MetricsFactory) {
        table = Mutex(ConnectionTable(limit: limits.largestCount, limitPerAddress: limits.largestCountPerAddress))
        refused = Dictionary(
            uniqueKeysWithValues: ConnectionTable.Refusal.allCases.map { reason in
                let label = "telemetry_connections_refused"
                return (reason, Counter(label: label, dimensions: [("limit", reason.rawValue)], factory: factory))
            }
        )
        open = Meter(label: "telemetry_connections", factory: factory)
    }

    /// Takes a connection, which counts until its ticket is gone; nil where there are too many.
    func take() -> Ticket? {
        guard isTaken(table.withLock { $0.open() }) else { return nil }
        open.increment()
        return Ticket(self)
    }

    private func assign(to address: UInt64) -> Bool { isTaken(table.withLock { $0.assign(to: address) }) }

    private func close(_ address: UInt64?) {
        table.withLock { $0.close(address) }
        open.decrement()
    }

    /// Counts what is not taken.
    private func isTaken(_ refusal: ConnectionTable.Refusal?) -> Bool {
        if let refusal { refused[refusal]?.increment() }
        return refusal == nil
    }
}

// SPDX-License-Identifier: Apache-2.0

/// Counts connections, in all and from each address, and decides whether one more is taken.
///
/// It holds an address for as long as there is a connection from it, so never more of them than connections.
struct ConnectionTable {
    /// Why a connection is not taken.
    enum Refusal: String, CaseIterable {
        /// There are as many as there may be.
        case total
        /// Its address has as many as it may have.
        case address
    }

    private let limit: Int
    private let limitPerAddress: Int
    private(set) var count = 0
    private var counts: [UInt64: Int] = [:]

    /// A table without connections.
    init(limit: Int, limitPerAddress: Int) {
        self.limit = limit
        self.limitPerAddress = limitPerAddress
    }

    /// The addresses that there are connections from.
    var addresses: Int { counts.count }

    /// Takes one more connection; nil where it was taken.
    mutating func open() -> Refusal? {
        guard count < limit else { return .total }
        count += 1
        return nil
    }

    /// Counts a connection that was taken as one of an address; nil where it may stay.
    mutating func assign(to address: UInt64) -> Refusal? {
        guard counts[address, default: 0] < limitPerAddress else { return .address }
        counts[address, default: 0] += 1
        return nil
    }

    /// A connection that was taken is gone.
    mutating func close(_ address: UInt64?) {
        count -= 1
        guard let address, let rest = counts[address] else { return }
        counts[address] = rest > 1 ? rest - 1 : nil
    }
}

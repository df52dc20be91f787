// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TelemetryServer

@Suite("How many connections are taken")
struct ConnectionTableTests {
    @Test("no more in all than there may be, and one that goes makes room")
    func total() {
        var table = ConnectionTable(limit: 2, limitPerAddress: 9)
        #expect(table.open() == nil)
        #expect(table.open() == nil)
        #expect(table.open() == .total)
        #expect(table.count == 2)
        table.close(nil)
        #expect(table.open() == nil)
    }

    @Test("no more from one address than it may have, and an address without connections is forgotten")
    func perAddress() {
        var table = ConnectionTable(limit: 9, limitPerAddress: 2)
        for _ in 1...4 { #expect(table.open() == nil) }
        #expect(table.assign(to: 1) == nil)
        #expect(table.assign(to: 1) == nil)
        #expect(table.assign(to: 1) == .address)
        #expect(table.assign(to: 2) == nil)
        #expect(table.addresses == 2)
        table.close(2)
        #expect(table.addresses == 1)
        table.close(1)
        #expect(table.assign(to: 1) == nil)
        for _ in 1...2 { table.close(1) }
        #expect(table.addresses == 0)
        #expect(table.count == 0)
    }
}

// SPDX-License-Identifier: Apache-2.0

import FleetSimulator
import TelemetryModel
import Testing

@testable import ReportStore

@Suite("The clusters in memory")
struct ClusterIndexTests {
    private static func pseudonym(_ high: UInt64, _ low: UInt64 = 0) throws -> Pseudonym {
        let bytes = [high, low].flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - $0 * 8)) } }
        return try #require(Pseudonym(bytes: bytes))
    }

    /// The month of hour 7.
    private static let month = CalendarMonth(year: 1970, month: 1)

    private static func latest(_ digest: Int64, _ collector: Collector, _ fingerprint: UInt64 = 0)
        -> ClusterIndex.Latest
    {
        .init(fingerprint: fingerprint, digest: digest, hour: 7, collector: collector)
    }

    @Test("random rows come and go, and are found by their keys as in a dictionary", arguments: [1, 2, 3] as [UInt64])
    func randomRows(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var index = ClusterIndex()
        var expected: [Pseudonym: Int] = [:]
        for _ in 0..<3_000 {
            // Few distinct hashes, so that probing runs are long.
            let key = try Self.pseudonym(
                UInt64.random(in: 0..<40, using: &random),
                UInt64.random(in: 0..<9, using: &random)
            )
            if let row = expected[key] {
                index.remove(at: row)
                expected[key] = nil
            } else {
                let row = index.newRow(after: 0)
                #expect(!expected.values.contains(row), "seed \(seed)")
                var entry = ClusterIndex.Entry(pseudonym: key, firstDay: 1, secondDay: .max)
                entry.sender = key.high &* 9 &+ key.low &+ 1
                entry.note(Self.latest(1, .v0, key.low + 1))
                index.store(entry, at: row)
                expected[key] = row
            }
            #expect(index.count == expected.count)
        }
        for high in 0..<UInt64(40) {
            for low in 0..<UInt64(9) {
                let key = try Self.pseudonym(high, low)
                #expect(index.row(of: key) == expected[key], "seed \(seed)")
                let fingerprint = Fingerprint(cluster: high &* 9 &+ low &+ 1, content: low + 1)
                #expect(index.recognise(fingerprint)?.cluster == (expected[key] == nil ? nil : key), "seed \(seed)")
            }
        }
    }

    @Test("rows for several new clusters of one transaction differ, and free ones are used again")
    func newRows() throws {
        var index = ClusterIndex()
        for row in [1, 2, 5] {
            index.store(.init(pseudonym: try Self.pseudonym(UInt64(row)), firstDay: 0, secondDay: .max), at: row)
        }
        #expect(Set((0..<4).map(index.newRow(after:))) == [3, 4, 6, 7])
        for row in (0..<4).map(index.newRow(after:)) {
            index.store(.init(pseudonym: try Self.pseudonym(UInt64(row)), firstDay: 0, secondDay: .max), at: row)
        }
        index.remove(at: 2)
        #expect(index.newRow(after: 0) == 2)
        #expect(index.newRow(after: 1) == 8)
    }

    @Test("a report of v0 supersedes both of v1's, either of them it, and they not each other")
    func supersedes() throws {
        var entry = ClusterIndex.Entry(pseudonym: try Self.pseudonym(1), firstDay: 0, secondDay: .max)
        #expect(entry.isLatest(1, of: .v0, in: Self.month) == nil)
        entry.note(Self.latest(1, .v1Operator))
        #expect(entry.isLatest(1, of: .v1Operator, in: Self.month) == true)
        #expect(entry.isLatest(2, of: .v1Controller, in: Self.month) == nil)
        entry.note(Self.latest(2, .v1Controller))
        #expect(entry.isLatest(1, of: .v1Operator, in: Self.month) == true)
        #expect(entry.isLatest(2, of: .v1Controller, in: Self.month) == true)
        #expect(entry.isLatest(3, of: .v1Controller, in: Self.month) == false)
        #expect(entry.isLatest(1, of: .v1Operator, in: Self.month + 1) == nil)
        entry.note(Self.latest(4, .v0))
        #expect(entry.isLatest(1, of: .v1Operator, in: Self.month) == false)
        #expect(entry.isLatest(2, of: .v1Controller, in: Self.month) == false)
        #expect(entry.isLatest(4, of: .v0, in: Self.month) == true)
        entry.note(Self.latest(2, .v1Controller))
        #expect(entry.isLatest(2, of: .v1Controller, in: Self.month) == true)
        #expect(entry.isLatest(4, of: .v0, in: Self.month) != true)
    }

    @Test("days: the first two distinct ones, in whatever order they come")
    func days() throws {
        for order in [[3, 5, 9], [3, 9, 5], [5, 3, 9], [5, 9, 3], [9, 3, 5], [9, 5, 3]] as [[Int32]] {
            var entry = ClusterIndex.Entry(pseudonym: try Self.pseudonym(1), firstDay: order[0], secondDay: .max)
            for day in order + order { entry.see(day) }
            #expect(entry.firstDay == 3)
            #expect(entry.secondDay == 5)
        }
    }
}

@Suite("Fingerprints")
struct FingerprintTests {
    private func fingerprint(_ body: String, _ cluster: String = "a") throws -> Fingerprint {
        Fingerprint(of: Array(body.utf8).span, from: try #require(ClusterID(cluster)))
    }

    @Test("the order of lines does not matter; a line more, twice, or another byte does, and so does the cluster")
    func distinguishes() throws {
        let body = "a 1\nb{c=\"d\"} 2\nc 3\n"
        let known = try fingerprint(body)
        #expect(try fingerprint("c 3\na 1\nb{c=\"d\"} 2\n") == known)
        for other in [
            "a 1\nb{c=\"d\"} 2\nc 4\n", "a 1\nb{c=\"d\"} 2\n", "a 1\na 1\nb{c=\"d\"} 2\nc 3\n", body + "\n", "",
            "a 1\nb{c=\"d\"} 2\nc 3", "c 1\nb{c=\"d\"} 2\na 3\n", String(body.dropFirst()),
        ] {
            #expect(try fingerprint(other) != known, "\(other)")
        }
        #expect(try fingerprint(body, "b") != known)
    }
}

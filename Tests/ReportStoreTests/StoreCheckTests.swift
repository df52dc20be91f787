// SPDX-License-Identifier: Apache-2.0

import GRDB
import TelemetryModel
import TelemetryTesting
import Testing

@testable import ReportStore

@Suite("A check of the store")
struct StoreCheckTests {
    /// A change that no report makes, and a word of what the check says of it.
    struct Tampering: Sendable, CustomTestStringConvertible {
        let sql: String
        let word: String

        var testDescription: String { sql }
    }

    private static let tamperings = [
        ("UPDATE total SET clusters = clusters + 1 WHERE length = 1 AND kind = 0", "totals are not"),
        ("UPDATE total SET established = established + 1 WHERE length = 12 AND kind = 1", "totals are not"),
        ("UPDATE total SET last = last + 1 WHERE length = 3 AND kind = 23", "totals are not"),
        ("UPDATE total SET all_clusters = all_clusters + 1 WHERE length = 0 AND kind = 1", "totals are not"),
        ("DELETE FROM total WHERE length = 1 AND kind = 1", "totals are not"),
        ("INSERT INTO total SELECT 1, 30000, kind, item, 1, 1, 1, 0 FROM total LIMIT 1", "totals are not"),
        ("UPDATE month SET peaks = x'0202' WHERE cluster = 1", "months of a cluster"),
        ("UPDATE month SET lasts = x'' WHERE cluster = 1", "months of a cluster"),
        ("UPDATE month SET peaks = x'03' WHERE cluster = 1", "not readable"),
        ("DELETE FROM month WHERE cluster = 2", "months of a cluster"),
        ("UPDATE sighting SET digest = digest + 1 WHERE cluster = 1", "digest"),
        ("UPDATE sighting SET days = 1 << 30 WHERE cluster = 1", "totals are not"),
        ("UPDATE sighting SET collector = 9 WHERE cluster = 1", "of no collector"),
        ("UPDATE sighting SET collector = 300 WHERE cluster = 1", "of no collector"),
        ("UPDATE sighting SET content = x'00' WHERE cluster = 1", "series that is not there"),
        ("UPDATE cluster SET pseudonym = (SELECT pseudonym FROM cluster WHERE id = 1)", "same pseudonym"),
        ("UPDATE cluster SET second_day = second_day + 400 WHERE id = 1", "totals are not"),
        ("UPDATE cluster SET first_day = first_day - 1 WHERE id = 1", "days of a cluster"),
        ("DELETE FROM cluster WHERE id = 1", "clusters that are not there"),
        ("UPDATE series SET uses = uses + 1 WHERE id = 1", "1 series are not used"),
        ("INSERT INTO series (metric, labels, uses) VALUES (1, x'', 7)", "1 series are not used"),
        ("DELETE FROM series WHERE id = 1", "series that is not there"),
        ("UPDATE change SET changes = x'07'", "row of changes"),
        ("DELETE FROM change", "are not"),
        ("DELETE FROM item", "are not"),
    ].map { Tampering(sql: $0.0, word: $0.1) }

    @Test("what was tampered with is told, and nothing is where nothing was", arguments: tamperings)
    func finds(_ tampering: Tampering) async throws {
        let test = try TestStore()
        let store = try test.open()
        let month = CalendarMonth(year: 2026, month: 1)
        _ = try await test.fill(store, clusters: 6, from: month, months: 2, seed: 3)
        // Some changes are added up, and some are not.
        try await store.write { [store] database in
            try store.queue.transaction(in: database) { writer in
                try TotalsTable.append(TotalChanges(), &writer.memory, in: database, addingUp: true)
            }
        }
        _ = try await store.submit(test.accepted("late", TestStore.report(nodes: 2), at: TestStore.march))
        let maintenance = StoreMaintenance(directory: test.directory.path)
        let whole = try await maintenance.check { _ in }
        #expect(whole.problems == [])
        #expect(whole.clusters > 6 && whole.sightings > whole.clusters && whole.totals > 100)
        try await store.write { try $0.execute(sql: tampering.sql) }
        let problems = try await maintenance.check { _ in }.problems
        #expect(problems.contains { $0.contains(tampering.word) }, "\(problems)")
        try store.close()
    }
}

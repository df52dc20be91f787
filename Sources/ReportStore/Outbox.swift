// SPDX-License-Identifier: Apache-2.0

import GRDB
import Logging
import Synchronization
public import TelemetryModel

/// A report that was accepted and is to be sent on.
public struct OutboxEntry: Equatable, Sendable {
    /// Its number, which rises with acceptance and is never given twice.
    public let id: Int64
    /// The report.
    public let report: AcceptedReport
}

/// The first of what waits in the outbox.
public struct OutboxPart: Equatable, Sendable {
    /// The reports, the oldest first.
    public var entries: [OutboxEntry] = []
    /// Numbers of those that cannot be read any more.
    public var unreadable: [Int64] = []

    /// The highest number of all; nil where nothing waits.
    public var last: Int64? { [entries.last?.id, unreadable.last].compactMap { $0 }.max() }

    /// Whether nothing waits.
    public var isEmpty: Bool { entries.isEmpty && unreadable.isEmpty }
}

/// A cluster that is yet to be erased where reports were sent on to.
public struct ErasedCluster: Equatable, Sendable {
    /// Its pseudonym.
    public let pseudonym: Pseudonym
    /// It is not erased where there is a report of that time or later; nil where it is erased anyhow.
    public let unlessSince: UTCInstant?
}

/// How much an outbox holds.
public struct OutboxStatistics: Codable, Equatable, Sendable {
    /// Reports that wait to be sent on.
    public var waiting: Int
    /// Reports that were refused for good and are set aside.
    public var setAside: Int
    /// When the oldest that waits was received, RFC 3339; nil where none waits.
    public var oldest: String?
    /// Clusters that are yet to be erased where reports were sent on to.
    public var erasures: Int

    /// So many wait, so many are set aside, so many clusters are yet to be erased.
    public init(waiting: Int, setAside: Int, oldest: String?, erasures: Int = 0) {
        (self.waiting, self.setAside, self.oldest, self.erasures) = (waiting, setAside, oldest, erasures)
    }

    private enum CodingKeys: String, CodingKey {
        case waiting, oldest, erasures
        case setAside = "set_aside"
    }
}

/// A report that was refused for good.
public struct RefusedEntry: Codable, Equatable, Sendable {
    /// Its number.
    public let id: Int64
    /// The status that it was refused with.
    public let status: Int
    /// The pseudonym of its cluster.
    public let cluster: String
    /// When it was received, RFC 3339.
    public let received: String
}

/// How many reports wait in the outbox, and how many may.
final class OutboxCount: Sendable {
    /// The most reports; nil where none are sent on.
    let limit: Int?
    /// Once in how many hours a report that says the same is sent on.
    let unchangedHours: Int
    private let count: Atomic<Int>

    /// A count as it stands in the tables.
    init(limit: Int?, unchangedHours: Int, count: Int) {
        self.limit = limit
        self.unchangedHours = unchangedHours
        self.count = Atomic(count)
    }

    var value: Int { count.load(ordering: .relaxed) }

    /// Whether no more reports are taken that would have to be sent on.
    var isFull: Bool { limit.map { value >= $0 } ?? false }

    /// What a committed transaction changed.
    func add(_ change: Int) { count.wrappingAdd(change, ordering: .relaxed) }
}

/// How many reports of each cluster were sent on within the last second.
struct SecondPlaces {
    private var second: UTCInstant?
    private var counts: [Int: Int] = [:]

    /// The place of a cluster's next report, which is later than the one before also within a second.
    mutating func next(of row: Int, at instant: UTCInstant) -> Int {
        if second != instant {
            second = instant
            counts.removeAll(keepingCapacity: true)
        }
        let place = counts[row] ?? 0
        counts[row] = place + 1
        return place
    }
}

extension ReportWriter {
    /// Puts a report that was stored, or seen at a new time, into the outbox, where reports are sent on.
    mutating func forward(_ state: State, of row: Int) throws {
        guard forwarding != nil else { return }
        try database.run(
            "INSERT INTO outbox (cluster, month, digest, received, place) VALUES (?, ?, ?, ?, ?)",
            [
                .number(row), .number(state.month.index), .number(state.digest),
                .number(state.instant.secondsSinceEpoch), .number(memory.places.next(of: row, at: state.instant)),
            ]
        )
        outboxChange += 1
    }

    /// Whether a report that says the same as before is to be sent on again: the first of a day always, else in the first hour
    /// of each part of the time since 1970 that is so many hours long.
    func isDue(_ known: Sighting, _ state: State) -> Bool {
        guard let forwarding else { return false }
        guard known.days & state.dayBit != 0 else { return true }
        let hour = Int(state.hourSinceEpoch)
        return (hour - state.hour + known.lastHour) / forwarding < hour / forwarding
    }

    /// Remembers a cluster to be erased where reports were sent on to, if any ever were.
    ///
    /// - Parameters:
    ///   - cluster: Its pseudonym.
    ///   - instant: It is not erased where there is a report of that time or later; nil where it is erased anyhow.
    /// - Throws: What SQLite says.
    func eraseForwarded(_ cluster: [UInt8], unlessSince instant: UTCInstant? = nil) throws {
        guard try Meta.number(Meta.forwards, in: database) == 1 else { return }
        try database.run(
            """
            INSERT INTO erased (pseudonym, at, unless_since) VALUES (?, ?, ?) ON CONFLICT (pseudonym)
            DO UPDATE SET at = excluded.at, unless_since = min(unless_since, excluded.unless_since)
            """,
            [
                .bytes(cluster), .number(UTCInstant.now().secondsSinceEpoch),
                instant.map { .number($0.secondsSinceEpoch) } ?? .null,
            ]
        )
    }

    /// Takes reports of a cluster out of the outbox, with the rows that they rest on: all, or those before a month.
    mutating func forgetForwarded(of row: Int, before month: CalendarMonth? = nil) throws {
        let waiting = "DELETE FROM outbox WHERE cluster = ? AND month < ? AND refused IS NULL"
        let arguments: StatementArguments = [row, month?.index ?? .max]
        try database.cachedStatement(sql: waiting).execute(arguments: arguments)
        outboxChange -= database.changesCount
        try database.cachedStatement(sql: "DELETE FROM outbox WHERE cluster = ? AND month < ?")
            .execute(arguments: arguments)
    }
}

extension ReportStore {
    /// How many reports wait to be sent on.
    public var outboxCount: Int { outbox.value }

    /// The first reports that wait to be sent on.
    ///
    /// - Parameters:
    ///   - limit: So many at the most.
    ///   - samples: So many samples of them together at the most, or those of one report that has more.
    ///   - number: Those behind this one.
    ///   - holdsErased: Whether reports of clusters that are yet to be erased there wait for that.
    /// - Returns: The reports, and what cannot be read.
    /// - Throws: `StoreError.unavailable`.
    public func firstOfOutbox(
        _ limit: Int,
        samples: Int = 50_000,
        after number: Int64 = 0,
        holdsErased: Bool = true
    ) async throws -> OutboxPart {
        do {
            return try await pool.read { database in
                var part = OutboxPart()
                var interner = Interner(isReadOnly: true)
                let statement = try database.cachedStatement(
                    sql: """
                        SELECT outbox.id, received, pseudonym, content, place FROM outbox
                        LEFT JOIN cluster ON cluster.id = outbox.cluster
                        LEFT JOIN sighting ON sighting.cluster = outbox.cluster AND sighting.month = outbox.month
                          AND sighting.digest = outbox.digest
                        WHERE refused IS NULL AND outbox.id > ?
                          AND NOT (? AND EXISTS (
                            SELECT 1 FROM erased WHERE erased.pseudonym = cluster.pseudonym AND unless_since IS NULL
                          ))
                        ORDER BY outbox.id LIMIT ?
                        """
                )
                var count = 0
                let rows = try Row.fetchCursor(statement, arguments: [number, holdsErased, limit])
                while count < samples, let row = try rows.next() {
                    let id: Int64 = row[0]
                    do {
                        let entry = try OutboxEntry(id: id, row, &interner, in: database)
                        count += entry.report.report.samples.count
                        part.entries.append(entry)
                    } catch StoreError.damaged {
                        part.unreadable.append(id)
                    }
                }
                return part
            }
        } catch {
            throw StoreError(error)
        }
    }

    /// When the oldest report that waits was received; nil where none waits.
    ///
    /// - Throws: `StoreError.unavailable`.
    public func oldestOfOutbox() async throws -> UTCInstant? {
        do {
            // Numbers rise with acceptance.
            return try await pool.read { database in
                let sql = "SELECT received FROM outbox WHERE refused IS NULL ORDER BY id LIMIT 1"
                return try Int64.fetchOne(database.cachedStatement(sql: sql)).map(UTCInstant.init(secondsSinceEpoch:))
            }
        } catch {
            throw StoreError(error)
        }
    }

    /// Takes reports out of the outbox, and sets others aside.
    ///
    /// - Parameters:
    ///   - done: Numbers of those that were sent on, or cannot be.
    ///   - refused: The status that others were refused with for good, by number.
    /// - Throws: `StoreError.unavailable`; then nothing was changed.
    public func settleOutbox(done: [Int64], refused: [Int64: Int] = [:]) async throws {
        _ = try await shortenOutbox { database in
            var gone = 0
            for id in done {
                try database.cachedStatement(sql: "DELETE FROM outbox WHERE id = ? AND refused IS NULL")
                    .execute(arguments: [id])
                gone += database.changesCount
            }
            for (id, status) in refused {
                try database.cachedStatement(sql: "UPDATE outbox SET refused = ? WHERE id = ? AND refused IS NULL")
                    .execute(arguments: [status, id])
                gone += database.changesCount
            }
            return gone
        }
    }

    /// Takes what waits and was received before an instant out of the outbox; what is set aside stays.
    ///
    /// - Returns: How many reports that waited are gone.
    /// - Throws: `StoreError.unavailable`.
    public func expireOutbox(before instant: UTCInstant) async throws -> Int {
        try await shortenOutbox { database in
            let arguments: StatementArguments = [instant.secondsSinceEpoch]
            try database.execute(
                sql: "DELETE FROM outbox WHERE refused IS NULL AND received < ?",
                arguments: arguments
            )
            return database.changesCount
        }
    }

    /// Clusters that were erased here and are yet to be erased where reports were sent on to.
    ///
    /// - Parameters:
    ///   - limit: So many at the most.
    ///   - instant: Those that were erased by then.
    /// - Returns: The clusters.
    /// - Throws: `StoreError.unavailable`.
    public func erasedClusters(_ limit: Int, by instant: UTCInstant) async throws -> [ErasedCluster] {
        do {
            return try await pool.read { database in
                let statement = try database.cachedStatement(
                    sql: "SELECT pseudonym, unless_since FROM erased WHERE at <= ? LIMIT ?"
                )
                return try Row.fetchAll(statement, arguments: [instant.secondsSinceEpoch, limit]).compactMap { row in
                    guard let pseudonym = Pseudonym(bytes: try row.bytes(0, of: "erased")) else { return nil }
                    let since = try row.optionalNumber(1, in: 0...Int.max, of: "erased")
                    return ErasedCluster(
                        pseudonym: pseudonym,
                        unlessSince: since.map { UTCInstant(secondsSinceEpoch: Int64($0)) }
                    )
                }
            }
        } catch {
            throw StoreError(error)
        }
    }

    /// Forgets clusters that are erased everywhere, from the file too.
    ///
    /// - Parameters:
    ///   - clusters: Their pseudonyms.
    ///   - instant: One that was erased again since then is not forgotten.
    /// - Throws: `StoreError.unavailable`.
    public func settleErased(_ clusters: [Pseudonym], by instant: UTCInstant) async throws {
        try await write { [self] database in
            try database.inTransaction(.immediate) {
                for cluster in clusters {
                    try database.run(
                        "DELETE FROM erased WHERE pseudonym = ? AND at <= ?",
                        [.bytes(cluster.bytes), .number(instant.secondsSinceEpoch)]
                    )
                }
                return .commit
            }
            // Where somebody reads the log, it is emptied by the next erasure or at the end.
            try? emptyLog(database)
        }
    }

    /// Runs a transaction after which so many fewer reports wait as it says.
    private func shortenOutbox(_ body: @escaping @Sendable (Database) throws -> Int) async throws -> Int {
        try await write { [outbox] database in
            var gone = 0
            try database.inTransaction(.immediate) {
                gone = try body(database)
                return .commit
            }
            outbox.add(-gone)
            return gone
        }
    }
}

/// The table of the outbox.
enum Outbox {
    /// How many reports wait.
    static func waiting(in database: Database) throws -> Int {
        try Int.fetchOne(database.cachedStatement(sql: "SELECT count(*) FROM outbox WHERE refused IS NULL")) ?? 0
    }
}

extension OutboxEntry {
    /// Reads a row with a number, a time, a pseudonym, a content and a place.
    fileprivate init(id: Int64, _ row: Row, _ interner: inout Interner, in database: Database) throws {
        let seconds = try row.number(1, of: "outbox")
        guard let pseudonym = Pseudonym(bytes: try row.bytes(2, of: "cluster")) else { throw row.damage(2, "cluster") }
        let content = try ReportContent(
            bytes: try row.bytes(3, of: "sighting"),
            interner: &interner,
            in: database
        )
        self.init(
            id: id,
            report: AcceptedReport(
                cluster: pseudonym,
                receivedAt: UTCInstant(secondsSinceEpoch: Int64(seconds)),
                place: try row.number(4, in: 0...Int.max, of: "outbox"),
                report: try content.report(interner: &interner, in: database)
            )
        )
    }
}

extension StoreMaintenance {
    /// How much the outbox holds, also while a backend runs.
    ///
    /// - Throws: `StoreError`.
    public func outboxStatistics() async throws(StoreError) -> OutboxStatistics {
        try await withReader { reader throws(StoreError) in
            try await reader.read { database in
                let oldest = try Int64.fetchOne(
                    database,
                    sql: "SELECT min(received) FROM outbox WHERE refused IS NULL"
                )
                return OutboxStatistics(
                    waiting: try Outbox.waiting(in: database),
                    setAside: try Int.fetchOne(
                        database,
                        sql: "SELECT count(*) FROM outbox WHERE refused IS NOT NULL"
                    ) ?? 0,
                    oldest: oldest.map { UTCInstant(secondsSinceEpoch: $0).rfc3339 },
                    erasures: try Int.fetchOne(database, sql: "SELECT count(*) FROM erased") ?? 0
                )
            }
        }
    }

    /// The reports that were refused for good, also while a backend runs.
    ///
    /// - Parameter limit: So many at the most.
    /// - Returns: The reports, the oldest first.
    /// - Throws: `StoreError`.
    public func refusedReports(limit: Int) async throws(StoreError) -> [RefusedEntry] {
        try await withReader { reader throws(StoreError) in
            try await reader.read { database in
                try Row.fetchAll(
                    database,
                    sql: """
                        SELECT outbox.id, refused, pseudonym, received FROM outbox
                        LEFT JOIN cluster ON cluster.id = outbox.cluster
                        WHERE refused IS NOT NULL ORDER BY outbox.id LIMIT ?
                        """,
                    arguments: [limit]
                ).map { row in
                    RefusedEntry(
                        id: row[0],
                        status: try row.number(1, of: "outbox"),
                        cluster: Pseudonym(bytes: try row.bytes(2, of: "cluster")).map { "\($0)" } ?? "",
                        received: UTCInstant(secondsSinceEpoch: Int64(try row.number(3, of: "outbox"))).rfc3339
                    )
                }
            }
        }
    }

    /// Has the reports that were refused for good sent on again; no backend may run.
    ///
    /// - Returns: How many there are.
    /// - Throws: `StoreError`.
    public func replayOutbox() async throws -> Int {
        try await withReader { _ throws(StoreError) in }
        do {
            let lock = try DirectoryLock(directory: directory)
            defer { lock.release() }
            let pool = try StoreFile.open(storePath, logger: Logger(label: "store") { _ in SwiftLogNoOpLogHandler() })
            let count = try await pool.write { database in
                try database.execute(sql: "UPDATE outbox SET refused = NULL WHERE refused IS NOT NULL")
                return database.changesCount
            }
            try pool.close()
            return count
        } catch {
            throw StoreError(error)
        }
    }
}

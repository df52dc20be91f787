// SPDX-License-Identifier: Apache-2.0

import GRDB
import GRDBSQLite

/// A value that a column takes.
enum Cell {
    case number(Int64)
    case bytes([UInt8])
    case null

    static func number(_ number: Int) -> Self { .number(Int64(number)) }
}

extension Database {
    /// Runs a statement that returns no rows, kept for the next time.
    ///
    /// The statements of a report go this way: what GRDB does for arguments of any type costs several microseconds each.
    ///
    /// - Throws: SQLite's error.
    func run(_ sql: String, _ cells: [Cell]) throws {
        let statement = try cachedStatement(sql: sql).sqliteStatement
        defer { sqlite3_reset(statement) }
        for (position, cell) in cells.enumerated() { try check(cell.bind(to: statement, at: Int32(position + 1))) }
        try check(sqlite3_step(statement))
    }

    private func check(_ code: Int32) throws {
        guard code != SQLITE_OK, code != SQLITE_DONE else { return }
        throw DatabaseError(resultCode: ResultCode(rawValue: code), message: lastErrorMessage)
    }
}

extension Cell {
    /// Makes SQLite copy the bytes before the call returns.
    private static let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

    fileprivate func bind(to statement: SQLiteStatement, at position: Int32) -> Int32 {
        switch self {
        case .number(let number): sqlite3_bind_int64(statement, position, number)
        case .null: sqlite3_bind_null(statement, position)
        case .bytes(let bytes):
            // The constant is SQLite's own; the C header writes it as a cast, which Swift does not import.
            bytes.withUnsafeBytes { raw in
                raw.isEmpty
                    ? sqlite3_bind_zeroblob(statement, position, 0)
                    : sqlite3_bind_blob(statement, position, raw.baseAddress, Int32(raw.count), Self.transient)
            }
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import TelemetryModel

/// What the numbers in the tables can be.
///
/// Others come from a damaged file, and computing with them could end the process.
enum StoredNumbers {
    /// Months until the year 9999.
    static let months = 0...119_999
    /// Days until the year 9999.
    static let days = 0...2_932_896
    /// Hours until the year 9999.
    static let hoursSinceEpoch = 0...days.upperBound * 24
    /// Sets of days of a month that are not empty.
    static let daySets = 1...(1 << 31) - 1
    /// Hours of a month.
    static let hours = 0...743
    /// Places in the order of acceptance.
    static let ordinals = 1...(1 << 62) - 1
    /// Rows of clusters, which take 32 bits in memory.
    static let clusters = 1...1 << 30
    /// Numbers of items and series.
    static let ids = 0...(1 << 62) - 1
    /// Counts of clusters.
    static let counts = 0...1 << 40
    /// Sums of peaks.
    static let sums = Int128(0)...1 << 100
}

extension Row {
    /// The whole number of a column, in a range.
    ///
    /// - Throws: `StoreError.damaged` for anything else.
    func number(_ column: Int, in range: ClosedRange<Int> = .min ... .max, of table: StaticString) throws(StoreError)
        -> Int
    {
        guard case .int64(let number) = (self[column] as DatabaseValue).storage, range.contains(Int(number)) else {
            throw damage(column, table)
        }
        return Int(number)
    }

    /// The same; nil where the column is null.
    func optionalNumber(
        _ column: Int,
        in range: ClosedRange<Int>,
        of table: StaticString
    ) throws(StoreError) -> Int? {
        (self[column] as DatabaseValue).isNull ? nil : try number(column, in: range, of: table)
    }

    /// The bytes of a column.
    ///
    /// - Throws: `StoreError.damaged` for anything else.
    func bytes(_ column: Int, of table: StaticString) throws(StoreError) -> [UInt8] {
        guard case .blob(let data) = (self[column] as DatabaseValue).storage else { throw damage(column, table) }
        return Array(data)
    }

    /// The text of a column.
    ///
    /// - Throws: `StoreError.damaged` for anything else.
    func text(_ column: Int, of table: StaticString) throws(StoreError) -> String {
        guard case .string(let text) = (self[column] as DatabaseValue).storage else { throw damage(column, table) }
        return text
    }

    /// The month of a column.
    func month(_ column: Int, of table: StaticString) throws(StoreError) -> CalendarMonth {
        CalendarMonth(index: try number(column, in: StoredNumbers.months, of: table))
    }

    /// The collector of a column.
    func collector(_ column: Int, of table: StaticString) throws(StoreError) -> Collector {
        let number = try number(column, of: table)
        guard let collector = UInt8(exactly: number).flatMap(Collector.init(rawValue:)) else {
            throw .damaged("a report is of no collector")
        }
        return collector
    }

    /// The error of a column that holds something else than it may.
    func damage(_ column: Int, _ table: StaticString) -> StoreError {
        .damaged("\(table).\(Array(columnNames)[column]) holds what it cannot")
    }
}

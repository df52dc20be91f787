// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation

/// How an export is written.
enum ExportFormat: String, CaseIterable, ExpressibleByArgument {
    /// RFC 4180, with a header line.
    case csv
    /// A JSON object a line.
    case ndjson

    /// What stands before all rows.
    var beginning: String { self == .csv ? Self.line(ExportRow.header) : "" }

    /// A row with the line break behind it.
    func text(of row: ExportRow) throws -> String {
        switch self {
        case .csv: return Self.line(row.fields)
        case .ndjson:
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(row), as: UTF8.self) + "\n"
        }
    }

    private static func line(_ fields: [String]) -> String {
        fields.map { quoted(harmless($0)) }.joined(separator: ",") + "\r\n"
    }

    /// Spreadsheets take a text that begins so for a formula, and names come from whoever reports.
    private static func harmless(_ field: String) -> String {
        field.first.map { "=+-@\t\r".contains($0) } == true ? "'" + field : field
    }

    /// A field in quotes where it has something that would end it (RFC 4180, 2).
    private static func quoted(_ field: String) -> String {
        let isPlain = field.utf8.allSatisfy { !"\",\r\n".utf8.contains($0) }
        return isPlain ? field : "\"" + field.replacing("\"", with: "\"\"") + "\""
    }
}

// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import NIOCore

/// A table as comma-separated values (RFC 4180).
struct CSVTable {
    /// A cell.
    enum Cell: ExpressibleByStringLiteral {
        case text(String)
        case number(Int64)
        case decimal(Double)

        init(stringLiteral text: String) { self = .text(text) }
    }

    /// The names of the columns.
    let columns: [String]
    /// The rows; each has a cell for every column.
    let rows: [[Cell]]

    /// The table with its header line, each line ended by CR LF.
    var text: String {
        let lines = [columns.joined(separator: ",")] + rows.map { $0.map(Self.encoded).joined(separator: ",") }
        return lines.map { $0 + "\r\n" }.joined()
    }

    private static func encoded(_ cell: Cell) -> String {
        switch cell {
        case .number(let number): "\(number)"
        case .decimal(let number): "\(number)"
        case .text(let text): quoted(harmless(text))
        }
    }

    /// Spreadsheets take a text that begins so for a formula, and whoever sends reports may have written it.
    private static func harmless(_ text: String) -> String {
        text.first.map { "=+-@\t\r".contains($0) } == true ? "'" + text : text
    }

    private static func quoted(_ text: String) -> String {
        let isPlain = !text.contains { $0 == "," || $0 == "\"" || $0.isNewline }
        return isPlain ? text : "\"" + text.replacing("\"", with: "\"\"") + "\""
    }
}

/// What figures are answered as.
enum FigureFormat: String, CaseIterable {
    case json, csv
}

extension Request {
    /// What `format` asks for; JSON where it is not given.
    ///
    /// - Throws: `Refusal` with 400.
    func figureFormat() throws(Refusal) -> FigureFormat {
        let values = uri.queryParameters.getAll("format")
        guard let text = values.first else { return .json }
        guard values.count == 1, let format = FigureFormat(rawValue: String(text)) else {
            throw .badRequest("give format once: json or csv")
        }
        return format
    }
}

extension Response {
    /// Figures in a format; as CSV they are a file for whoever follows a link to them.
    static func figures(
        _ document: some Encodable,
        as format: FigureFormat,
        name: String,
        table: () -> CSVTable
    ) throws -> Response {
        guard format == .csv else { return try .json(document) }
        return Response(
            status: .ok,
            headers: [
                .contentType: "text/csv; charset=utf-8; header=present",
                .contentDisposition: "attachment; filename=\"cozy-telemetry-\(name).csv\"",
            ],
            body: ResponseBody(byteBuffer: ByteBuffer(string: table().text))
        )
    }
}

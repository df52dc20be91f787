// SPDX-License-Identifier: Apache-2.0

/// What a text is shown on.
struct Page: Sendable {
    /// How wide it is.
    var columns = 80
    /// Whether it has colours.
    var isColoured = false
}

/// Rows of cells, in columns as wide as they have to be.
struct TextTable {
    /// What a cell looks like where there are colours.
    enum Look: String {
        case plain = "0"
        case heading = "1"
        case quiet = "2"
        case graph = "36"
    }

    /// A text in a column.
    struct Cell: ExpressibleByStringInterpolation {
        var text: String
        var look = Look.plain

        /// A text with a look; what could move a cursor is taken out of it.
        init(_ text: String, _ look: Look = .plain) {
            (self.text, self.look) = (text.printable, look)
        }

        init(stringLiteral text: String) { self.init(text) }
    }

    /// On which side of its column a cell stands.
    enum Side { case left, right }

    private let sides: [Side]
    private let rows: [[Cell]]

    /// A table; a row that is one cell is a line across the columns, one that is none is empty.
    init(_ sides: [Side], _ rows: [[Cell]]) {
        (self.sides, self.rows) = (sides, rows)
    }

    /// The table on a page, without a line break at its end.
    func text(on page: Page = Page()) -> String {
        let widths = sides.indices.map { column in
            rows.filter { $0.count > 1 }.map { $0[column].text.displayWidth }.max() ?? 0
        }
        return rows.map { row in line(row, widths, page) }.joined(separator: "\n")
    }

    private func line(_ row: [Cell], _ widths: [Int], _ page: Page) -> String {
        var (line, blanks) = ("", 0)
        for (column, cell) in row.enumerated() {
            let padding = widths[column] - cell.text.displayWidth
            if sides[column] == .right { blanks += padding }
            if !cell.text.isEmpty {
                line += String(repeating: " ", count: blanks) + Self.shown(cell, on: page)
                blanks = 0
            }
            blanks += (sides[column] == .left ? padding : 0) + Self.gap
        }
        return line
    }

    private static let gap = 3

    private static func shown(_ cell: Cell, on page: Page) -> String {
        page.isColoured && cell.look != .plain ? "\u{1B}[\(cell.look.rawValue)m\(cell.text)\u{1B}[0m" : cell.text
    }
}

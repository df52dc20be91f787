// SPDX-License-Identifier: Apache-2.0

import TelemetryModel

/// A series as a table: a row a name, with its curve, its last value and how that changed.
struct SeriesTable {
    private let answer: PublicSeries
    private let window: Window.Length

    /// The table of an answer about windows of a length.
    init(_ answer: PublicSeries, _ window: Window.Length) {
        (self.answer, self.window) = (answer, window)
    }

    /// The table on a page, without a line break at its end.
    func text(on page: Page) -> String {
        guard !names.isEmpty else { return "\(answer.of.title): nothing was reported from \(span)." }
        let sides: [TextTable.Side] = [.left, .left, .right] + steps.map { _ in .right }
        let ending = note.map { [[], [TextTable.Cell($0, .quiet)]] } ?? []
        return TextTable(sides, [header] + names.map(row) + ending).text(on: page)
    }

    /// Names of the highest last values first, and `other` last.
    private var names: [String] {
        let last = answer.points.last?.values ?? [:]
        func rank(_ name: String) -> (Int, Int64, String) {
            (name == DataDictionary.other ? 1 : 0, -(last[name] ?? 0), name)
        }
        return answer.names.sorted { rank($0) < rank($1) }
    }

    /// By how many months a value is compared with an earlier one, and what that is called.
    private var steps: [(months: Int, name: String)] {
        let year = (months: 12, name: "in a year")
        return (window == .year ? [year] : [(window.months, "in a \(window.name)"), year])
            .filter { $0.months < answer.points.count }
    }

    private var span: String { "\(answer.points.first?.month ?? "") to \(answer.points.last?.month ?? "")" }

    private var header: [TextTable.Cell] {
        let title = window == .month ? answer.of.title : "\(answer.of.title), by \(window.name)"
        return ([title, span, answer.points.last?.month ?? ""] + steps.map(\.name)).map { .init($0, .heading) }
    }

    private func row(_ name: String) -> [TextTable.Cell] {
        let values = answer.values(of: name)
        let last = values.last ?? 0
        let changes = steps.map { step in
            TextTable.Cell(Self.change(from: values[values.count - 1 - step.months], to: last), .quiet)
        }
        return [.init(name), .init(Sparkline(values).text, .graph), .init(answer.of.text(of: last, named: name))]
            + changes
    }

    /// The change in percent; nothing can be said of what was nothing.
    private static func change(from before: Int64, to now: Int64) -> String {
        if before == now { return now == 0 ? "" : "=" }
        if before == 0 { return "new" }
        let percent = ((Double(now) - Double(before)) / Double(before) * 1_000).rounded() / 10
        return "\(percent > 0 ? "+" : "")\(percent) %"
    }

    private var note: String? {
        if let day = answer.asOf {
            return "Clusters whose last report has the version, in multiples of \(answer.threshold), as of \(day); "
                + "\(DataDictionary.other) has what fewer than \(answer.threshold) have, and the next smallest."
        }
        return answer.of == .applications && answer.names.contains(DataDictionary.other)
            ? "\(DataDictionary.other) has the kinds that fewer than \(answer.threshold) clusters have, and the next smallest."
            : nil
    }
}

extension PublicSeries {
    /// Every name that a point has.
    fileprivate var names: Set<String> { points.reduce(into: []) { $0.formUnion($1.values.keys) } }

    /// The values of a name, a point each.
    fileprivate func values(of name: String) -> [Int64] { points.map { $0.values[name] ?? 0 } }
}

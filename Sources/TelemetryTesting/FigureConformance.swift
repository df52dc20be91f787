// SPDX-License-Identifier: Apache-2.0

package import TelemetryModel

/// The suite of figures that every engine has to pass: all that it answers of some months, against the definitions.
package struct FigureConformance {
    private let reference: ReferenceFigures
    private let first: CalendarMonth
    private let months: Int

    /// The suite for reports that the definitions were given.
    ///
    /// - Parameters:
    ///   - reference: The definitions over all reports.
    ///   - first: The first month of them.
    ///   - months: How many months they are of.
    package init(_ reference: ReferenceFigures, from first: CalendarMonth, months: Int) {
        self.reference = reference
        self.first = first
        self.months = months
    }

    /// What an engine has wrong of the totals of every window, also of those before and after the reports.
    package func totals(of source: some FigureSource) async throws -> [String] {
        var wrong: [String] = []
        for month in (-2...months + 2).map({ first + $0 }) {
            let windows = Window.Length.allCases.map { Window($0, endingWith: month) }
            let totals = try await source.totals(of: windows)
            for window in windows {
                let expected = reference.totals(of: window)
                guard let got = totals[window] else {
                    wrong.append("\(window.label): nothing")
                    continue
                }
                wrong += Self.differences(got.all, expected.all, window.label)
                wrong += Self.differences(got.established, expected.established, "\(window.label), established")
                let canonical = got.all.canonicalApplications
                wrong += Self.differences(canonical, reference.canonicalApplications(in: window), window.label)
            }
        }
        return wrong
    }

    /// What it has wrong of the totals of every day.
    package func days(of source: some FigureSource) async throws -> [String] {
        let days = (first - 1).firstDay...(first + months).lastDay
        let totals = try await source.totals(on: days)
        guard totals.map(\.day) == days.all else { return ["the days are \(totals.map(\.day))"] }
        return totals.flatMap { got in
            let expected = reference.totals(on: got.day)
            return Self.differences(got.all, expected.all, "\(got.day)")
                + Self.differences(got.established, expected.established, "\(got.day), established")
        }
    }

    /// What it has wrong of the breakdowns by every dimension, of every window and of days.
    package func breakdowns(of source: some FigureSource) async throws -> [String] {
        let windows = (0...months + 1).flatMap { month in
            Window.Length.allCases.map { Window($0, endingWith: first + month) }
        }
        let days = (first + 3).firstDay...(first + 4).lastDay
        var wrong: [String] = []
        for dimension in Dimension.allCases {
            let breakdowns = try await source.breakdowns(by: dimension, in: windows)
            for window in windows {
                let expected = reference.breakdown(by: dimension, in: window)
                let name = "\(dimension), \(window.label)"
                wrong += Self.differences(breakdowns[window] ?? [:], expected, name)
            }
            for (day, clusters) in try await source.breakdowns(by: dimension, on: days) {
                wrong += Self.differences(
                    clusters,
                    reference.breakdown(by: dimension, on: day),
                    "\(dimension), \(day)"
                )
            }
        }
        return wrong
    }

    private static func differences<Key: Hashable, Value: Equatable>(
        _ got: [Key: Value],
        _ expected: [Key: Value],
        _ name: String
    ) -> [String] {
        Set(got.keys).union(expected.keys).filter { got[$0] != expected[$0] }.map { key in
            "\(name): \(key) is \(got[key].map { "\($0)" } ?? "nothing"),"
                + " and should be \(expected[key].map { "\($0)" } ?? "nothing")"
        }.sorted()
    }
}
